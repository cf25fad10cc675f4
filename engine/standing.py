"""Where each on-sale stands, kept in the house's ledger: a Redis that lost its data goes on from there.

While Redis lives, Redis alone decides. What is kept is about a second old, and good enough that a sale that was
paused stays paused, a draw stays the draw that was published, and nobody who was called waits a second time: what may
have happened in that second, `engine/leap.py` bounds.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import Final

import msgspec

from engine.catalogue import PUBLIC_LINE
from engine.cell import Cell, broken
from engine.counted import LastMinute, counted_in
from engine.draw import ALGORITHM
from engine.errors import Refused
from engine.leap import Lost, leapt, number_in, suffixes
from engine.ledger import standings
from engine.ledger.books import Sales
from engine.ledger.curves import keep_counted
from engine.ledger.ledger import Ledger
from engine.ledger.recoveries import CellStanding, keep_standing
from engine.ledger.standings import Kept
from engine.on_sale import standing
from engine.rests import Rests
from engine.waiting_room import drawn_status, serve
from engine.words import OnSaleId, PerformanceId

KEEP_SECONDS: Final = 1.0
STILL_SO_SECONDS: Final = 5.0
"""Where nothing changes, that is said so often: a line that rested does not leap over the time of its rest."""
SOON_SECONDS: Final = 0.02
"""So long after a start of sales it is kept with how many are in the draw."""
MEASURED_SECONDS: Final = 0.5
"""How fast a line is joined is measured over no less."""
KNOWN_BETTER: Final = frozenset({"seed", "commitment", "orders", "takings", "slowed_percent"})
"""By the on-sale's document, by the orders themselves, and by the keeper."""
BEFORE_THE_START: Final = frozenset({"scheduled", "prequeue"})
NEVER_BACK: Final = frozenset({"joined", "now_serving", "admitted", "entrants"})


async def read_fields(cell: Cell, on_sale: OnSaleId) -> dict[str, str]:
    """Every field of an on-sale that an open cell knows, its line's clock turned; nothing of one that is not up yet.

    Raises `GateClosed`, `CellUnavailable`'s kind.
    """
    try:
        await serve(cell, on_sale)
        fields = await standing(cell, on_sale)
        if _is_undrawn(fields):
            # Before it is shown to many it is kept: after a loss it could be another.
            await drawn_status(cell, on_sale)
            fields = await standing(cell, on_sale)
    except Refused:  # put up a moment from now
        return {}
    else:
        return fields


async def cell_standing(cell: Cell) -> tuple[int, int, set[PerformanceId]]:
    """The cell's sequence, how many holds live, those of nobody included, and in which performances.

    Raises `GateClosed`, `CellUnavailable`'s kind.
    """
    performances = list(cell.catalogue.performances)
    due = [cell.hall_keys(name)[2] for name in performances]
    reply = await cell.call("cell/standing", (cell.keys.cell, *due))
    if reply[0] != b"standing":
        raise broken("cell/standing", reply)
    return reply[1], reply[2], {performances[number - 1] for number in reply[3]}


def _is_undrawn(fields: Mapping[str, str]) -> bool:
    """Whether a line of it has opened and not been drawn; what an older release put up is drawn without a word."""
    lines = suffixes(fields) if fields.get("draw") == ALGORITHM else []
    return any(number_in(fields, "mark_at_ms" + line) and not fields.get("drawn_seed" + line) for line in lines)


def _kept_of(fields: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in fields.items() if name.partition(":")[0] not in KNOWN_BETTER}


async def keep_one(cell: Cell, ledger: Ledger, on_sale: OnSaleId) -> None:
    """Keeps one on-sale at once, after what a manager did to it. Raises as `Standings.keep`."""
    epoch, read_at_s = int(cell.stored_epoch), time.monotonic()
    fields = _kept_of(await read_fields(cell, on_sale))
    if fields:
        kept = await standings.last_kept(ledger, on_sale)
        kept = msgspec.structs.replace(kept, fields=fields, age_s=time.monotonic() - read_at_s)
        await standings.keep(ledger, on_sale, kept, epoch)


class Standings:
    """Keeps what changes about a cell's on-sales."""

    def __init__(self, cell: Cell, ledger: Ledger) -> None:
        self._cell = cell
        self._ledger = ledger
        self._kept: dict[OnSaleId, dict[str, str]] = {}
        self._read_at_s: dict[OnSaleId, float] = {}
        self._answered_at_s = 0.0
        """When the cell answered last: what it did not live to do is leapt over by nobody."""
        self._measured: dict[OnSaleId, tuple[str, float, int]] = {}
        """At which epoch, when and how many had joined. A recovery leaps, and that is nobody's joining."""
        self._minutes: dict[OnSaleId, LastMinute] = {}
        self._orders: dict[OnSaleId, int] = {}
        self._rests = Rests(cell)
        self._still_so_at_s = 0.0
        self._cell_kept = CellStanding(0, 0, 0)
        self.holds = 0
        """How many live, those of nobody included, as they were counted last."""

    @property
    def kept(self) -> Mapping[OnSaleId, Mapping[str, str]]:
        """The fields of each on-sale as this process kept them last."""
        return self._kept

    async def keep(self) -> None:
        """Writes down what has changed since the last time. Raises `CellUnavailable`'s kind, `LedgerUnavailable`."""
        # The cell's sequence is read first and written last: what stands beside it is at least as new.
        # What was read before a recovery is kept by nobody after it.
        epoch = int(self._cell.stored_epoch)
        sequence, self.holds, _ = await cell_standing(self._cell)
        on_sales = [each.on_sale for each in self._rests.awake()]
        read_at_s = time.monotonic()
        all_fields = await asyncio.gather(*(read_fields(self._cell, on_sale) for on_sale in on_sales))
        self._answered_at_s = time.monotonic()
        resting = []
        for on_sale, found in zip(on_sales, all_fields, strict=True):
            fields = _kept_of(found)
            if fields and self._kept.get(on_sale) != fields:
                await self._keep(on_sale, found, read_at_s, epoch)
            elif fields:
                resting.append(on_sale)
                if not _is_undrawn(found):
                    self._rests.note(on_sale, fields["phase"])
            self._orders[on_sale] = int(found.get("orders", 0))
        if resting and read_at_s - self._still_so_at_s >= STILL_SO_SECONDS:
            age_s = time.monotonic() - read_at_s
            await standings.still_so(self._ledger, resting, age_s, epoch)
            self._still_so_at_s = read_at_s
        self._read_at_s |= dict.fromkeys(resting, read_at_s)
        orders = sum(self._orders.get(on_sale, 0) for on_sale in self._cell.catalogue.on_sales)
        now = CellStanding(sequence, orders, self.holds)
        if now != self._cell_kept:
            await keep_standing(self._ledger, now, epoch)
            self._cell_kept = now

    async def _keep(self, on_sale: OnSaleId, found: Mapping[str, str], read_at_s: float, epoch: int) -> None:
        fields = _kept_of(found)
        joins_a_second = self._joins_a_second(on_sale, fields, read_at_s)
        overshoot = self._minutes.setdefault(on_sale, LastMinute()).overshoot(fields, read_at_s)
        kept = Kept(fields, joins_a_second, overshoot, time.monotonic() - read_at_s)
        await standings.keep(self._ledger, on_sale, kept, epoch)
        await keep_counted(self._ledger, on_sale, counted_in(found), epoch)
        self._kept[on_sale] = fields
        self._read_at_s[on_sale] = read_at_s

    def _joins_a_second(self, on_sale: OnSaleId, fields: Mapping[str, str], read_at_s: float) -> float:
        """How fast its lines were joined since this was measured last; 0 where that is no time ago."""
        joined = sum(int(fields["joined" + suffix]) for suffix in suffixes(fields))
        epoch, then_s, before = self._measured.get(on_sale, ("", 0.0, 0))
        seconds = read_at_s - then_s
        is_known = epoch == self._cell.epoch
        if is_known and seconds < MEASURED_SECONDS:
            return 0.0
        self._measured[on_sale] = (self._cell.epoch, read_at_s, joined)
        return max(0.0, (joined - before) / seconds) if is_known else 0.0

    def age_s(self, on_sale: OnSaleId) -> float | None:
        """For how long a cell may have gone on since it was as it is kept, where this process kept it itself.

        A cell may outlive its last answer by the time until the next is asked for, and asking may take as long again.
        """
        read_at_s = self._read_at_s.get(on_sale)
        if read_at_s is None:
            return None
        return min(time.monotonic(), self._answered_at_s + 2 * KEEP_SECONDS) - read_at_s

    def pause_s(self, now_ms: int) -> float:
        """Until what changes by the clock has to be kept: who is in a draw is known to all from its start on."""
        instants = [
            each.opens_at_of(line) + later_ms
            for each in self._cell.catalogue.on_sales.values()
            for line in (PUBLIC_LINE, *(line.line for line in each.lines))
            for later_ms in (0, each.draw_after_ms)
        ]
        due = [(at_ms - now_ms) / 1000 + SOON_SECONDS for at_ms in instants if at_ms > now_ms]
        return min([KEEP_SECONDS, *due])


def restored(
    initial: Mapping[str, str], kept: Kept, own: Mapping[str, str], sold: Sales, lost: "Lost | None"
) -> dict[str, str | int | bytes]:
    """The fields with which an on-sale goes on after a loss: as they were kept, and with what it has `sold`.

    `initial`: as it starts. `own`: what this Redis says itself. That may be a moment newer than what was kept, or the
    only word there is; nobody's number is called a second time either way. `lost`: None where nothing was.
    """
    # What has opened does not close again, and who was in its draw stays so.
    is_older = kept.fields.get("phase") in BEFORE_THE_START and own.get("phase", "scheduled") not in BEFORE_THE_START
    fields = {**initial, **kept.fields, **own} if is_older else {**initial, **own, **kept.fields}
    for name in [name for name in fields if name.partition(":")[0] in NEVER_BACK]:
        fields[name] = str(max(int(each.get(name, 0)) for each in (own, kept.fields)))
    return {
        **{name: standings.as_field(value) for name, value in fields.items()},
        **(leapt(fields, lost) if lost else {}),
        "orders": sold.orders,
        "takings": sold.money,
    }
