"""What is whose in an on-sale's one hash in Redis, and among its live passes. Beside `lua/include/of_line.lua`."""

from engine.catalogue import PUBLIC_LINE


def of_line(name: str, line: str) -> str:
    """A line's own field among those of its on-sale."""
    return name if line == PUBLIC_LINE else f"{name}:{line}"


def member_of(line: str, index: int) -> str:
    """A visitor among the on-sale's live passes."""
    return str(index) if line == PUBLIC_LINE else f"{line}/{index}"
