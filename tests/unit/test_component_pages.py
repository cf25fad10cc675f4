"""The components' pages say all that their code has, and nothing that it has not."""

import re
from pathlib import Path

import pytest

from api.bundle import closure
from api.pages import CHUNKS, SOURCES, WIDGET

EXAMPLES = Path(__file__).parents[2] / "deploy" / "examples"
SCRIPTS = {
    # Comments say nothing that runs.
    name: re.sub(r"^\s*(?://|/?\*).*$", "", body.decode(), flags=re.MULTILINE)
    for name, body in SOURCES.items()
    if name.endswith(".js")
}
WAITING_ROOM, SEAT_MAP = "component", "seat-map"
ELEMENTS = {WAITING_ROOM: "parvis.js", SEAT_MAP: "seatmap.js"}
OUR_OWN = {"given"}
"""What only our own pages set."""
NOT_PROMISED = {WAITING_ROOM: set[str](), SEAT_MAP: {"--parvis-card"}}
"""What an element may take, and nobody should count on."""


def page(name: str, heading: str) -> set[str]:
    """What the first column of a page's table names, without its arguments."""
    text = (EXAMPLES / name / "README.md").read_text()
    section = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert section, f"{name} says nothing of {heading}"
    columns = re.findall(r"^\| (`.*?) \|", section[1], re.MULTILINE)
    return {word.partition("(")[0] for column in columns for word in re.findall(r"`([^`]+)`", column)}


def code(name: str) -> str:
    """Everything that an element runs, and nothing of the other."""
    first = closure(SCRIPTS, WIDGET)
    if name == SEAT_MAP:
        modules = [module for module in closure(SCRIPTS, ELEMENTS[name]) if module not in first]
    else:
        more = {module for chunk in CHUNKS if chunk != ELEMENTS[SEAT_MAP] for module in closure(SCRIPTS, chunk)}
        modules = [*first, *sorted(more - {*first})]
    return "\n".join(SCRIPTS[module] for module in modules)


def element(name: str) -> str:
    """The element's own class."""
    shape = r"^class Parvis\w+ extends HTMLElement \{\n(.*?)^\}"
    (body,) = re.findall(shape, SCRIPTS[ELEMENTS[name]], re.MULTILINE | re.DOTALL)
    return str(body)


@pytest.mark.parametrize("name", ELEMENTS)
def test_every_attribute_is_described(name: str) -> None:
    body = element(name)
    (observed,) = re.findall(r"observedAttributes = \[(.*?)\]", body)
    read = re.findall(r"(?:get|has)Attribute\('([\w-]+)'", body)
    assert page(name, "Attributes") == {*re.findall(r"'([\w-]+)'", observed), *read}


@pytest.mark.parametrize("name", ELEMENTS)
def test_every_property_is_described(name: str) -> None:
    body = element(name)
    public = re.findall(r"^  (?:get|set) (\w+)\(", body, re.MULTILINE) + re.findall(r"^  (\w+) = ", body, re.MULTILINE)
    assert page(name, "Properties") == {*public} - OUR_OWN


@pytest.mark.parametrize("name", ELEMENTS)
def test_every_event_is_described(name: str) -> None:
    fired = re.findall(r"this\.(?:fire|tell)\('([\w-]+)'", element(name))
    assert fired
    assert page(name, "Events") == {*fired}


def test_every_slot_is_described() -> None:
    text = code(WAITING_ROOM)
    named = re.findall(r"h\('slot', \{ name: '([\w-]+)'", text)
    (situations,) = re.findall(r"^const SLOTS = \{(.*?)^\};", text, re.MULTILINE | re.DOTALL)
    more = re.findall(r"'?([\w-]+)'?: \(\{", situations)
    assert len(more) > 2
    assert page(WAITING_ROOM, "Slots") == {*named, *more}
    assert "'slot'" not in code(SEAT_MAP)
    assert page(SEAT_MAP, "Slots") == set()


def test_every_part_is_described() -> None:
    classes = re.findall(r"class: '([\w -]+)'", code(WAITING_ROOM))
    assert page(WAITING_ROOM, "Parts") == {word for each in classes for word in each.split()}
    assert page(SEAT_MAP, "Parts") == {*re.findall(r"part: '([\w-]+)'", code(SEAT_MAP))}


@pytest.mark.parametrize("name", ELEMENTS)
def test_every_custom_property_is_described(name: str) -> None:
    (made,) = re.findall(r"^export function palette\(.*?^\}", SCRIPTS["theme.js"], re.MULTILINE | re.DOTALL)
    colours = {f"--parvis{each}" for each in re.findall(r"'-(-[\w-]+)':", made)}
    assert "--parvis-primary" in colours
    taken = colours | {*re.findall(r"--parvis-[\w-]+", code(name))}
    assert page(name, "Custom properties") == taken - NOT_PROMISED[name]


@pytest.mark.parametrize("method", sorted(page(SEAT_MAP, "Methods")))
def test_a_method_that_is_described_is_there(method: str) -> None:
    assert re.search(rf"^  (?:async )?{method}\(", element(SEAT_MAP), re.MULTILINE)
