"""The keeper of a cell: has its gate opened by a recovery, and looks after the cell while it is open.

A Redis that restarted, was promoted or got a new library is closed by itself (`lua/include/gate.lua`). The keeper
sees that within a moment, loads the library, and recovers. While a cell is open it ends due holds that no request
comes past, says when a sale has sold out, keeps in the ledger how far the cell is, and tells how strained it is.
"""

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

import structlog
from redis.exceptions import RedisError

from engine.allotments import carry_out_all
from engine.catalogue import OnSale
from engine.cell import Cell
from engine.collecting import LOOK_SECONDS as COLLECT_SECONDS
from engine.collecting import Contributions
from engine.crowds import Crowds
from engine.entries import Action
from engine.errors import CellUnavailable, LedgerUnavailable, ParvisError, Refused
from engine.figures import Figures
from engine.gauges import TELL_SECONDS, Gauges
from engine.instants import now_ms
from engine.ledger.ledger import Ledger
from engine.library import install as install_library
from engine.on_sale import change
from engine.openings import Openings
from engine.pressure import Strain
from engine.recovery import Recovery
from engine.rests import Rests
from engine.seats import sweep
from engine.settlement import Settlement
from engine.spinning import Spinning
from engine.standing import KEEP_SECONDS, Standings, cell_standing
from engine.waiting_room import drawn_status
from engine.words import OnSaleId

if TYPE_CHECKING:
    from redis.asyncio import Redis

LOOK_SECONDS: Final = 0.25
SWEEP_SECONDS: Final = 1.0
SWEPT_A_TICK: Final = 500
log = structlog.get_logger()


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


class Keeper:
    """Keeps one cell. `cell` must have the owner's rights, `owner` is the same Redis for what is no function."""

    def __init__(
        self, cell: Cell, owner: "Redis", ledger: Ledger, user: str, password: str, figures: Figures | None = None
    ) -> None:
        self.cell = cell
        self._owner = owner
        self._spinning = Spinning(owner, cell.house.slug)
        self._ledger = ledger
        self._standings = Standings(cell, ledger)
        self._recovery = Recovery(cell, owner, ledger, self._standings)
        self._user, self._password = user, password
        self._openings = Openings(ledger)
        self._gauges = Gauges(cell, owner, figures)
        self._crowds = Crowds(cell)
        self._rests = Rests(cell)
        self._seen_sequence = 0
        self._epochs_before = (0, 0)
        self._is_apart = False
        self._has_loaded = False
        self.recoveries = 0
        self.last_error = ""

    @property
    def strains(self) -> "list[Strain]":
        """What its Redis is how short of."""
        return self._gauges.strains

    @property
    def holds(self) -> int:
        """How many live."""
        return self._standings.holds

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`: recovers when the gate is closed, and sweeps and keeps what changes while it is open."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._guard(stop))
            tasks.create_task(self._tell_pressure(stop))
            tasks.create_task(self._remember(stop))
            tasks.create_task(self._collect(stop))
            tasks.create_task(Settlement(self.cell, self._ledger).run(stop))

    async def _guard(self, stop: asyncio.Event) -> None:
        """Looks at the gate again and again; waits while a server is away."""
        next_sweep = 0.0
        clock = asyncio.get_running_loop().time
        while not stop.is_set():
            try:
                await self._look()
                if self.cell.is_open and clock() >= next_sweep:
                    next_sweep = clock() + SWEEP_SECONDS
                    await self._sweep()
                self.last_error = ""
            except (ParvisError, RedisError, OSError) as error:
                why = str(error) or type(error).__name__
                if why != self.last_error:
                    log.warning("cell waits", house=self.cell.house.slug, why=why)
                self.last_error = why
            await _pause(stop, LOOK_SECONDS)

    async def _remember(self, stop: asyncio.Event) -> None:
        """Keeps where the on-sales stand, and carries out what was left half done.

        Apart, because Postgres may be away and the gate may not wait for it.
        """
        while not stop.is_set():
            # Whoever guards says that Redis is away, and the writer that Postgres is.
            with contextlib.suppress(CellUnavailable, LedgerUnavailable):
                if self.cell.is_open:
                    await self._standings.keep()
                    await self._openings.tell(self._standings.kept)
                    await carry_out_all(self.cell, self._ledger)
                    await self._compare_epochs()
            await _pause(stop, min(KEEP_SECONDS, self._standings.pause_s(now_ms())))

    async def _collect(self, stop: asyncio.Event) -> None:
        """Collects what other houses contribute to draws; apart, because they may be slow to answer."""
        contributions = Contributions(self.cell, self._ledger)
        while not stop.is_set():
            if self.cell.is_open:
                await contributions.look()
            await _pause(stop, COLLECT_SECONDS)

    async def _tell_pressure(self, stop: asyncio.Event) -> None:
        """Sheds what can wait while Redis runs short of something; apart, because Postgres may be what is away."""
        while not stop.is_set():
            with contextlib.suppress(CellUnavailable, RedisError, OSError):  # whoever guards says so
                if self.cell.is_open:
                    await self._gauges.tell()
            await _pause(stop, TELL_SECONDS)

    async def _look(self) -> None:
        if not self._has_loaded:
            # Where the gate stayed open nothing else would give the house's user a password that was changed.
            await self._load()
            self._has_loaded = True
        try:
            await self.cell.look()
        except CellUnavailable:
            await self._let_go()
            await self._spinning.look()
            # A Redis that lost its functions, or never had them, answers so too.
            await self._load()
            await self.cell.look()
        if self.cell.is_open:
            self._seen_sequence = max(self._seen_sequence, self.cell.sequence)
        if not self.cell.is_open or self._is_apart:
            await self.recover()

    async def _compare_epochs(self) -> None:
        """Sees when an open cell and its ledger have had another epoch for more than a moment.

        A ledger restored from a backup has; without a new epoch for both, no writer would ever record again.
        """
        epochs = (await self._ledger.position()).epoch, int(self.cell.stored_epoch)
        self._is_apart = epochs[0] != epochs[1] and epochs == self._epochs_before
        self._epochs_before = epochs

    async def _let_go(self) -> None:
        """Ends the ops side's idle connections: they may lead to a primary of before, which answers late or wrongly."""
        await self._owner.connection_pool.disconnect(inuse_connections=False)

    async def _load(self) -> None:
        await install_library(self._owner, self.cell.house.slug, self._user, self._password)

    async def recover(self) -> None:
        """Opens the gate by way of a recovery. Raises when a server is away; the gate then stays closed."""
        await self._let_go()
        await self._load()
        if await self._recovery.run(self._seen_sequence):
            self._is_apart = False
            self._seen_sequence = 0
            self.recoveries += 1

    async def _sweep(self) -> None:
        """Ends due holds, counts what is open, and marks as sold out of what nothing is left or may come back."""
        awake = self._rests.awake()
        for on_sale in awake:
            with contextlib.suppress(Refused):  # put up a moment from now
                await self._look_at(on_sale)
        if len(awake) < len(self.cell.catalogue.on_sales):
            _, _, held = await cell_standing(self.cell)
            looked_at = {performance for on_sale in awake for performance in on_sale.performances}
            for performance in held - looked_at:
                await sweep(self.cell, performance, SWEPT_A_TICK)

    async def _look_at(self, on_sale: OnSale) -> None:
        now = await drawn_status(self.cell, on_sale.on_sale)
        is_sold_out = True
        for performance in on_sale.performances:
            _, is_done = await sweep(self.cell, performance, SWEPT_A_TICK)
            is_sold_out = is_sold_out and is_done
        if not is_sold_out:
            await self._crowds.tell(on_sale, now.phase, 1000 * asyncio.get_running_loop().time())
        elif now.phase == "open":
            await self._sell_out(on_sale.on_sale)
        if not any(line.draw.is_due(now.now_ms) for line in now.all_lines):
            self._rests.note(on_sale.on_sale, now.phase)

    async def _sell_out(self, on_sale: OnSaleId) -> None:
        action = Action(who="parvis", what="sell_out", subject=on_sale, why="every seat is sold", at_ms=now_ms())
        try:
            await change(self.cell, action, f"{self.cell.epoch}-{now_ms()}")
        except Refused as refusal:
            log.info("not sold out after all", on_sale=on_sale, why=str(refusal))
