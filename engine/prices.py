"""Prices are computed by us, from the performance, and frozen when seats are held: never taken from a visitor."""

from collections.abc import Sequence

import msgspec

from engine.catalogue import Performance
from engine.entries import Item
from engine.errors import Refused
from engine.words import AreaId, SeatId


class Piece(msgspec.Struct, frozen=True):
    """One seat or one standing place that is to be priced."""

    performance: Performance
    category: str
    seat: SeatId | None = None
    area: AreaId | None = None


def price(pieces: Sequence[Piece], price_types: Sequence[str]) -> tuple[Item, ...]:
    """The pieces with their price types (none: the standard ones), in order, with today's prices and fees.

    Raises `Refused` when the price types do not fit the pieces.
    """
    if price_types and len(price_types) != len(pieces):
        raise Refused("price-types", f"{len(price_types)} price types for {len(pieces)} seats", expected=len(pieces))
    items = []
    for number, piece in enumerate(pieces):
        prices = piece.performance.prices[piece.category]
        price_type = price_types[number] if price_types else next(iter(prices))
        if price_type not in prices:
            raise Refused("unknown-price-type", f"there is no price {price_type!r} here", price_types=list(prices))
        items.append(
            Item(
                performance=piece.performance.performance,
                category=piece.category,
                price_type=price_type,
                price=prices[price_type],
                fee=piece.performance.fee,
                seat=piece.seat,
                area=piece.area,
            )
        )
    return tuple(items)


def total(items: Sequence[Item]) -> int:
    """Prices and fees together, minor units."""
    return sum(item.price + item.fee for item in items)
