"""Setting seats and standing places aside, and giving them back. The ledger first, then Redis; see `engine.house`.

What is left of an allotment is everybody's from its release on, by Redis's clock: nobody has to do anything for it.
"""

from collections.abc import Mapping
from typing import Final

import msgspec
import structlog

from engine.aside import allot, flat_counts, flat_places, open_again, read_rows, seats_taken
from engine.catalogue import PURPOSES, Allotment
from engine.cell import Cell
from engine.errors import BadInput, Refused
from engine.halls.layout import Layout
from engine.halls.written import written_seats
from engine.house import Change, check_id, find_hall, publish, published_form
from engine.instants import now_ms
from engine.ledger.allotments import (
    KIND,
    decide_allotment,
    pending_allotments,
    read_allotments,
    settling,
    sold_of_shares,
)
from engine.ledger.ledger import Ledger
from engine.one_plan import of_one_plan
from engine.words import BLOCKED, OPEN, AreaId, PerformanceId, SeatId

BLOCK: Final = "block"
LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
CHANNELS: Final = ("counter", "api")
log = structlog.get_logger()
KEPT_MS: Final = 86_400_000
"""For so long after its end a letter belongs to what it stood for: its last holds may still come back.

A name does so for ever: what was sold of an allotment is told by it."""


class Wanted(msgspec.Struct, frozen=True, rename={"for_": "for"}):
    """What is to be set aside. `seat_list`: instead of `seats`, as a person writes them, see `engine.halls.written`;
    `quantity`: so many of the best open seats instead, of a category or any.
    """

    performance: PerformanceId
    name: str
    purpose: str
    for_: str = ""
    seats: tuple[SeatId, ...] = ()
    areas: dict[AreaId, int] = {}
    quantity: int = 0
    category: str = ""
    release_at_ms: int = 0
    seat_list: str = ""


class Standing(msgspec.Struct, frozen=True):
    """An allotment as it stands: the seats that are left of it, and places left and sold of each area."""

    allotment: Allotment
    seats: tuple[SeatId, ...]
    areas: dict[AreaId, int]


def _check(cell: Cell, wanted: Wanted) -> None:
    """Raises `BadInput` and `Refused` for what nobody can mean."""
    check_id("name", wanted.name)
    performance, layout = cell.performance(wanted.performance), cell.catalogue.layout(wanted.performance)
    if wanted.purpose not in PURPOSES:
        raise BadInput(f"purpose is one of {', '.join(PURPOSES)}")
    _check_for(cell, wanted)
    if sum((bool(wanted.seats), bool(wanted.quantity))) + bool(wanted.areas) == 0:
        raise BadInput("name seats, or a quantity of them, or places of areas")
    if wanted.seats and wanted.quantity:
        raise BadInput("either seats or a quantity of them")
    if len(set(wanted.seats)) < len(wanted.seats):
        raise BadInput("a seat is named twice")
    if wanted.category and (not wanted.quantity or wanted.category not in layout.categories):
        raise Refused("unknown-category", "there is no such category here", categories=list(layout.categories))
    if not 0 <= wanted.quantity <= len(layout.seat_ids):
        raise BadInput(f"quantity lies between 0 and {len(layout.seat_ids)}")
    _check_places(wanted, layout)
    if wanted.release_at_ms and not now_ms() < wanted.release_at_ms:
        raise BadInput("release_at lies in the past")
    if wanted.release_at_ms > performance.starts_at_ms:
        raise BadInput("release_at lies after the performance has begun")


def _check_for(cell: Cell, wanted: Wanted) -> None:
    key = cell.catalogue.api_keys.get(wanted.for_)  # type: ignore[call-overload]
    match wanted.purpose:
        case "partner" if key is None or key.is_revoked or "allotment" not in key.scopes:
            raise BadInput("for is the id of a key with the scope allotment, where the purpose is partner")
        case "channel" if wanted.for_ not in CHANNELS:
            raise BadInput(f"for is one of {', '.join(CHANNELS)}, where the purpose is channel")
        case "code" if wanted.for_ not in cell.catalogue.code_batches:
            raise BadInput("for is a batch of codes, where the purpose is code")
        case "block" | "house" if wanted.for_:
            raise BadInput("for is for a partner, a channel or a code")


def _check_places(wanted: Wanted, layout: Layout) -> None:
    for seat in wanted.seats:
        try:
            layout.locate(seat)
        except KeyError:
            raise Refused("unknown-seat", f"there is no seat {seat!r} in this hall", seat=seat) from None
        missing = [each for each in layout.unit_of(seat) if each not in wanted.seats]
        if missing and wanted.purpose != BLOCK:
            raise Refused("whole-unit", "this seat is sold with others, or not at all", seat=seat, missing=missing)
    capacities = {area.id: area.capacity for area in layout.areas}
    for area, count in wanted.areas.items():
        if area not in capacities:
            raise Refused("unknown-area", "there is no such standing area here", area=area)
        if not 1 <= count <= capacities[area]:
            raise BadInput(f"{area} has between 1 and {capacities[area]} places")


async def set_aside(cell: Cell, ledger: Ledger, wanted: Wanted, change: Change) -> Allotment:
    """Sets seats and places aside, all of them or nothing; the same again answers what was made before.

    Raises `BadInput`, `Refused` (`seats-taken`, `sold-out`, `already-exists`, `too-many-allotments`).
    """
    if wanted.seat_list:
        if wanted.seats:
            raise BadInput("either seats or a list of them")
        hall = find_hall(cell, cell.performance(wanted.performance).hall)
        seats = written_seats(hall.hall.plan, wanted.seat_list, hall.layout.has)  # type: ignore[arg-type]
        wanted = msgspec.structs.replace(wanted, seats=seats, seat_list="")
    _check(cell, wanted)
    known = await read_allotments(ledger, wanted.performance)
    if wanted.quantity and not any(each.name == wanted.name for each in known):
        wanted = msgspec.structs.replace(wanted, seats=await _choose(cell, wanted))

    def decide(known: Mapping[str, Allotment]) -> Allotment:
        return _decide(known, wanted, change)

    made = await decide_allotment(
        ledger,
        wanted.performance,
        decide,
        who=change.who,
        what="block seats" if wanted.purpose == BLOCK else "create allotment",
        why=change.why,
    )
    return await _carry_out(cell, ledger, made, change)


async def _carry_out(cell: Cell, ledger: Ledger, made: Allotment, change: Change) -> Allotment:
    """Has Redis know what the ledger says; harmless to repeat. Until that is done it is pending, see `carry_out_all`.

    Nobody else decides about the performance meanwhile. What cannot be set aside is withdrawn. Answers it as it is.
    Raises `Refused`.
    """
    async with settling(ledger, made) as settled:
        found, refusal = settled.found, None
        if found is None:
            raise Refused("unknown-allotment", "it could not be set aside a moment ago, and was withdrawn")
        if not found.is_pending:
            return found
        is_known = True  # else it waits until its performance is laid out
        try:
            if found.ended_at_ms:
                await open_again(cell, found)
            else:
                is_known = await allot(cell, found)
            await publish(cell, {f"{KIND}:{found.id}": published_form(found)})
        except Refused as refused:
            refusal = refused
            await settled.withdraw(change.who, change.why)
        else:
            found = await settled.settle() if is_known else found
    if refusal is not None:
        raise refusal
    await cell.look()
    return found


async def carry_out_all(cell: Cell, ledger: Ledger) -> None:
    """Carries out what somebody began and did not end: a process that died between the ledger and Redis, or whose
    Redis was away or closed just then. Raises `CellUnavailable`'s kind, `LedgerUnavailable`.
    """
    for made in await pending_allotments(ledger):
        if made.performance not in cell.catalogue.performances or not _is_on_sale(cell, made.performance):
            continue
        try:
            await _carry_out(cell, ledger, made, Change(who="parvis", why=made.why))
        except Refused as refused:
            log.warning("an allotment is withdrawn", allotment=made.id, why=str(refused))


def _is_on_sale(cell: Cell, performance: PerformanceId) -> bool:
    return any(performance in on_sale.performances for on_sale in cell.catalogue.on_sales.values())


def _decide(known: Mapping[str, Allotment], wanted: Wanted, change: Change) -> Allotment:
    """The allotment as it is from now on. Raises `Refused`."""
    now = now_ms()
    kept = [each for each in known.values() if each.is_live(now) or _is_kept(each, now)]
    # What is blocked for good needs no letter of its own: one for all that is so.
    letter = BLOCKED
    if wanted.purpose != BLOCK or wanted.areas or wanted.release_at_ms:
        letter = next((each for each in LETTERS if all(each != other.letter for other in kept)), "")
    made = Allotment(
        performance=wanted.performance,
        name=wanted.name,
        letter=letter,
        purpose=wanted.purpose,
        for_=wanted.for_,
        why=change.why,
        who=change.who,
        seats=wanted.seats,
        areas=wanted.areas,
        release_at_ms=wanted.release_at_ms,
        made_at_ms=now,
        is_pending=True,
    )
    before = known.get(made.id)
    if before is not None:
        same = msgspec.structs.replace(
            made,
            letter=before.letter,
            who=before.who,
            why=before.why,
            made_at_ms=before.made_at_ms,
            is_pending=before.is_pending,
        )
        if wanted.quantity and len(before.seats) == wanted.quantity:
            same = msgspec.structs.replace(same, seats=before.seats)
        if same == before:
            return before
        raise Refused("already-exists", "there is, or was, another of this name", allotment=wanted.name)
    if not letter:
        raise Refused("too-many-allotments", f"a performance has at most {len(LETTERS)} allotments at a time")
    # What Redis cannot tell apart, or does not know yet.
    others = [each for each in kept if each.is_pending or (each.is_live(now) and each.purpose == BLOCK)]
    aside = {seat for each in others for seat in each.seats}
    taken = [seat for seat in wanted.seats if seat in aside]
    if taken:
        raise seats_taken(wanted.performance, taken)
    return made


def _is_kept(allotment: Allotment, now: int) -> bool:
    """Whether its letter still belongs to it; by then Redis knows that it has ended, too."""
    return allotment.is_pending or (allotment.ended_at_ms or allotment.release_at_ms) > now - KEPT_MS


@of_one_plan
async def _choose(cell: Cell, wanted: Wanted) -> tuple[SeatId, ...]:
    """The best open seats, row by row. Raises `Refused` (`sold-out`)."""
    layout, rows = cell.catalogue.layout(wanted.performance), await read_rows(cell, wanted.performance)
    letter = layout.class_of(wanted.category) if wanted.category else ""
    chosen = [
        layout.seat_at(number, offset)
        for number, (block, row) in enumerate(zip(layout.blocks, rows, strict=True))
        for offset, (state, class_) in enumerate(zip(row, block.classes, strict=True))
        if state == OPEN and (class_ == letter if letter else class_.isupper())
    ]
    if len(chosen) < wanted.quantity:
        raise Refused("sold-out", "so many are not open", performance=wanted.performance, largest_party=len(chosen))
    return tuple(chosen[: wanted.quantity])


async def give_back(cell: Cell, ledger: Ledger, performance: PerformanceId, name: str, change: Change) -> Allotment:
    """Ends an allotment: what is left of it is everybody's. Harmless to repeat.

    Raises `Refused` (`unknown-allotment`).
    """
    cell.performance(performance)

    def ended(known: Mapping[str, Allotment]) -> Allotment:
        found = known.get(f"{performance}.{name}")
        if found is None:
            raise Refused("unknown-allotment", "there is no such allotment here")
        if found.ended_at_ms:
            return found
        return msgspec.structs.replace(found, ended_at_ms=now_ms(), is_pending=True)

    what = "end allotment"
    made = await decide_allotment(ledger, performance, ended, who=change.who, what=what, why=change.why)
    return await _carry_out(cell, ledger, made, change)


@of_one_plan
async def standings(cell: Cell, ledger: Ledger, performance: PerformanceId, key_id: str = "") -> list[Standing]:
    """All that is set aside of a performance, as it stands; with a `key_id` only what is that partner's."""
    cell.performance(performance)
    known = [each for each in await read_allotments(ledger, performance) if each.is_live(now_ms())]
    known = [each for each in known if not key_id or (each.purpose, each.for_) == ("partner", key_id)]
    layout = cell.catalogue.layout(performance)
    try:
        rows = await read_rows(cell, performance)
    except Refused:
        return [Standing(each, each.seats, each.areas) for each in known]
    sold = await sold_of_shares(ledger, performance)
    found = []
    for each in known:
        places = [(seat, *layout.locate(seat)) for seat in each.seats if layout.has(seat)]
        left = tuple(seat for seat, block, offset in places if rows[block][offset] == each.letter)
        areas = {area: count - sold.get((each.name, area), 0) for area, count in each.areas.items()}
        found.append(Standing(each, left, areas))
    return found


async def aside_of(cell: Cell, ledger: Ledger, performance: PerformanceId) -> list[tuple[object, ...]]:
    """All that is set aside of a performance now, as `lua/seats/restore.lua` takes it."""
    layout, sold = cell.catalogue.layout(performance), await sold_of_shares(ledger, performance)
    return [
        (
            each.letter,
            each.name,
            each.release_at_ms,
            flat_places(layout, each.seats),
            flat_counts(layout, each.areas, {area: sold.get((each.name, area), 0) for area in each.areas}),
        )
        for each in await read_allotments(ledger, performance)
        if each.is_live(now_ms())
    ]
