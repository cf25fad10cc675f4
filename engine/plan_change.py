"""Another plan for a performance, while it is on sale: beside `lua/seats/replan.lua`.

Halls never change: a plan that has a row more, or a mixing desk less, is a hall of its own, and the performance moves
there with all that is sold, held and set aside. Redis does it in one step and publishes the performance; the ledger is
told through the outbox, so that its document changes at the same place in the stream as the seats do.
"""

from collections.abc import Sequence

import msgspec

from engine.catalogue import Performance, PriceType
from engine.cell import Cell, broken, digest, pack
from engine.entries import Action, encode_action
from engine.errors import Refused
from engine.halls.layout import Layout
from engine.house import Change, check_prices, find_hall, publish, published_form
from engine.instants import now_ms
from engine.ledger.ledger import Ledger
from engine.one_plan import of_one_plan
from engine.prices import with_shares
from engine.seats import curve_of
from engine.words import HallId, PerformanceId


class NewPlan(msgspec.Struct, frozen=True):
    """Which hall's plan a performance gets. `prices`, `price_types`: instead of its own, where categories change."""

    hall: HallId
    prices: dict[str, dict[str, int]] | None = None
    price_types: dict[str, PriceType] | None = None


@of_one_plan
async def replan(
    cell: Cell, ledger: Ledger, performance: PerformanceId, wanted: NewPlan, change: Change, key: str
) -> Performance:
    """Moves a performance to a hall's plan; seats are the same by their ids. Harmless to repeat. Answers it as it is.

    Raises `BadInput` for prices that do not fit, and `Refused`: `unknown-hall`, `seats-missing` (naming those that are
    held, sold or set aside and not in the new plan), `area-too-small`, `unknown-performance`.
    """
    before = cell.performance(performance)
    made = _made(cell, before, wanted)
    if made is None:
        return before
    name, document = f"performance:{performance}", published_form(made)
    action = Action(
        who=change.who,
        what="change plan",
        subject=performance,
        why=change.why,
        at_ms=now_ms(),
        detail={"hall": wanted.hall, "from": before.hall},
    )
    here, there = cell.catalogue.layout(performance), cell.catalogue.halls[made.hall].layout
    keys = cell.keys
    reply = await cell.call(
        "seats/replan",
        (
            *(keys.cell, keys.operation(digest("replan", performance, key)), keys.outbox, keys.catalogue),
            *cell.hall_keys(performance),
            *keys.performance(performance, made.plan_change),
        ),
        (
            digest(pack(wanted)),
            name,
            document,
            encode_action(action),
            pack([*_moves(here, there), curve_of(made, there)]),
        ),
    )
    match reply[0]:
        case b"replanned":
            pass
        case b"missing":
            flat = zip(reply[1::2], reply[2::2], strict=True)
            seats = [here.seat_at(block, offset) for block, offset in flat]
            raise Refused("seats-missing", "the new plan lacks seats that are held, sold or set aside", seats=seats)
        case b"full":
            areas = [here.areas[area].id for area in reply[1:]]
            raise Refused("area-too-small", "more places of a standing area are taken than it would have", areas=areas)
        case b"unknown_performance":  # it is not laid out yet: nothing has to move
            body = document.encode()
            await ledger.save("performance", performance, body, who=change.who, what=action.what, why=change.why)
            await publish(cell, {name: document})
        case _:
            raise broken("seats/replan", reply)
    await cell.whole.look()
    return cell.whole.performance(performance)


def _made(cell: Cell, before: Performance, wanted: NewPlan) -> Performance | None:
    """The performance with its new plan; None where it has that already. Raises `BadInput`, `Refused`."""
    hall = find_hall(cell, wanted.hall)
    changed = msgspec.structs.replace(
        before,
        hall=wanted.hall,
        prices=before.prices if wanted.prices is None else wanted.prices,
        price_types=before.price_types if wanted.price_types is None else wanted.price_types,
    )
    made = with_shares(changed)
    check_prices(made, hall.layout)
    if made == before:
        return None
    return msgspec.structs.replace(made, earlier_halls=(*before.earlier_halls, before.hall))


def _moves(here: Layout, there: Layout) -> Sequence[object]:
    """Where everything goes, as `lua/include/places.lua` takes it; behind it comes when its units are released."""
    numbers = {seat: number for number, seat in enumerate(there.block_by_block(), start=1)}
    areas = {area.id: (number, area.capacity) for number, area in enumerate(there.areas)}
    gone = (-1, 0)
    moved = [areas.get(area.id, gone) for area in here.areas]
    return (
        [(f"{block.focus:g} {block.classes}", there.neighbours(number)) for number, block in enumerate(there.blocks)],
        len(there.categories),
        [area.capacity for area in there.areas],
        [(to, capacity - area.capacity) for (to, capacity), area in zip(moved, here.areas, strict=True)],
        [numbers.get(seat, 0) for seat in here.block_by_block()],
    )
