"""What is whose in an on-sale's one hash in Redis, and among its live passes. Beside `lua/include/of_line.lua`."""

from typing import Final

from engine.catalogue import PUBLIC_LINE

PERSON: Final = "p"
"""What a person's pseudonym begins with, where each has one place; no other pseudonym does."""


def of_line(name: str, line: str) -> str:
    """A line's own field among those of its on-sale."""
    return name if line == PUBLIC_LINE else f"{name}:{line}"


def member_of(line: str, index: int, owner: str) -> str:
    """A visitor among the on-sale's live passes; a person is there once, with whichever of their places."""
    if owner.startswith(PERSON):
        return owner
    return str(index) if line == PUBLIC_LINE else f"{line}/{index}"
