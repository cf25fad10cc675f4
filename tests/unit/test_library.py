"""The header of a script is a contract: this reads it, and reads the script and Python beside it."""

import re
from pathlib import Path

import pytest

from engine.library import assemble, commands, read_script, script_names

ROOT = Path(__file__).parents[2]
ENGINE = "\n".join(path.read_text() for path in sorted((ROOT / "engine").glob("*.py")))
HANDLED_BY_CELL = {"closed", "fenced", "other_payload"}


def body(name: str) -> str:
    return "\n".join(line for line in read_script(name).source.splitlines() if not line.startswith("--"))


def included(name: str) -> str:
    """The script with every fragment that it includes, directly or not."""
    script = read_script(name)
    seen: dict[str, str] = {}

    def add(includes: tuple[str, ...]) -> None:
        for include in includes:
            if include not in seen:
                fragment = read_script(f"include/{include}")
                seen[include] = fragment.source
                add(fragment.includes)

    add(script.includes)
    return script.source + "\n".join(seen.values())


@pytest.mark.parametrize("name", script_names())
def test_the_header_names_what_the_script_uses(name):
    script, source = read_script(name), body(name)
    fixed_keys = [key for key in script.keys if not key.startswith("(") and not key.endswith(")…")]
    if any(key.startswith("(") for key in script.keys):
        fixed_keys = list(script.keys[: [key.startswith("(") for key in script.keys].index(True)])
    unpacked = re.search(r"local ([\w, ]+) = unpack\(KEYS\)", source)
    indices = [int(number) for number in re.findall(r"KEYS\[(\d+)\]", source)]
    used = len(unpacked.group(1).split(",")) if unpacked else max(indices, default=0)
    assert used >= len(fixed_keys), f"{name}: a documented key is not used"
    arguments = re.search(r"local ([\w, ]+) = unpack\(ARGV\)", source)
    argument_indices = [int(number) for number in re.findall(r"ARGV\[(\d+)\]", source)]
    used = max(len(arguments.group(1).split(",")) if arguments else 0, max(argument_indices, default=0))
    assert used == len(script.arguments), f"{name}: documented arguments {script.arguments}"


@pytest.mark.parametrize("name", script_names())
def test_every_local_of_the_script_is_used(name):
    source = body(name)
    for names in re.findall(r"local ([\w, ]+) =", source):
        for local in names.split(","):
            if local.strip() != "_":
                assert len(re.findall(rf"\b{local.strip()}\b", source)) > 1, f"{name}: {local.strip()} is not used"


@pytest.mark.parametrize("name", script_names())
def test_every_reply_word_is_documented(name):
    words = set(re.findall(r'return \{"(\w+)"', body(name)))
    words |= set(re.findall(r'local \w+ = \{"(\w+)"', body(name)))
    for fragment in ("gate", "fence", "recall"):
        if f"{fragment}(" in body(name):
            words |= set(re.findall(r'return \{"(\w+)"', read_script(f"include/{fragment}").source))
    words |= set(re.findall(r'remember\([^{]*\{"(\w+)"', body(name)))
    script = read_script(name)
    if name == "waiting_room/admit":
        words |= {"admitted", "renewed"}
    assert words == set(script.replies), f"{name}: documented {sorted(script.replies)}, returned {sorted(words)}"


@pytest.mark.parametrize("name", script_names())
def test_python_has_a_branch_for_every_word(name):
    for word in read_script(name).replies:
        if word not in HANDLED_BY_CELL:
            assert f'b"{word}"' in ENGINE, f"{name}: nothing in engine/ decides by {word!r}"


@pytest.mark.parametrize("name", script_names())
def test_a_script_is_one_verb_of_a_readable_size(name):
    script = read_script(name)
    assert len(script.source.splitlines()) <= 100
    assert len(script.arguments) <= 8
    assert "cjson" not in script.source
    assert not re.search(r'"\{|:sale:|\.\. ":', body(name)), f"{name}: a key is built inside the script"


def test_read_only_functions_write_nothing():
    for name in assemble().read_only:
        called = set(re.findall(r'redis\.call\("(\w+)"', included(name)))
        assert called <= {"TIME", "HGET", "HMGET", "HGETALL", "GET", "ZCOUNT", "ZRANGE", "BITPOS", "XLEN"}, name


def test_the_version_changes_with_the_source():
    library = assemble()
    assert re.fullmatch(r"parvis_[0-9a-f]{12}", library.name)
    version = library.name.removeprefix("parvis_")
    assert all(function.endswith(version) for function in library.functions.values())


def test_the_api_user_gets_no_command_that_could_be_turned_against_others():
    assert not set(commands()) & {"eval", "script", "function", "config", "keys", "scan", "flushall", "acl"}
