"""When places for wheelchairs that nobody took become general seats: changed while they are on sale.

Beside `lua/seats/bend.lua`, which publishes the performance in the same step and tells the ledger through the outbox.
"""

from collections.abc import Sequence

import msgspec

from engine.catalogue import Performance, Release
from engine.cell import Cell, broken, digest, pack
from engine.entries import Action, encode_action
from engine.errors import BadInput
from engine.house import Change, check_release, publish, published_form
from engine.instants import now_ms, to_rfc3339
from engine.ledger.ledger import Ledger
from engine.one_plan import of_one_plan
from engine.seats import curve_of
from engine.words import PerformanceId


@of_one_plan
async def change_release(
    cell: Cell, ledger: Ledger, performance: PerformanceId, steps: Sequence[Release], change: Change, key: str
) -> Performance:
    """Has these steps instead of all that have not passed yet. Harmless to repeat. Answers the performance as it is.

    Those that have passed stay, named again or not. Raises `BadInput`, `Refused` (`unknown-performance`).
    """
    before = cell.performance(performance)
    made = _made(before, steps)
    if made == before:
        return before
    name, document = f"performance:{performance}", published_form(made)
    what = "change access release"
    action = Action(who=change.who, what=what, subject=performance, why=change.why, at_ms=now_ms())
    keys = cell.keys
    reply = await cell.call(
        "seats/bend",
        (
            *(keys.cell, keys.operation(digest("bend", performance, key)), keys.outbox, keys.catalogue),
            *cell.hall_keys(performance),
        ),
        (
            *(digest(pack(made.access_release)), name, document, encode_action(action)),
            pack(curve_of(made, cell.catalogue.layout(performance))),
        ),
    )
    match reply[0]:
        case b"bent":
            pass
        case b"unknown_performance":  # it is not laid out yet
            body = document.encode()
            await ledger.save("performance", performance, body, who=change.who, what=what, why=change.why)
            await publish(cell, {name: document})
        case _:
            raise broken("seats/bend", reply)
    await cell.whole.look()
    return cell.whole.performance(performance)


def _made(before: Performance, steps: Sequence[Release]) -> Performance:
    """The performance with other steps to come. Raises `BadInput`."""
    now = now_ms()
    passed = [step for step in before.access_release if step.at_ms <= now]
    coming = [step for step in steps if step not in passed]
    late = next((step for step in coming if step.at_ms <= now), None)
    if late is not None:
        raise BadInput(f"{to_rfc3339(late.at_ms)} has passed: only what is to come can be changed")
    check_release(coming)
    made = (*passed, *coming)
    if made == before.access_release:
        return before
    return msgspec.structs.replace(before, access_release=made, release_changes=before.release_changes + 1)
