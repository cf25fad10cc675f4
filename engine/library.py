"""The function library: the files of `lua/` assembled into one Redis library whose name carries a hash of its source.

Two releases can so run side by side on one Redis; a process only ever calls the functions that it was built with.
Header of a script (a test reads it): description, `KEYS`, `ARGV`, `REPLY`, `INCLUDES`, `FLAGS`, and `WHERE`
for the shape of what is packed.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import msgspec
from redis.exceptions import OutOfMemoryError, ReadOnlyError, ResponseError

from engine.errors import ParvisError
from engine.keys import Keys
from engine.words import HouseSlug

if TYPE_CHECKING:
    from redis.asyncio import Redis

GROUPS: Final = ("cell", "waiting_room", "on_sale", "seats", "orders")
SECTIONS: Final = ("KEYS", "ARGV", "REPLY", "INCLUDES", "FLAGS")
EXPLANATION: Final = "WHERE"
GLOBALS: Final = "bit, cmsgpack, ipairs, math, next, pairs, redis, string, table, tonumber, unpack"
PREAMBLE: Final = f"""local register = redis.register_function
local function find_globals() return {GLOBALS} end
local {GLOBALS}
local function know_globals() {GLOBALS} = find_globals() end
"""
"""Lua's own functions as locals, a dozen times as fast as through Redis's guarded globals. While a library is loaded
they are not there: the first call finds them."""


class BrokenScript(ParvisError):
    """A Lua file's header does not follow the rules."""


class Script(msgspec.Struct, frozen=True):
    """One file of `lua/`. `replies` maps each word to the fields behind it."""

    name: str
    """`seats/hold`; the path is the name."""
    source: str
    description: str
    keys: tuple[str, ...]
    arguments: tuple[str, ...]
    replies: dict[str, str]
    includes: tuple[str, ...]
    flags: tuple[str, ...]

    @property
    def is_read_only(self) -> bool:
        """Whether the function writes nothing, and may be called with `FCALL_RO`."""
        return "no-writes" in self.flags

    @property
    def side(self) -> str:
        """Which side of the engine it is of: the line, or the seats and their orders; few fragments are of both."""
        return "seats" if self.name.startswith(("seats/", "orders/")) else "line"

    @property
    def local_name(self) -> str:
        """The name of the Lua local that holds the operation: `seats_hold`."""
        return self.name.replace("/", "_")


class Library(msgspec.Struct, frozen=True):
    """The assembled library: its name, its source, and what each operation is called inside Redis."""

    name: str
    source: str
    functions: dict[str, str]
    read_only: frozenset[str]


def _header(source: str) -> tuple[str, dict[str, str]]:
    """The description and the sections of a script's leading comment."""
    description: list[str] = []
    sections: dict[str, str] = {}
    current = ""
    for line in source.splitlines():
        if not line.startswith("--"):
            break
        text = line[2:].strip()
        word = text.split(" ", 1)[0]
        if word in SECTIONS or word == EXPLANATION:
            current = word
            sections[current] = text[len(word) :].strip()
        elif current:
            sections[current] += " " + text
        elif text:
            description.append(text)
    return " ".join(description), sections


def _replies(text: str) -> dict[str, str]:
    """`held: expires_at_ms sequence | closed` as a mapping; prose after the words' list is left to the reader."""
    replies: dict[str, str] = {}
    for part in text.split(" | "):
        word, _, fields = part.strip().partition(":")
        replies[word.strip().split(" ")[0].strip("|")] = fields.strip()
    return replies


def read_script(name: str) -> Script:
    """The script `seats/hold` or the fragment `include/gate`. Raises `BrokenScript` for a header without its parts."""
    source = files("lua").joinpath(f"{name}.lua").read_text(encoding="utf-8")
    description, sections = _header(source)
    wanted = ("INCLUDES",) if name.startswith("include/") else SECTIONS
    missing = [section for section in wanted if section not in sections]
    if missing or not description:
        raise BrokenScript(f"lua/{name}.lua: header without {', '.join(missing) or 'a description'}")
    return Script(
        name=name,
        source=source,
        description=description,
        keys=tuple(sections.get("KEYS", "").split()),
        arguments=tuple(sections.get("ARGV", "").split()),
        replies=_replies(sections.get("REPLY", "")),
        includes=tuple(sections["INCLUDES"].split()),
        flags=tuple(sections.get("FLAGS", "").split()),
    )


def script_names() -> tuple[str, ...]:
    """Every operation, in a fixed order."""
    return tuple(
        f"{group}/{entry.name[:-4]}"
        for group in GROUPS
        for entry in sorted(files("lua").joinpath(group).iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".lua")
    )


def _with_includes(names: tuple[str, ...], done: dict[str, Script]) -> Iterator[Script]:
    """The fragments named, each once and after those that it needs itself."""
    for name in names:
        if name not in done:
            fragment = read_script(f"include/{name}")
            yield from _with_includes(fragment.includes, done)
            done[name] = fragment
            yield fragment


@cache
def assemble() -> Library:
    """The library of this release. Raises `BrokenScript` when a file of `lua/` breaks the rules of the header."""
    scripts = [read_script(name) for name in script_names()]
    needed = {script.name: list(_with_includes(script.includes, {})) for script in scripts}
    sharers: dict[str, list[Script]] = {}
    for script in scripts:
        for fragment in needed[script.name]:
            sharers.setdefault(fragment.name, []).append(script)

    def shared(by: Iterable[Script]) -> str:
        """What more than one script includes, and only scripts of these sides: each once, before it is used."""
        sides, done = {script.side for script in by}, dict[str, Script]()
        fragments = [each for script in by for each in _with_includes(script.includes, done)]
        return "\n".join(
            fragment.source
            for fragment in fragments
            if len(sharers[fragment.name]) > 1 and {script.side for script in sharers[fragment.name]} == sides
        )

    def block(script: Script) -> str:
        """An operation with what it alone includes, and where it is registered, with the version still to be known."""
        alone = [fragment.source for fragment in needed[script.name] if len(sharers[fragment.name]) == 1]
        flags = ", ".join(repr(flag) for flag in script.flags)
        return "\n".join(
            [
                "do",
                *alone,
                f"local function {script.local_name}(KEYS, ARGV)",
                f"if not redis then know_globals() end\n{script.source}end",
                f"register{{function_name='{script.local_name}_' .. VERSION,",
                f"callback={script.local_name}, flags={{{flags}}}}}",
                "end",
            ]
        )

    # Lua has no more than 200 locals at a time: each side of the engine is a block, and each operation in it.
    parts = [PREAMBLE, shared(scripts)]
    for side in dict.fromkeys(script.side for script in scripts):
        of_side = [script for script in scripts if script.side == side]
        parts += ["do", shared(of_side), *map(block, of_side), "end"]
    body = "\n".join(parts)
    version = hashlib.sha256(body.encode()).hexdigest()[:12]
    functions = {script.name: f"{script.local_name}_{version}" for script in scripts}
    name = f"parvis_{version}"
    return Library(
        name=name,
        source=f"#!lua name={name}\nlocal VERSION, LIBRARY = '{version}', '{name}'\n{body}\n",
        functions=functions,
        read_only=frozenset(script.name for script in scripts if script.is_read_only),
    )


def commands(source: str) -> set[str]:
    """Every Redis command that a library's functions call, lower case."""
    return {name.lower() for name in re.findall(r'redis\.call\("(\w+)"', source)}


async def _loaded(owner: "Redis") -> list[str]:
    """The sources of the libraries of ours in this Redis, another release's included."""
    found = await owner.execute_command("FUNCTION", "LIST", "LIBRARYNAME", "parvis_*", "WITHCODE")
    libraries = [each if isinstance(each, dict) else dict(zip(each[::2], each[1::2], strict=True)) for each in found]
    return [library[b"library_code"].decode() for library in libraries]


async def install(owner: "Redis", slug: str, user: str, password: str) -> None:
    """Loads this release's library and makes the house's API user, which can call functions on the house's keys only.

    What the functions of the loaded libraries call is what that user is granted, and no more: Redis checks a
    function's commands by its caller, and one that it denied in the middle would leave a half-written change.
    `owner` is a connection of the ops side. Raises `redis.RedisError` when that user may not do it.
    """
    library = assemble()
    try:
        await owner.execute_command("FUNCTION", "LOAD", library.source)
    except OutOfMemoryError:
        # Short of memory Redis loads nothing, not even what it has: a restart must not end there.
        if library.source not in await _loaded(owner):
            raise
    except ReadOnlyError:
        pass  # a replica has it of its primary, and only needs the user
    except ResponseError as error:
        if "already exists" not in str(error):
            raise
    if user:
        called = commands(library.source).union(*map(commands, await _loaded(owner)))
        granted = [f"+{command}" for command in ("fcall", "fcall_ro", *sorted(called))]
        keys = f"~{Keys(HouseSlug(slug)).everything}"
        await owner.execute_command("ACL", "SETUSER", user, "reset", "on", f">{password}", keys, "-@all", *granted)
