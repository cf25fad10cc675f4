"""Prices are computed by us, from the performance, and frozen when seats are held: never taken from a visitor."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from engine.catalogue import Performance
from engine.entries import Item
from engine.errors import Refused
from engine.words import AreaId, SeatId

WHOLE: Final = 10_000
"""Basis points."""


class Piece(msgspec.Struct, frozen=True):
    """One seat or one standing place that is to be priced."""

    performance: Performance
    category: str
    seat: SeatId | None = None
    area: AreaId | None = None
    allotment: str = ""


def vat_within(amount: int, vat_rate: int) -> int:
    """What of an amount is VAT at a rate in basis points; half a minor unit is rounded up."""
    return (amount * vat_rate * 2 + WHOLE + vat_rate) // (2 * (WHOLE + vat_rate))


def share_of(amount: int, share: int) -> int:
    """A share in basis points of an amount; half a minor unit is rounded up."""
    return (amount * share + WHOLE // 2) // WHOLE


def with_shares(performance: Performance) -> Performance:
    """The performance with the amounts of those price types that are a share of the standard one."""
    shares = {name: kind.share for name, kind in performance.price_types.items() if kind.share is not None}
    prices = {}
    for category, amounts in performance.prices.items():
        standard = next(iter(amounts.values()), 0)
        worked_out = {name: share_of(standard, share) for name, share in shares.items() if name not in amounts}
        prices[category] = amounts | worked_out if amounts else amounts
    return msgspec.structs.replace(performance, prices=prices)


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


def price(pieces: Sequence[Piece], price_types: Sequence[str], codes: Sequence[str]) -> tuple[Item, ...]:
    """The pieces with their price types, in order, with today's prices, fees and VAT; the types were checked before.

    `codes`: the code that each of them uses up, or an empty text.
    """
    items = []
    for number, (piece, code) in enumerate(zip(pieces, codes, strict=True)):
        performance = piece.performance
        prices = performance.prices[piece.category]
        name = price_types[number] if price_types else next(iter(prices))
        kind = performance.type_of(name)
        fee = performance.fee_of(name)
        vat_rate = performance.vat_rate if kind.vat_rate is None else kind.vat_rate
        items.append(
            Item(
                performance=performance.performance,
                category=piece.category,
                price_type=name,
                price=prices[name],
                fee=fee,
                seat=piece.seat,
                area=piece.area,
                vat_rate=vat_rate,
                vat=vat_within(prices[name] + fee, vat_rate),
                code=code,
                allotment=piece.allotment,
            )
        )
    return tuple(items)


def total(items: Sequence[Item]) -> int:
    """Prices and fees together, minor units."""
    return sum(item.price + item.fee for item in items)


def vat_by_rate(items: Sequence[Item]) -> dict[int, int]:
    """How much VAT the items contain, by its rate in basis points, the lowest first; nothing where none is told."""
    sums: dict[int, int] = {}
    for item in items:
        if item.vat_rate:
            sums[item.vat_rate] = sums.get(item.vat_rate, 0) + item.vat
    return dict(sorted(sums.items()))
