"""The header of a script is a contract: here it is compared with the script, in `test_contract.py` with Python."""

import re
from collections.abc import Sequence

import pytest

from engine.library import BrokenScript, Script, assemble, commands, read_script, script_names

FRAGMENTS = tuple(sorted({include for name in script_names() for include in read_script(name).includes}))
READING = {
    "TIME",
    "HGET",
    "HMGET",
    "HGETALL",
    "HEXISTS",
    "HSCAN",
    "GET",
    "EXISTS",
    "GETRANGE",
    "ZCOUNT",
    "ZCARD",
    "ZRANGE",
    "BITPOS",
}
READING |= {"XLEN", "XRANGE", "XREVRANGE", "ZSCORE"}


def body(script: Script) -> str:
    """The script without its comments."""
    return "\n".join(re.sub(r"(^|\s)--.*", "", line) for line in script.source.splitlines())


def with_includes(names: Sequence[str], found: dict[str, Script] | None = None) -> dict[str, Script]:
    """The fragments named, and those that they include themselves."""
    found = {} if found is None else found
    for name in names:
        if name not in found:
            found[name] = read_script(f"include/{name}")
            with_includes(found[name].includes, found)
    return found


ALL_FRAGMENTS = with_includes(FRAGMENTS)


def defined_by(fragment: Script) -> set[str]:
    """The locals of a fragment that whoever includes it may use."""
    names = re.findall(r"^local function (\w+)", fragment.source, re.MULTILINE)
    for group in re.findall(r"^local ([\w, ]+) =", fragment.source, re.MULTILINE):
        names += group.split(", ")
    return set(names)


def mentioned_in(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w.\"])[A-Za-z_]\w*", re.sub(r'"[^"]*"', '""', text)))


def used(script: Script, source: str) -> tuple[set[int], list[str]]:
    """Which KEYS or ARGV a script uses, counting from 1, and the names that it unpacks them to."""
    text = body(script)
    places = {int(number) for number in re.findall(rf"{source}\[(\d+)\]", text)}
    unpacked = re.search(rf"local ([\w, ]+) = unpack\({source}\)", text)
    names = unpacked.group(1).split(", ") if unpacked else []
    for place, name in enumerate(names, start=1):
        if name != "_" and len(re.findall(rf"\b{name}\b", text)) > 1:
            places.add(place)
    return places, names


def fixed_keys(script: Script) -> list[str]:
    """The keys before the group that repeats, `(performance index due)…`."""
    return [key for key in " ".join(script.keys).partition("(")[0].split() if key]


@pytest.mark.parametrize("name", script_names())
def test_every_key_and_argument_is_documented_and_used(name: str) -> None:
    script = read_script(name)
    keys, key_names = used(script, "KEYS")
    arguments, argument_names = used(script, "ARGV")
    assert keys == set(range(1, len(fixed_keys(script)) + 1))
    assert arguments == set(range(1, len(script.arguments) + 1))
    for documented, names in ((fixed_keys(script), key_names), (list(script.arguments), argument_names)):
        for given, wanted in zip(names, documented, strict=bool(names)):
            # `performance` is what a script calls the draft that it makes of that key.
            assert given in {wanted, "_", {"performance": "key"}.get(wanted)}


@pytest.mark.parametrize("name", [name for name in script_names() if "(" in "".join(read_script(name).keys)])
def test_a_group_of_keys_that_repeats_is_walked_from_where_it_starts(name: str) -> None:
    script = read_script(name)
    first = len(fixed_keys(script)) + 1
    size = len(" ".join(script.keys).partition("(")[2].rstrip(")…").split())
    walks = (
        f"draft_all(KEYS, {first}, ",
        f"for at = {first}, #KEYS, {size} do",
        f"KEYS[{first - size} + {size} * ",
    )
    assert any(walk in body(script) for walk in walks)


def answered_for(name: str, text: str) -> set[str]:
    """The words that a script's fragments answer for it, and theirs for them."""
    words = set()
    for fragment in read_script(name).includes:
        if f"{fragment}(" in text:
            source = read_script(f"include/{fragment}").source
            words |= set(re.findall(r'return \{"(\w+)"', source)) | answered_for(f"include/{fragment}", source)
    return words


@pytest.mark.parametrize("name", script_names())
def test_every_reply_word_is_documented_and_returned(name: str) -> None:
    script = read_script(name)
    text = body(script)
    firsts = re.findall(r"(?:return|local \w+ =|remember\([^{]*) ?\{([^,}]+)", text)
    for local, value in re.findall(r"local (word) = (.+)", text):
        firsts = [value if first == local else first for first in firsts]
    words = {word for first in firsts for word in re.findall(r'"(\w+)"', first)}
    words |= answered_for(name, text)
    assert words == set(script.replies)


@pytest.mark.parametrize("name", [*script_names(), *(f"include/{name}" for name in ALL_FRAGMENTS)])
def test_includes_are_exactly_those_used(name: str) -> None:
    """Directly: what a fragment brings along for itself is its own business."""
    script = read_script(name)
    mentioned = mentioned_in(body(script)) - defined_by(script)
    wanted = {fragment for fragment, source in ALL_FRAGMENTS.items() if defined_by(source) & mentioned}
    assert wanted - {name.removeprefix("include/")} == set(script.includes)


def test_no_fragment_lies_about_unused() -> None:
    assert set(ALL_FRAGMENTS) == {name.removeprefix("include/") for name in fragment_files()}


def fragment_files() -> list[str]:
    from importlib.resources import files

    folder = files("lua").joinpath("include")
    return [f"include/{entry.name[:-4]}" for entry in folder.iterdir() if entry.name.endswith(".lua")]


@pytest.mark.parametrize("name", [*script_names(), *fragment_files()])
def test_every_local_is_used(name: str) -> None:
    text = body(read_script(name))
    exported = defined_by(read_script(name)) if name.startswith("include/") else set()
    for names in re.findall(r"local ([\w, ]+?)(?: =|$)", text, re.MULTILINE):
        for local in set(names.removeprefix("function ").split(", ")) - {"_"} - exported:
            assert len(re.findall(rf"\b{local}\b", text)) > 1, local


@pytest.mark.parametrize("name", script_names())
def test_no_key_is_built_inside_a_script(name: str) -> None:
    """Every key of a call is one of KEYS, so that Redis can check it, and a cluster route it."""
    text = body(read_script(name)) + "".join(map(body, with_includes(read_script(name).includes).values()))
    firsts = set(re.findall(r'redis\.call\("\w+", ([^,)]+)', text))
    built = {first for first in firsts if ".." in first or first.startswith('"')}
    assert built == set()


@pytest.mark.parametrize("name", script_names())
def test_what_is_read_only_writes_nothing(name: str) -> None:
    script = read_script(name)
    sources = [script, *with_includes(script.includes).values()]
    called = {command for each in sources for command in re.findall(r'redis\.call\("(\w+)"', body(each))}
    assert (called <= READING) is script.is_read_only, called - READING


def test_the_version_changes_with_the_source() -> None:
    library = assemble()
    assert re.fullmatch(r"parvis_[0-9a-f]{12}", library.name)
    version = library.name.removeprefix("parvis_")
    assert all(function.endswith(version) for function in library.functions.values())
    assert library.source.startswith(f"#!lua name={library.name}\n")


def test_the_commands_of_a_source_are_found() -> None:
    assert commands('x(redis.call("HGET", a)) redis.call("ZADD", b)') == {"hget", "zadd"}


def test_cannot_read_a_script_that_is_not_there() -> None:
    with pytest.raises((BrokenScript, FileNotFoundError)):
        read_script("seats/steal")
