"""Commands given in this process, as a person gives them in a shell."""

from collections.abc import Callable
from pathlib import Path

import structlog

from engine.cli.main import run

HOUSE = "noord"
LATER = "2099-01-01T10:00:00+01:00"


def give(*words: str) -> int:
    """Gives a command. Answers its exit code; its words are where pytest captures them."""
    try:
        run(list(words))
    except SystemExit as ending:
        return int(ending.code or 0)
    finally:
        structlog.reset_defaults()  # what it logs to is closed after the test
    return 0


class Said:
    """What a command answered: its exit code, and its words."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def words(self) -> str:
        """All of it on one line, without the box that is drawn around what the command line itself finds wrong."""
        return " ".join((self.out + self.err).replace("│", " ").split())

    def __repr__(self) -> str:
        return f"exit {self.code}\n{self.out}\n{self.err}"


Parvis = Callable[..., Said]


def put_on_sale(at: list[str], plan_file: Path, name: str, *more: str) -> None:
    """Hall, performance and on-sale of one name, by the commands alone."""
    times = ("--prequeue-at", "2026-01-01T00:00:00Z", "--opens-at", LATER)
    for words in (
        ("plan", "import", str(plan_file), "--hall", name, "--name", "De zaal"),
        (
            *("performance", "create", name, "--hall", name, "--title", "Nachtvaart", "--starts-at", LATER),
            *("--price.Rang 1", "3200", "--price.Rang 2", "2400", "--fee", "150"),
        ),
        ("on-sale", "create", name, "--title", "Nachtvaart", "--performance", name, *times, *more),
    ):
        assert give(*words, *at) == 0, words
