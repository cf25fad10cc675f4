"""What the commands say. What people wrote themselves is said as it stands, and lines are left to the terminal."""

from typing import Final

from rich.console import Console
from rich.markup import escape

console: Final = Console()


def say(text: str, *, mark: str = "", console: Console = console) -> None:
    """Prints a line; `mark` is ours and may have colours."""
    console.print((f"{mark} " if mark else "") + escape(text), highlight=False, soft_wrap=True)


def good(text: str) -> None:
    """Something is done, or right."""
    say(text, mark="[green]✓[/]")


def bad(text: str, *, console: Console = console) -> None:
    """Something is wrong."""
    say(text, mark="[bold red]✗[/]", console=console)


def so_many(count: int, what: str) -> str:
    """`1 order`, `2 orders`: what is counted in the plural with an s."""
    return f"{count} {what}{'' if count == 1 else 's'}"
