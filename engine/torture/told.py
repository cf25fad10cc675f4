"""What the shoppers of a house were told: their own log, against which the house is held."""

from collections import Counter
from typing import Any

import msgspec


def slug_of(answer: Any) -> str:
    """The problem's slug, or nothing."""
    return str(answer["type"]).rpartition("/")[2] if isinstance(answer, dict) and "type" in answer else ""


class Bought(msgspec.Struct, frozen=True):
    """An order that a shopper was told of: what it bought, how it was paid, and the secret to read it again."""

    order: str
    secret: str
    items: tuple[Any, ...]
    reference: str


class Told(msgspec.Struct):
    """What the shoppers of a house were told.

    `answers`: how many of each step, status and problem; status 0 where nothing was heard. `paid`: references of
    late payments that the provider said were paid, and what it was answered. `broken`: promises.
    """

    confirmed: dict[str, Bought] = {}
    seats: dict[str, str] = {}
    answers: Counter[tuple[str, int, str]] = msgspec.field(default_factory=Counter)
    paid: dict[str, str] = {}
    payments: Counter[str] = msgspec.field(default_factory=Counter)
    repeats: int = 0
    visits: int = 0
    broken: list[str] = []

    @property
    def operations(self) -> int:
        """Requests, answered or not."""
        return self.answers.total()

    @property
    def turned_away(self) -> int:
        """How often the house could not answer: 503s and requests of which nothing was heard."""
        return sum(self.answers[each] for each in self.answers if each[1] == 0 or each[1] >= 500)

    @property
    def felt_next_door(self) -> list[str]:
        """What a neighbour should never be told, in words. Late payments need the Postgres that all share."""
        return [
            f"{step} was answered {status or 'not at all'} {slug}".strip() + f" ({count} times)"
            for (step, status, slug), count in self.answers.items()
            if (status == 0 or status >= 500) and (step, slug) != ("payment", "ledger-unavailable")
        ]

    def confirm(self, bought: Bought) -> None:
        """Writes an acknowledged order down; a seat that somebody else was sold is a broken promise."""
        self.confirmed[bought.order] = bought
        for item in bought.items:
            seat = item.get("seat")
            if seat and self.seats.setdefault(seat, bought.order) != bought.order:
                self.broken.append(f"seat {seat} was confirmed to {self.seats[seat]} and to {bought.order}")
