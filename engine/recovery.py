"""The keeper of a cell: opens its gate, and only after Redis has been compared with the ledger.

A Redis that restarted, was promoted or got a new library is closed by itself (`lua/include/gate.lua`). The keeper
sees that within a moment, loads the library, compares the ledger's cursor with the last id that the outbox has
ever generated and the cell's sequence with the last that is known (`engine/losses.py`), puts back what was lost, says
what that was, raises the epoch, and opens. While a cell is open it ends due holds that
no request comes past, and says so when a sale has sold out.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec
import structlog
from redis.exceptions import RedisError, ResponseError

from engine.catalogue import OnSale, decode_document
from engine.cell import Cell, broken
from engine.entries import Action
from engine.errors import CellUnavailable, LedgerUnavailable, ParvisError, Refused
from engine.gauges import TELL_SECONDS, Gauges
from engine.house import bring_up, publish, published_form
from engine.instants import now_ms
from engine.ledger.books import Sales, read_sales
from engine.ledger.ledger import Ledger
from engine.ledger.recoveries import CellStanding, last_standing, save_recovery
from engine.ledger.returns import returned_seats
from engine.library import install as install_library
from engine.losses import Loss, compare
from engine.on_sale import change
from engine.on_sale import restore as restore_line
from engine.seats import restore, sweep
from engine.settlement import Settlement
from engine.spinning import Spinning
from engine.standing import KEEP_SECONDS, Standings, restored
from engine.waiting_room import status
from engine.words import OnSaleId, PerformanceId

if TYPE_CHECKING:
    from redis.asyncio import Redis

LOOK_SECONDS: Final = 0.25
SWEEP_SECONDS: Final = 1.0
SWEPT_A_TICK: Final = 500
QUIET_MS: Final = 1_500
"""After a loss nothing new is held for so long: API processes first sell again what they know to be confirmed, and
they look twice a second."""
log = structlog.get_logger()


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


class Keeper:
    """Keeps one cell. `cell` must have the owner's rights, `owner` is the same Redis for what is no function."""

    def __init__(self, cell: Cell, owner: "Redis", ledger: Ledger, user: str, password: str) -> None:
        self.cell = cell
        self._owner = owner
        self._spinning = Spinning(owner, cell.house.slug)
        self._ledger = ledger
        self._user, self._password = user, password
        self._standings = Standings(cell, ledger)
        self._gauges = Gauges(cell, owner)
        self._seen_sequence = 0
        self._epochs_before = (0, 0)
        self._is_apart = False
        self.recoveries = 0
        self.last_error = ""

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`: recovers when the gate is closed, and sweeps and keeps what changes while it is open."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._guard(stop))
            tasks.create_task(self._tell_pressure(stop))
            tasks.create_task(self._remember(stop))
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
        """Keeps where the on-sales stand; apart, because Postgres may be away and the gate may not wait for it."""
        while not stop.is_set():
            # Whoever guards says that Redis is away, and the writer that Postgres is.
            with contextlib.suppress(CellUnavailable, LedgerUnavailable):
                if self.cell.is_open:
                    await self._standings.keep()
                    await self._compare_epochs()
            await _pause(stop, KEEP_SECONDS)

    async def _tell_pressure(self, stop: asyncio.Event) -> None:
        """Sheds what can wait while Redis runs short of something; apart, because Postgres may be what is away."""
        while not stop.is_set():
            with contextlib.suppress(CellUnavailable, RedisError, OSError):  # whoever guards says so
                if self.cell.is_open:
                    await self._gauges.tell()
            await _pause(stop, TELL_SECONDS)

    async def _look(self) -> None:
        try:
            await self.cell.look()
        except CellUnavailable:
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

    async def _load(self) -> None:
        await install_library(self._owner, self.cell.house.slug, self._user, self._password)

    async def recover(self) -> None:
        """Compares, restores, raises the epoch, opens. Raises when a server is away; the gate then stays closed."""
        cell, keys = self.cell, self.cell.keys
        await self._load()
        # First the epoch, in the ledger: a writer that has read from another Redis records nothing after it.
        epoch = await self._ledger.next_epoch(int(cell.epoch))
        reply = await cell.ask("cell/close", (keys.cell,), (epoch,))
        if reply[0] != b"closed":
            raise broken("cell/close", reply)
        cell.epoch = str(epoch)
        known, cursor = await last_standing(self._ledger), await self._ledger.settled_cursor()
        last_id, sequence = await self._progress(epoch)
        loss = compare(cursor, last_id, known, self._seen_sequence, sequence)
        orders = await self._restore(loss)
        if loss.kind == "from_the_past":
            # New entries must come after those that the ledger has recorded already. Last of all: until then
            # it shows, whoever begins again, that this Redis is from the past.
            await self._owner.execute_command("XADD", keys.outbox, cursor, "kind", "restored")
            await self._owner.execute_command("XDEL", keys.outbox, cursor)
        loss = await self._tell(loss, known, epoch, orders)
        reply = await cell.ask("cell/open", (keys.cell,), (epoch, QUIET_MS if loss.is_one else 0))
        match reply[0]:
            case b"open":
                cell.is_open = True
            case b"fenced":
                log.info("another keeper recovers", house=cell.house.slug)
                return
            case _:
                raise broken("cell/open", reply)
        self._is_apart = False
        self._seen_sequence = 0
        self.recoveries += 1
        log.info("gate open", house=cell.house.slug, epoch=epoch, found=str(loss))

    async def _tell(self, loss: Loss, known: CellStanding, epoch: int, orders: int) -> Loss:
        """Counts what is gone, and keeps that for whoever has to know. Answers the loss with its counts."""
        cell = self.cell
        dues = [cell.keys.performance(name)[2] for name in sorted(cell.catalogue.performances)]
        holds = sum([await self._owner.zcard(due) for due in dues])
        if loss.is_one:
            lost = {"orders": max(0, known.orders - orders), "holds": max(0, known.holds - holds)}
            loss = msgspec.structs.replace(loss, **lost)
            log.error("this Redis had lost something", house=cell.house.slug, what=str(loss))
        await cell.look()
        now = CellStanding(sequence=cell.sequence, orders=orders, holds=holds)
        await save_recovery(self._ledger, epoch, loss.detail(), now, is_loss=loss.is_one)
        return loss

    async def _progress(self, epoch: int) -> tuple[str, int]:
        """The last id that the outbox has generated, and the sequence, of the Redis whose gate was just closed.

        Raises `CellUnavailable` while another one answers.
        """
        async with self._owner.pipeline(transaction=True) as pipeline:
            pipeline.hmget(self.cell.keys.cell, ["epoch", "sequence"])
            pipeline.xinfo_stream(self.cell.keys.outbox)
            (stored, sequence), information = await pipeline.execute(raise_on_error=False)
        if stored != str(epoch).encode():
            # A primary of before that still has our connection: the next one is made to where the house is now.
            await self._owner.connection_pool.disconnect(inuse_connections=False)
            raise CellUnavailable("another Redis answers the ops side, or another keeper recovers")
        is_empty = isinstance(information, ResponseError)
        return "0-0" if is_empty else information["last-generated-id"].decode(), int(sequence or 0)

    async def _restore(self, loss: Loss) -> int:
        """Publishes the ledger's documents, and puts back what Redis may not know: sold seats, and where lines stood.

        Answers how many orders the on-sales have confirmed by what is known now.
        """
        cell, orders = self.cell, 0
        on_sales, recorded = await self._publish_documents(), await read_sales(self._ledger)
        for on_sale in on_sales:
            name = on_sale.on_sale
            # A Redis that only fell behind knows more than the ledger: what it has not handed over yet.
            own = await self._own(name)
            counted = Sales(orders=int(own.get("orders", 0)), money=int(own.get("takings", 0)))
            known = counted if own and loss.kind != "from_the_past" else recorded.get(name, Sales())
            orders += known.orders
            stood = await restored(self._ledger, name, known, own)
            fresh = await bring_up(cell, on_sale, stood, is_anew=loss.is_one)
            for performance in on_sale.performances if loss.kind == "from_the_past" else fresh:
                await self._restore_performance(performance)
            joined = await self._ledger.joined(name)
            if joined:
                await restore_line(cell, name, joined)
        return orders

    async def _own(self, on_sale: OnSaleId) -> dict[str, str]:
        """What this Redis itself says of an on-sale; nothing where it does not know it."""
        fields: Mapping[Any, Any] = await self._owner.hgetall(self.cell.keys.sale(on_sale))
        return {name.decode(): value.decode() for name, value in fields.items()}

    async def _publish_documents(self) -> list[OnSale]:
        """Publishes what Redis does not have of the ledger's documents. Answers the on-sales, with their seeds."""
        cell, on_sales = self.cell, []
        await cell.refresh()
        for found in await self._ledger.documents():
            name, published = f"{found.kind}:{found.id}", found.body.decode()
            if found.kind == "on_sale":
                on_sale = decode_document(name, found.body)
                on_sales.append(on_sale)
                published = published_form(on_sale)
            if not cell.catalogue.holds(name, published):
                await publish(cell, {name: published})
        await cell.refresh()
        return on_sales

    async def _restore_performance(self, performance: PerformanceId) -> None:
        sold = await self._ledger.sold(performance)
        places = await self._ledger.sold_areas(performance)
        returned = await returned_seats(self._ledger, performance)
        if sold or places or returned:
            layout = self.cell.catalogue.layout(performance)
            await restore(self.cell, performance, layout, sold, returned, places)

    async def _sweep(self) -> None:
        """Ends due holds, and marks as sold out the open on-sales of which nothing is left or may come back."""
        for on_sale in list(self.cell.catalogue.on_sales.values()):
            is_sold_out = True
            for performance in on_sale.performances:
                _, is_done = await sweep(self.cell, performance, SWEPT_A_TICK)
                is_sold_out = is_sold_out and is_done
            if is_sold_out and (await status(self.cell, on_sale.on_sale)).phase == "open":
                await self._sell_out(on_sale.on_sale)

    async def _sell_out(self, on_sale: OnSaleId) -> None:
        action = Action(who="parvis", what="sell_out", subject=on_sale, why="every seat is sold", at_ms=now_ms())
        try:
            await change(self.cell, action, f"{self.cell.epoch}-{now_ms()}")
        except Refused as refusal:
            log.info("not sold out after all", on_sale=on_sale, why=str(refusal))
