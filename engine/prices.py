"""Prices are computed by us, from the performance, and frozen when seats are held: never taken from a visitor."""

from collections.abc import Mapping, Sequence

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


def check_price_types(price_types: Sequence[str], price_lists: Sequence[Sequence[Mapping[str, int]]]) -> None:
    """Raises `Refused` when the price types do not fit what is asked for.

    `price_lists`: for each seat, the prices of every category that it may turn out to have.
    """
    if len(price_types) != len(price_lists):
        expected = len(price_lists)
        raise Refused("price-types", f"{len(price_types)} price types for {expected} seats", expected=expected)
    for price_type, lists in zip(price_types, price_lists, strict=True):
        for prices in lists:
            if price_type not in prices:
                raise Refused("unknown-price-type", f"there is no price {price_type!r} here", price_types=list(prices))


def price(pieces: Sequence[Piece], price_types: Sequence[str]) -> tuple[Item, ...]:
    """The pieces with their price types, in order, with today's prices and fees; the types were checked before."""
    items = []
    for number, piece in enumerate(pieces):
        prices = piece.performance.prices[piece.category]
        price_type = price_types[number] if price_types else next(iter(prices))
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
