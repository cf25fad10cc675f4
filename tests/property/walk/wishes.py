"""What somebody wishes for, at random, as `seats/hold` takes it."""

import random
from collections.abc import Sequence
from typing import Any

from engine.best import as_text
from tests.property.walk.hall import PARTNER, Hall

GONE = "Z"
"""A letter that no allotment has."""


def wishes(
    draw: random.Random, number: int, hall: Hall, owner: str, letters: str, own: Sequence[int] = ()
) -> list[list[Any]]:
    """One or two items. `letters`: what may be taken of allotments; `own`: seats that the owner has already."""
    shares, items = letters.strip("o-"), list[list[Any]]()
    share = draw.choice((*shares, *shares, *shares, GONE)) if shares or owner == PARTNER else ""
    kind = draw.choice(("seats", "seats", "best", "best", "best", "area"))
    if kind == "seats":
        items.append([number, "seats", *hall.flat(_named(draw, hall, share, own))])
    elif kind == "best":
        is_from = share and (owner == PARTNER or draw.random() < 0.7)
        items.append(_best(draw, number, hall, share if is_from else "", own))
    if kind == "area" or draw.random() < 0.15:
        area = draw.randrange(len(hall.plan.areas))
        is_from = share and (owner == PARTNER or draw.random() < 0.5)
        items.append([number, "area", f"{share}{area}" if is_from else area, draw.randint(1, 4)])
    return items


def _named(draw: random.Random, hall: Hall, share: str, own: Sequence[int]) -> list[int]:
    if hall.units and draw.random() < 0.35:
        return draw.choice(hall.units)
    rows = hall.texts()
    blocks = [at for at, row in enumerate(rows) if share and share in row]
    block = draw.choice(blocks) if blocks and draw.random() < 0.7 else draw.randrange(len(rows))
    row = rows[block]
    first = row.index(share) if block in blocks and draw.random() < 0.7 else draw.randrange(len(row))
    length = draw.choice((1, 2, 2, 3))
    seats = [seat.id for seat in hall.plan.blocks[block][first : first + length]]
    if draw.random() < 0.3:
        seats.append(draw.choice(draw.choice(hall.plan.blocks)).id)
    if own and draw.random() < 0.6:
        seats = [*own[draw.randrange(len(own)) :], *seats[: draw.randint(0, 2)]]
    return list(dict.fromkeys(seats))


def _best(draw: random.Random, number: int, hall: Hall, share: str, own: Sequence[int]) -> list[Any]:
    class_ = draw.choice(("", "", "A", "B", "AB", "b", "a"))
    k = draw.choice((1, 2, 2, 3, 4, 5, 6, 7, 9)) if not share else draw.choice((1, 1, 2, 2, 3, 4))
    wish: dict[str, Any] = {"from": share} if share else {}
    blocks = range(len(hall.classes))
    kind = draw.choice(("", "", "mask", "mask", "edge", "near", "split", "split", "unit", "unit"))
    if kind == "mask" or (kind == "split" and draw.random() < 0.5):
        wish["mask"] = mask_of(draw.sample(blocks, draw.randint(1, len(blocks))))
    if own and draw.random() < 0.5:
        kind, k = draw.choice(("", "split")), max(1, len(own) + draw.choice((-1, -1, 0, 1, 1, 2)))
        wish["mask"] = mask_of(sorted({hall.where[seat][0] for seat in own}))
    if kind == "edge":
        wish["edge"] = draw.randint(1, 3)
    if kind == "near":
        near = draw.sample(blocks, min(draw.randint(1, 3), len(blocks)))
        wish["near"] = [part for block in near for part in (block, draw.randint(1, 8))]
    if kind == "split":
        wish["split"] = draw.randint(1, 4)
    if kind == "unit":
        class_, k, wish = draw.choice("aab"), 2, {**wish, "unit": True}
        k = 1 if class_ == "b" else k
    return [number, "best", class_, k, wish] if wish else [number, "best", class_, k]


def mask_of(blocks: Sequence[int]) -> Any:
    return as_text(bytes([sum(128 >> block for block in blocks)]))


def is_allowed(wish: dict[str, Any], block: int) -> bool:
    return "mask" not in wish or bool(bytes(wish["mask"])[-1] & 128 >> block)
