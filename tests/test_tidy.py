"""The house rules, enforced, and each of them seen to bite on a small example."""

import re
from functools import cache
from pathlib import Path

import pytest

from tests.tidy import (
    HOSTS,
    RULES,
    Rule,
    Source,
    arrows_never_turn,
    keys_are_spelled_once,
    names_say_something,
    no_file_knows_a_registry_or_somebodys_folder,
    nothing_is_left_for_later,
    nothing_is_printed,
    one_word_has_one_meaning,
    only_the_ledger_speaks_to_postgres,
    only_the_library_reads_lua,
    public_things_say_what_they_are,
    scripts_can_be_read_at_once,
)

ROOT = Path(__file__).parents[1]
FOLDERS = {"engine", "api", "lua", "loadtests", "deploy", "tests", ".ci"}
FILES = {"pyproject.toml", "README.md", "Makefile", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"}
NOT_OURS = {".git", ".venv", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis"}
MADE = {"build", "dist", "data", "reports", "parvis.egg-info", ".gitignore", ".dockerignore"}
TEXT = {".py", ".lua", ".js", ".mjs", ".html", ".css", ".svg", ".sql", ".md", ".toml", ".yaml", ".yml", ".conf", ".sh"}
TEXT |= {".in", ".txt", ".json", ".ini", ".mako", ""}


@cache
def sources() -> tuple[Source, ...]:
    """Every text file of the repository."""
    found = []
    for path in sorted(ROOT.rglob("*")):
        place = path.relative_to(ROOT)
        if NOT_OURS & set(place.parts) or place.parts[0] in MADE - {".gitignore"} or not path.is_file():
            continue
        if path.suffix in TEXT:
            found.append(Source(place.as_posix(), path.read_text(encoding="utf-8")))
    return tuple(found)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_rules_are_kept(rule: Rule) -> None:
    assert [f"{source.path}:{fault}" for source in sources() for fault in rule(source)] == []


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (arrows_never_turn, "engine/seats.py", "from api.wire import HoldReply"),
        (arrows_never_turn, "engine/seats.py", "def f():\n    import litestar.handlers"),
        (arrows_never_turn, "engine/seats.py", "from .cell import Cell"),
        (arrows_never_turn, "api/hot.py", "import asyncpg"),
        (arrows_never_turn, "loadtests/visit.py", "from engine.draw import Draw"),
        (arrows_never_turn, "loadtests/visit.py", "if TYPE_CHECKING:\n    from api import wire"),
        (only_the_ledger_speaks_to_postgres, "engine/seats.py", "from asyncpg import Pool"),
        (only_the_library_reads_lua, "engine/cell.py", "files('lua').joinpath('a.lua')"),
        (keys_are_spelled_once, "engine/seats.py", "key = f'{{{house}}}:sale:{on_sale}'"),
        (keys_are_spelled_once, "api/hot.py", "key = sale + ':live'"),
        (names_say_something, "engine/utils.py", ""),
        (names_say_something, "api/base.py", ""),
        (public_things_say_what_they_are, "engine/seats.py", "x = 1"),
        (public_things_say_what_they_are, "engine/seats.py", "'''Seats.'''\ndef hold(): pass"),
        (
            public_things_say_what_they_are,
            "api/hot.py",
            "'''Hot.'''\nclass Hot:\n    '''It.'''\n    async def f(self): 1",
        ),
        (nothing_is_printed, "engine/seats.py", "print('here')"),
        (nothing_is_printed, "loadtests/visit.py", "def f():\n    breakpoint()"),
        (no_file_knows_a_registry_or_somebodys_folder, "deploy/x.in", f"--index-url https://{HOSTS[0]}/simple"),
        (no_file_knows_a_registry_or_somebodys_folder, "README.md", "cd /ho" + "me/somebody/parvis"),
        (nothing_is_left_for_later, "lua/seats/hold.lua", "-- TO" + "DO: later"),
        (scripts_can_be_read_at_once, "lua/seats/hold.lua", "\n" * 81),
        (scripts_can_be_read_at_once, "lua/seats/hold.lua", "-- ARGV  a b c d e f g h i\n"),
        (scripts_can_be_read_at_once, "lua/seats/hold.lua", "cjson.encode(x)"),
        (one_word_has_one_meaning, "engine/seats.py", "class CartItem: pass"),
        (one_word_has_one_meaning, "engine/seats.py", "def f(tenant_id): pass"),
        (one_word_has_one_meaning, "engine/seats.py", "self.the_booking = 1"),
        (one_word_has_one_meaning, "api/web/basket.js", "const cartItems = [];"),
        (one_word_has_one_meaning, "lua/seats/hold.lua", "local tenant = KEYS[1]"),
    ],
)
def test_a_rule_that_is_broken_is_noticed(rule: Rule, path: str, text: str) -> None:
    assert list(rule(Source(path, text)))


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (arrows_never_turn, "api/hot.py", "from engine.cell import Cell\nimport litestar"),
        (arrows_never_turn, "tests/unit/test_x.py", "from api import wire"),
        (only_the_ledger_speaks_to_postgres, "engine/ledger/ledger.py", "import asyncpg"),
        (only_the_library_reads_lua, "engine/library.py", "files('lua').joinpath('a.lua')"),
        (keys_are_spelled_once, "engine/keys.py", "key = f'{{{house}}}:sale'"),
        (keys_are_spelled_once, "engine/seats.py", "'''Keys are `{house}:…`.'''\nname = f'performance:{name}'"),
        (public_things_say_what_they_are, "engine/seats.py", "'''Seats.'''\ndef _hold(): pass"),
        (public_things_say_what_they_are, "engine/cli/__init__.py", ""),
        (nothing_is_printed, "engine/cli/demo.py", "print('The books balance.')"),
        (one_word_has_one_meaning, "engine/seats.py", "'''Never a cart.'''\nstack.shard()"),
        (one_word_has_one_meaning, "api/web/basket.js", "say('reservation_ended'); // no cart"),
        (one_word_has_one_meaning, "engine/seats.py", "carthorse = 1"),
        (nothing_is_left_for_later, "README.md", "to do so"),
    ],
)
def test_what_is_allowed_is_left_alone(rule: Rule, path: str, text: str) -> None:
    assert list(rule(Source(path, text))) == []


def test_every_kind_of_file_is_seen() -> None:
    seen = {source.path for source in sources()}
    assert {"engine/seats.py", "lua/seats/hold.lua", "api/web/words/nl.json", "Makefile", "tests/test_tidy.py"} <= seen
    assert len(seen) > 200


def strange_in_the_root(names: set[str]) -> set[str]:
    return names - FOLDERS - FILES - NOT_OURS - MADE


def test_the_root_has_the_folders_that_it_has() -> None:
    assert strange_in_the_root({path.name for path in ROOT.iterdir()}) == set()
    assert strange_in_the_root({"engine", "scripts", "notes.md"}) == {"scripts", "notes.md"}


def words_in(text: str) -> list[str]:
    """The names of everything that the pages say in a language, whatever the part."""
    return re.findall(r'^  "([\w.-]+)":', text, re.MULTILINE)


def disagreements(languages: dict[str, str]) -> list[str]:
    """Words that one language has and another has not, or has twice."""
    names = {language: words_in(text) for language, text in languages.items()}
    everything = {word for words in names.values() for word in words}
    return sorted(
        f"{language}: {word}" for language, words in names.items() for word in everything if words.count(word) != 1
    )


def test_every_language_says_everything_once() -> None:
    languages = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "api/web/words").glob("*.json")}
    assert languages.keys() == {"nl", "fr", "de", "en"}
    assert all(len(words_in(text)) > 200 for text in languages.values())
    assert disagreements(languages) == []
    assert disagreements({"nl": '  "a": "x",\n  "b": {\n   "one": "1"', "fr": '  "a": "y",'}) == ["fr: b"]
    assert disagreements({"nl": '  "a": "x",\n  "a": "z",', "fr": '  "a": "y",'}) == ["nl: a"]
