"""The audit of codes: how often Redis counts each as used, against the holds and the orders that use it."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import msgspec

from engine.cell import Cell, broken
from engine.ledger.books import UsedCode
from engine.wishes import HoldRecord, decode_record
from engine.words import HoldId, PerformanceId

TRIES: Final = 3
"""To see all holds and all codes while nothing changes; each is a walk through both."""


class Codes(msgspec.Struct, frozen=True):
    """How often each code is used, by its id; `held`: by holds, and None where the house never stood still."""

    used: dict[str, int]
    held: dict[str, int] | None


async def read_holds(cell: Cell, performance: PerformanceId) -> tuple[dict[HoldId, HoldRecord], set[HoldId]]:
    """The holds of a performance by their ids, and those that have a time at which they end."""
    key, _, due = cell.hall_keys(performance)
    reply = await cell.read("seats/holds", (key, due))
    if reply[0] != b"holds":
        raise broken("seats/holds", reply)
    fields = zip(reply[1][::2], reply[1][1::2], strict=True)
    records = {HoldId(name[1:].decode()): decode_record(packed) for name, packed in fields if name[:1] == b"h"}
    return records, {HoldId(name.decode()) for name in reply[2][::2]}


async def _read_used(cell: Cell) -> dict[str, int]:
    found: dict[str, int] = {}
    cursor = b""
    while cursor != b"0":
        reply = await cell.read("cell/used", (cell.keys.cell,), (cursor or b"0",))
        if reply[0] != b"used":
            raise broken("cell/used", reply)
        cursor, counts = reply[2], msgspec.msgpack.decode(reply[3], type=list[str | int])
        found |= {str(name): int(count) for name, count in zip(counts[::2], counts[1::2], strict=True)}
    return found


async def read_codes(cell: Cell) -> Codes:
    """What Redis counts of codes. Raises `CellUnavailable`'s kind."""
    for _ in range(TRIES):
        await cell.look()
        sequence, held = cell.sequence, Counter[str]()
        for performance in cell.catalogue.performances:
            records, _ = await read_holds(cell, performance)
            for record in records.values():
                codes = zip(record.codes[::2], record.codes[1::2], strict=True)
                held.update({str(name): int(count) for name, count in codes} if record.owner else {})
        used = await _read_used(cell)
        await cell.look()
        if cell.sequence == sequence:
            return Codes(used, dict(held))
    return Codes(used, None)


def _by_code(sold: Sequence[UsedCode]) -> tuple[Counter[str], Counter[str]]:
    """How many live items each code has, and how many were given back."""
    live, returned = Counter[str](), Counter[str]()
    for each in sold:
        live[each.code] += each.count
        returned[each.code] += each.returned
    return live, returned


def compare_codes(cell: Cell, here: Codes, before: Sequence[UsedCode], after: Sequence[UsedCode]) -> list[str]:
    """Where a code is not used as often as it is counted, or more often than it may be, in words.

    While the house sells, holds come and go between the looks: then no code may count less than its orders.
    """
    (known, back), (known_later, back_later) = _by_code(before), _by_code(after)
    held = here.held or {}
    faults = []
    for code in sorted({*here.used, *held, *known, *known_later}):
        counted, back_between = here.used.get(code, 0), back_later[code] - back[code]
        least = known[code] - back_between + held.get(code, 0)
        most = known_later[code] + back_between + held.get(code, 0)
        if counted < least or (here.held is not None and counted > most):
            sold = known_later[code]
            faults.append(
                f"{_name(cell, code)}: counted {counted} times in Redis, held {held.get(code, 0)} times and sold "
                f"{sold} times in the ledger"
            )
    limits = {code: batch.uses for code, batch in cell.catalogue.batch_of_code.items()}
    for each in after:
        performance = cell.catalogue.performances.get(each.performance)
        at_most = performance.type_of(each.price_type).at_most if performance else 0
        if each.code not in limits and at_most:
            limits[each.code] = at_most
    for code, limit in sorted(limits.items()):
        if (counted := max(here.used.get(code, 0), known_later[code])) > limit:
            faults.append(f"{_name(cell, code)}: used {counted} times, and good for {limit}")
    return faults


def _name(cell: Cell, code: str) -> str:
    batch = cell.catalogue.batch_of_code.get(code)
    return f"code {code} of {batch.batch}" if batch else f"number {code}"
