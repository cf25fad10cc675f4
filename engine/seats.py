"""Seats: hold, release and extend. Beside `lua/seats/`."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, product
from typing import Final

import msgspec

from engine.catalogue import LONE_RULES, RULES, OnSale, Performance
from engine.cell import Cell, broken, digest, pack
from engine.conditions import NOTHING, Granted, Proofs, grant
from engine.entries import Item
from engine.errors import BadInput, ForgedToken, Refused
from engine.halls.blocks import WHEELCHAIR
from engine.halls.layout import Layout
from engine.instants import now_ms
from engine.instead import left_elsewhere, others_like
from engine.one_plan import of_one_plan
from engine.prices import check_price_types, price, total
from engine.shares import Owner, Takeable
from engine.signing import Hold
from engine.waiting_room import moved_elsewhere
from engine.wishes import (
    Choice,
    Wish,
    check_sizes,
    decode_record,
    explain,
    packed_wish,
    pieces,
    price_lists,
    with_seats,
)
from engine.words import HoldId, PerformanceId, SeatId

EXTENSION_MS: Final = 300_000
STAFF_LIMIT: Final = 1_000_000_000
MOST_EARLIER_PLANS: Final = 16
"""How many plans a repeat is looked for under."""


class Held(msgspec.Struct, frozen=True):
    """A hold as its owner gets it: the signed token, what it holds at which price, and until when."""

    token: str
    hold: Hold
    expires_at_ms: int
    choices: tuple[Choice, ...] = ()


@of_one_plan
async def hold(
    cell: Cell,
    owner: Owner,
    wishes: Sequence[Wish],
    price_types: Sequence[str],
    key: str,
    proofs: Proofs = NOTHING,
    *,
    former: Hold | None = None,
) -> Held:
    """Holds all that is wished for, or nothing. Raises `BadInput`, and `Refused` saying what is left instead.

    `former`: a hold of this owner's that is given up for it in the same step, and whose end is kept.
    """
    on_sale = cell.catalogue.on_sales.get(owner.on_sale)
    if not wishes or len(wishes) > cell.house.limits.items_a_hold:
        raise BadInput(f"a hold has between 1 and {cell.house.limits.items_a_hold} items")
    performances = tuple(dict.fromkeys(wish.performance for wish in wishes))
    for name in performances:
        cell.performance(name)
        if owner.place and (on_sale is None or name not in on_sale.performances):
            raise Refused("unknown-performance", "there is no such performance here")
    as_asked, wishes = wishes, [with_seats(wish, cell.catalogue.layout(wish.performance)) for wish in wishes]
    check_sizes(cell, wishes, on_sale if owner.place else None)
    asked_for = pack(as_asked)  # only now: it may have been more than can be packed
    if price_types:  # a refusal changes nothing: what cannot be priced is never held
        check_price_types(price_types, [lists for wish in wishes for lists in price_lists(cell, wish)])
    granted = await grant(cell, wishes, price_types, proofs, is_staff=not owner.place and not owner.is_partner)
    takeable = Takeable(cell.catalogue, performances, owner, granted.batches)
    packed = [
        packed_wish(
            wish,
            performances.index(wish.performance) + 1,
            cell.catalogue.layout(wish.performance),
            cell.performance(wish.performance),
            takeable.letter(wish.performance, wish.allotment),
        )
        for wish in wishes
    ]
    names = list(dict.fromkeys([*performances, *(former.performances if former else ())]))
    halls = [part for name in names for part in cell.hall_keys(name)]
    given_up = [former.hold, *(names.index(name) + 1 for name in former.performances)] if former else []

    def fingerprint_with(halls: Sequence[str]) -> str:
        made = digest(asked_for, pack(halls), pack(price_types), *([pack(given_up)] if former else []))
        return made if proofs == NOTHING else cell.fingerprint(made, pack(proofs))

    hold_id = HoldId(digest("swap" if former else "hold", owner.owner, key))
    keys = cell.keys
    touched = (
        keys.cell,
        keys.operation(hold_id),
        keys.outbox,
        keys.sale(owner.on_sale),
        keys.live(owner.on_sale),
        *halls,
    )
    terms = pack(_terms(on_sale, granted, takeable, owner))
    asked: tuple[str | bytes | int, ...] = (
        hold_id,
        owner.owner,
        owner.claim,
        terms,
        pack(packed),
        *([pack(given_up)] if former else []),
    )
    try:
        if former:
            reply = await cell.call("seats/swap", touched, (fingerprint_with(halls), *asked))
        else:
            reply = await cell.call("seats/hold", touched, (fingerprint_with(halls), *asked))
    except Refused as refusal:
        script, earlier = "seats/swap" if former else "seats/hold", map(fingerprint_with, _earlier_halls(cell, names))
        if refusal.slug == "key-reused" and await _is_remembered(cell, script, touched, earlier, asked):
            raise Refused("plan-changed", "the plan has changed since this was held; what is held stays so") from None
        raise
    match reply[0]:
        case b"held":
            items = price(list(pieces(cell, wishes, performances, reply[3:-1])), price_types, granted.codes)
            held = Hold(
                hold=hold_id,
                on_sale=owner.on_sale,
                owner=owner.owner,
                place=owner.place,
                performances=performances,
                items=items,
                total=total(items),
                currency=cell.performance(performances[0]).currency,
                latest_ms=decode_record(reply[3]).latest_ms,
            )
            choices = tuple(explain(cell, wishes, items, reply[-1]))
            return Held(token=cell.signer.sign(held), hold=held, expires_at_ms=reply[1], choices=choices)
        case b"taken":
            raise await _seats_taken(cell, wishes, reply[1:], takeable)
        case b"whole":
            raise _in_part(cell, wishes[reply[1] - 1], reply[2])
        case b"none":
            wish = wishes[reply[1] - 1]
            raise Refused(
                "sold-out",
                "there are not that many together any more" if reply[2] else "nothing is left of what you chose",
                performance=wish.performance,
                largest_party=reply[2],
                elsewhere=await left_elsewhere(cell, wish, on_sale, takeable.share(wish.performance)),
            )
        case b"limit":
            raise Refused(
                "too-many-seats",
                "that would be more seats than one visitor may have",
                limit=on_sale.seats_a_place if on_sale else STAFF_LIMIT,
                yours=reply[2],
            )
        case b"alone":
            raise _left_alone(cell, performances[reply[1] - 1], *reply[2:])
        case b"cool_down":
            raise Refused(
                "cool-down",
                "you let seats go without paying; others come first for a moment",
                retry_after_s=max(1, -(-(reply[1] - now_ms()) // 1000)),
            )
        case b"code_used":
            raise Refused("code-used-up", "this code has been used as often as it may be", left=reply[2])
        case b"hold_ended":
            raise Refused("hold-ended", "this hold has ended")
        case b"being_paid":
            raise Refused("payment-under-way", "these seats are being paid; they cannot be exchanged now")
        case b"pass_ended":
            raise Refused("pass-ended", "your turn has ended")
        case b"moved":
            raise moved_elsewhere()
        case b"ended":
            raise Refused("sale-ended", "this sale has ended", phase=reply[1].decode())
        case b"unknown_performance":
            raise Refused("unknown-performance", "there is no such performance here")
    raise broken("seats/swap" if former else "seats/hold", reply)


async def _is_remembered(
    cell: Cell, script: str, keys: Sequence[str], fingerprints: Iterable[str], asked: Sequence[str | bytes | int]
) -> bool:
    """Whether a key that was used is remembered with one of the fingerprints: then nothing is done anew by asking."""
    for fingerprint in islice(fingerprints, MOST_EARLIER_PLANS):
        try:
            await cell.call(script, keys, (fingerprint, *asked))
        except Refused:
            continue
        return True
    return False


def _earlier_halls(cell: Cell, names: Sequence[PerformanceId]) -> Iterator[list[str]]:
    """The keys that performances had before plans of theirs changed, the latest first."""
    changes = [range(cell.performance(name).plan_change, -1, -1) for name in names]
    for before in islice(product(*changes), 1, None):
        keys = (cell.keys.performance(name, change) for name, change in zip(names, before, strict=True))
        yield [part for each in keys for part in each]


def _terms(on_sale: OnSale | None, granted: Granted, takeable: Takeable, owner: Owner) -> tuple[object, ...]:
    """The rules of a hold as `lua/seats/hold.lua` takes them; for the house's own staff there are none."""
    hold_seconds = (on_sale or RULES).hold_seconds
    longest_ms = max(hold_seconds, on_sale.longest_hold_seconds if on_sale else 0) * 1000
    if on_sale is None or not owner.place:
        return hold_seconds * 1000, STAFF_LIMIT, 0, 0, 0, 0, longest_ms, granted.counted, takeable.letters
    hold_ms = on_sale.stretched_ms(hold_seconds, is_longer=owner.is_longer)
    longest_ms = max(hold_ms, longest_ms)
    return (
        hold_ms,
        on_sale.seats_a_place,
        LONE_RULES.index(on_sale.lone_seats),
        on_sale.lone_seats_last,
        on_sale.unpaid_holds,
        on_sale.cool_down_seconds * 1000,
        longest_ms,
        granted.counted,
        takeable.letters,
    )


def _left_alone(
    cell: Cell, performance: PerformanceId, block: int, offset: int, other: int, beside: int, k: int
) -> Refused:
    """The refusal that names the seat which nobody could sit beside, and the nearest choice without it."""
    layout = cell.catalogue.layout(performance)
    return Refused(
        "seat-left-alone",
        "your choice leaves one seat alone that nobody will take",
        performance=performance,
        seat=layout.seat_at(block, offset),
        alternatives=[[layout.seat_at(other, beside + step) for step in range(k)]],
    )


def _in_part(cell: Cell, wish: Wish, block: int) -> Refused:
    """The refusal of a unit that was named in part, with what else belongs to it.

    A companion's place is not sold without the bay, until their unit is released.
    """
    layout = cell.catalogue.layout(wish.performance)
    seat = next(each for each in wish.seats if layout.locate(each)[0] == block)
    missing = [each for each in layout.unit_of(seat) if each not in wish.seats]
    return Refused("whole-unit", "this seat is sold with others, or not at all", seat=seat, missing=missing)


async def _seats_taken(cell: Cell, wishes: Sequence[Wish], flat: Sequence[int], takeable: Takeable) -> Refused:
    """The refusal that names what was taken, and other seats of the same quality where there are any."""
    taken = []
    for number, block, offset in zip(*[iter(flat)] * 3, strict=True):
        wish = wishes[number - 1]
        taken.append(cell.catalogue.layout(wish.performance).seat_at(block, offset))
    wish = wishes[flat[0] - 1]
    return Refused(
        "seats-taken",
        "somebody else was a moment sooner",
        performance=wish.performance,
        taken=taken,
        alternatives=await others_like(cell, wish, taken, takeable.share(wish.performance)),
    )


def read_hold(cell: Cell, token: str, owner: str) -> Hold:
    """A hold's token, if it is this owner's (anybody's for an empty owner). Raises `Refused` (`unknown-hold`).

    A forged hold, another house's and another visitor's are told apart for nobody.
    """
    try:
        held = cell.signer.read(Hold, token)
    except ForgedToken:
        held = None
    if held is None or (owner and held.owner != owner):
        raise Refused("unknown-hold", "there is no such hold here")
    return held


def _performance_keys(cell: Cell, held: Hold) -> tuple[str, ...]:
    return tuple(part for name in held.performances for part in cell.hall_keys(name))


@of_one_plan
async def release(cell: Cell, held: Hold) -> None:
    """Gives a hold's seats back. Raises `Refused` (`hold-ended`) when it has ended already."""
    operation = cell.keys.operation(digest("release", held.hold))
    reply = await cell.call(
        "seats/release",
        (cell.keys.cell, operation, cell.keys.outbox, *_performance_keys(cell, held)),
        (held.hold, held.hold, held.owner),
    )
    match reply[0]:
        case b"released":
            return
        case b"hold_ended" | b"unknown_performance":
            raise Refused("hold-ended", "this hold has ended")
    raise broken("seats/release", reply)


@of_one_plan
async def extend(cell: Cell, held: Hold, key: str) -> int:
    """Keeps a hold `EXTENSION_MS` longer, once. Answers its new end. Raises `Refused`."""
    operation = cell.keys.operation(digest("extend", held.owner, key))
    reply = await cell.call(
        "seats/extend",
        (cell.keys.cell, operation, cell.keys.outbox, *_performance_keys(cell, held)),
        (held.hold, held.hold, held.owner, EXTENSION_MS),
    )
    match reply[0]:
        case b"extended":
            return int(reply[1])
        case b"already_extended":
            raise Refused("already-extended", "this hold was extended before; once is all")
        case b"hold_ended" | b"unknown_performance":
            raise Refused("hold-ended", "this hold has ended")
    raise broken("seats/extend", reply)


@of_one_plan
async def leave(cell: Cell, held: Hold, said_ms: int, *, is_leaving: bool) -> int:
    """Takes note that a hold's owner has left the page, or is here again: who comes back in time has their former end.

    `said_ms`: when, by their own clock; the newest word counts. Answers its end by now. Raises `Refused`.
    """
    grace_ms = cell.house.limits.leave_grace_seconds * 1000 if is_leaving else 0
    halls = [part for name in held.performances for part in cell.hall_keys(name)[::2]]
    reply = await cell.call("seats/leave", (cell.keys.cell, *halls), (held.hold, held.owner, said_ms, grace_ms))
    match reply[0]:
        case b"held":
            return int(reply[1])
        case b"hold_ended" | b"unknown_performance":
            raise Refused("hold-ended", "this hold has ended")
    raise broken("seats/leave", reply)


def describe(item: Item) -> str:
    """An item in a person's words: its seat or area."""
    return item.seat or item.area or ""


def curve_of(performance: Performance, layout: Layout) -> tuple[list[int], list[int]]:
    """When so many per cent of which free places for wheelchairs become general seats, as the functions keep it."""
    units = [number for number, block in enumerate(layout.blocks) if block.unit == WHEELCHAIR]
    return [part for step in performance.access_release for part in (step.at_ms, step.percent) if units], units


INSTALLED_A_CALL: Final = 500
RESTORED_A_CALL: Final = 5_000


async def install(cell: Cell, performance: PerformanceId, layout: Layout, return_delay_ms: int) -> bool:
    """Lays out a performance, every seat open. Answers False where it is laid out already."""
    curve = curve_of(cell.performance(performance), layout)
    rows = layout.initial_rows()
    key, index, _ = cell.hall_keys(performance)
    areas = pack([area.capacity for area in layout.areas])
    for first in range(0, max(1, len(rows)), INSTALLED_A_CALL):
        blocks = layout.blocks[first : first + INSTALLED_A_CALL]
        chunk = [
            (f"{block.focus:g} {block.classes}", row, layout.neighbours(number))
            for number, (block, row) in enumerate(
                zip(blocks, rows[first : first + INSTALLED_A_CALL], strict=True), start=first
            )
        ]
        reply = await cell.call(
            "seats/install",
            (cell.keys.cell, key, index),
            (
                first,
                pack(chunk),
                len(layout.categories),
                return_delay_ms,
                areas,
                pack(curve) if curve[0] else b"",
                len(rows),
            ),
        )
        match reply[0]:
            case b"installed":
                continue
            case b"exists":
                return False
        raise broken("seats/install", reply)
    return True


async def restore(
    cell: Cell,
    performance: PerformanceId,
    layout: Layout,
    sold: Sequence[SeatId],
    returned: Sequence[SeatId],
    sold_places: dict[str, int],
    aside: Sequence[object] = (),
) -> None:
    """Marks as sold what the ledger knows as sold, and ends every hold: after a loss, while the gate is closed.

    `returned`: seats that the ledger knows as given back, and that Redis may still know as sold. `aside`: all that is
    set aside, as the function takes it.
    """
    flat, back = ([part for seat in seats for part in layout.locate(seat)] for seats in (sold, returned))
    areas = pack([sold_places.get(area.id, 0) for area in layout.areas])
    curve = pack(curve_of(cell.performance(performance), layout))
    for first in range(0, max(1, len(flat), len(back)), RESTORED_A_CALL):
        last = first + RESTORED_A_CALL
        reply = await cell.call(
            "seats/restore",
            (cell.keys.cell, *cell.hall_keys(performance)),
            (pack(flat[first:last]), pack(back[first:last]), areas, pack(aside), curve),
        )
        match reply[0]:
            case b"restored":
                continue
            case b"unknown_performance":
                raise Refused("unknown-performance", "there is no such performance here")
        raise broken("seats/restore", reply)


@of_one_plan
async def sweep(cell: Cell, performance: PerformanceId, limit: int) -> tuple[int, bool]:
    """Ends at most `limit` due holds. Answers how many, and whether nothing is left to sell or to come back."""
    reply = await cell.call("seats/sweep", (cell.keys.cell, cell.keys.outbox, *cell.hall_keys(performance)), (limit,))
    match reply[0]:
        case b"swept":
            return reply[1], reply[2] == 1
        case b"unknown_performance":
            return 0, False
    raise broken("seats/sweep", reply)
