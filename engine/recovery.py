"""Recovery: a cell's gate is opened only after its Redis has been compared with its ledger.

The epoch is raised, so that nothing of before can write any more. The ledger's cursor is compared with the last id
that the outbox has ever generated, and the cell's sequence with the last that is known (`engine/losses.py`). What was
lost is put back, and said as it is; from there on the history of every performance goes on. Then the gate opens.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import msgspec
import structlog
from redis.exceptions import ResponseError

from engine.allotments import aside_of
from engine.catalogue import PUBLIC_LINE, OnSale, Performance, decode_document
from engine.cell import Cell, broken
from engine.checkpoints import restore_trees
from engine.claims import bits_of, either
from engine.codes import recount
from engine.errors import CellUnavailable
from engine.house import bring_up, publish, published_form
from engine.leap import Lost, line_of, suffixes
from engine.ledger.books import Sales, read_sales
from engine.ledger.ledger import Ledger
from engine.ledger.persons import read_persons
from engine.ledger.recoveries import CellStanding, last_standing, save_recovery
from engine.ledger.retention import forgotten_before_ms
from engine.ledger.returns import returned_seats
from engine.ledger.standings import Kept, as_text, entrants_by_line, last_kept
from engine.ledger.uses import bought_by_mark, had_by_owner, used_codes
from engine.losses import Loss, compare
from engine.on_sale import fields
from engine.on_sale import restore as restore_line
from engine.paid import restore_payments
from engine.seats import restore
from engine.standing import KEEP_SECONDS, Standings, restored
from engine.states import restate
from engine.windows import Later, ends_of, seed_after
from engine.words import OnSaleId, PerformanceId

if TYPE_CHECKING:
    from redis.asyncio import Redis

PERSONS_AT_ONCE: Final = 10_000
QUIET_MS: Final = 1_500
"""After a loss nothing new is held for so long: API processes first sell again what they know to be confirmed, and
they look twice a second."""
LOST: Final = "lost_at_epoch"
"""Of the cell: at which epoch a loss was found, until a gate is opened after it."""
log = structlog.get_logger()


class Recovery:
    """Recovers one cell. `cell` must have the owner's rights, `owner` is the same Redis for what is no function."""

    def __init__(self, cell: Cell, owner: "Redis", ledger: Ledger, standings: Standings) -> None:
        """`standings`: of the same process, which knows best how old what it kept is."""
        self._cell = cell
        self._owner = owner
        self._ledger = ledger
        self._standings = standings

    async def run(self, seen_sequence: int) -> bool:
        """Raises the epoch, compares, restores, tells, opens. Answers whether it did, or somebody else was sooner.

        `seen_sequence`: the highest that the caller saw in the open cell. Raises when a server is away; the gate then
        stays closed, and whoever begins again begins from the start.
        """
        cell, keys = self._cell, self._cell.keys
        began_s = time.monotonic()
        # First the epoch, in the ledger: a writer that has read from another Redis records nothing after it.
        epoch = await self._ledger.next_epoch(int(cell.stored_epoch))
        reply = await cell.ask("cell/close", (keys.cell,), (epoch,))
        if reply[0] != b"closed":
            raise broken("cell/close", reply)
        cell.epoch = str(epoch)
        known, cursor = await last_standing(self._ledger), await self._ledger.settled_cursor()
        last_id, sequence = await self._progress(epoch)
        loss = compare(cursor, last_id, known, seen_sequence, sequence)
        # Whoever begins again once all is put back and told finds no loss, and opens after one all the same.
        is_after_loss = loss.is_one or await self._owner.hexists(keys.cell, LOST)
        if loss.is_one:
            await self._owner.hset(keys.cell, LOST, epoch)
        orders = await self._restore(loss)
        if loss.kind == "from_the_past":
            # New entries must come after those that the ledger has recorded already. Last of all: until then
            # it shows, whoever begins again, that this Redis is from the past.
            await self._owner.execute_command("XADD", keys.outbox, cursor, "kind", "restored")
            await self._owner.execute_command("XDEL", keys.outbox, cursor)
        await restate(self._owner, keys, self._kept_performances(), epoch)
        loss = await self._tell(loss, known, epoch, orders, began_s)
        reply = await cell.ask("cell/open", (keys.cell,), (epoch, QUIET_MS if is_after_loss else 0))
        match reply[0]:
            case b"open":
                cell.is_open = True
                await self._owner.hdel(keys.cell, LOST)
            case b"fenced":
                log.info("another keeper recovers", house=cell.house.slug)
                return False
            case _:
                raise broken("cell/open", reply)
        seconds = round(time.monotonic() - began_s, 3)
        log.info("gate open", house=cell.house.slug, epoch=epoch, found=str(loss), seconds=seconds)
        return True

    def _kept_performances(self) -> list[str]:
        """The keys of performances whose history is kept, which goes on from what they are now."""
        cell = self._cell
        after_ms = forgotten_before_ms(cell.house)
        known = sorted(cell.catalogue.performances.values(), key=lambda each: each.performance)
        return [cell.hall_keys(each.performance)[0] for each in known if each.starts_at_ms >= after_ms]

    async def _tell(self, loss: Loss, known: CellStanding, epoch: int, orders: int, began_s: float) -> Loss:
        """Counts what is gone, and keeps that for whoever has to know. Answers the loss with its counts."""
        cell = self._cell
        dues = [cell.hall_keys(name)[2] for name in sorted(cell.catalogue.performances)]
        holds = sum([await self._owner.zcard(due) for due in dues])
        if loss.is_one:
            lost = {"orders": max(0, known.orders - orders), "holds": max(0, known.holds - holds)}
            loss = msgspec.structs.replace(loss, **lost)
            log.error("this Redis had lost something", house=cell.house.slug, what=str(loss))
        await cell.look()
        now = CellStanding(sequence=cell.sequence, orders=orders, holds=holds)
        detail = loss.detail() | {"seconds": round(time.monotonic() - began_s, 3)}
        await save_recovery(self._ledger, epoch, detail, now, is_loss=loss.is_one)
        return loss

    async def _progress(self, epoch: int) -> tuple[str, int]:
        """The last id that the outbox has generated, and the sequence, of the Redis whose gate was just closed.

        Raises `CellUnavailable` while another one answers.
        """
        async with self._owner.pipeline(transaction=True) as pipeline:
            pipeline.hmget(self._cell.keys.cell, ["epoch", "sequence"])
            pipeline.xinfo_stream(self._cell.keys.outbox)
            (stored, sequence), information = await pipeline.execute(raise_on_error=False)
        if stored != str(epoch).encode():
            raise CellUnavailable("another Redis answers the ops side, or another keeper recovers")
        is_empty = isinstance(information, ResponseError)
        return "0-0" if is_empty else information["last-generated-id"].decode(), int(sequence or 0)

    async def _restore(self, loss: Loss) -> int:
        """Publishes the ledger's documents, and puts back what Redis may not know: sold seats, and where lines stood.

        Answers how many orders the on-sales have confirmed by what is known now.
        """
        cell, orders = self._cell, 0
        on_sales, recorded = await self._publish_documents(), await read_sales(self._ledger)
        for on_sale in on_sales:
            name = on_sale.on_sale
            # A Redis that only fell behind knows more than the ledger: what it has not handed over yet.
            own = await self._own(name)
            counted = Sales(orders=int(own.get("orders", 0)), money=int(own.get("takings", 0)))
            known = counted if own and loss.kind != "from_the_past" else recorded.get(name, Sales())
            orders += known.orders
            kept = await last_kept(self._ledger, name)
            flat = [str(value) for value in fields(on_sale)]
            initial = dict(zip(flat[::2], flat[1::2], strict=True))
            stood = restored(initial, kept, own, known, await self._lost(name, kept) if loss.is_one else None)
            fresh = await bring_up(cell, on_sale, stood, is_anew=loss.is_one)
            if loss.is_one:
                await self._restore_claims(on_sale, stood)
            await self._forget_earlier_plans(on_sale)
            for performance in on_sale.performances if loss.kind == "from_the_past" else fresh:
                await self._restore_performance(performance)
            if loss.kind == "from_the_past":
                await self._restore_persons(name)
            for line, joined in (await entrants_by_line(self._ledger, name)).items():
                await restore_line(cell, name, joined, line)
            lines = [PUBLIC_LINE, *(line.line for line in on_sale.lines)]
            await restore_trees(self._owner, cell.keys, self._ledger, name, lines, int(cell.epoch))
        if loss.kind == "from_the_past":
            await self._recount(on_sales)
            await restore_payments(self._owner, cell.keys, self._ledger)
        return orders

    async def _recount(self, on_sales: Sequence[OnSale]) -> None:
        """What of codes is used up, and what visitors and customers have, by the ledger: every hold has ended."""
        cell = self._cell
        await recount(cell, cell.keys.cell, "u", await used_codes(self._ledger))
        for performance in [name for on_sale in on_sales for name in on_sale.performances]:
            await recount(cell, cell.hall_keys(performance)[0], "o", await had_by_owner(self._ledger, performance))
        for performance in [name for on_sale in on_sales if on_sale.seats_a_customer for name in on_sale.performances]:
            bought = await bought_by_mark(self._ledger, cell.signer, performance)
            await recount(cell, cell.hall_keys(performance)[0], "p", bought)

    async def _restore_persons(self, on_sale: OnSaleId) -> None:
        persons = iter((await read_persons(self._ledger, on_sale)).items())
        while some := list(islice(persons, PERSONS_AT_ONCE)):
            await self._owner.hset(self._cell.keys.persons(on_sale), items=[part for pair in some for part in pair])

    async def _lost(self, on_sale: OnSaleId, kept: Kept) -> Lost:
        """What is known of the moment that an on-sale lost."""
        age_s = self._standings.age_s(on_sale)
        if age_s is None:
            age_s = kept.age_s if kept.fields else KEEP_SECONDS
        seconds, microseconds = await self._owner.time()
        recorded = await entrants_by_line(self._ledger, on_sale)
        return Lost(age_s, kept.joins_a_second, recorded, seconds * 1000 + microseconds // 1000)

    async def _restore_claims(self, on_sale: OnSale, stood: Mapping[str, str | int | bytes]) -> None:
        """Whoever was called by now may have come in: they go in again as who returns, and are not admitted twice."""
        for suffix in suffixes(stood):
            entrants, served = (int(stood.get(name + suffix, 0)) for name in ("entrants", "now_serving"))
            if not served:
                continue
            line = on_sale.line(line_of(suffix))
            seed = str(stood.get("drawn_seed" + suffix, "")) or ("" if on_sale.draw else (line or on_sale).seed)
            key = self._cell.keys.claimed(on_sale.on_sale, line_of(suffix))
            before: Any = await self._owner.get(key) or b""
            known = (*ends_of(str(stood.get("windows" + suffix, ""))), entrants)
            windows, later = (known, self._later(on_sale, stood, suffix)) if on_sale.fair_window_seconds else ((), None)
            called = await asyncio.to_thread(bits_of, seed, entrants, served, windows, later)
            await self._owner.set(key, either(before, called))

    def _later(self, on_sale: OnSale, stood: Mapping[str, str | int | bytes], suffix: str) -> Later:
        """The windows after the start of a line that have ended."""
        ended = ends_of(str(stood.get("later" + suffix, "")))
        seed = seed_after(self._cell.signer, on_sale.on_sale, line_of(suffix), len(ended))
        return Later(1, (int(stood.get("entrants" + suffix, 0)), *ended), seed)

    async def _own(self, on_sale: OnSaleId) -> dict[str, str]:
        """What this Redis itself says of an on-sale; nothing where it does not know it."""
        found: Mapping[Any, Any] = await self._owner.hgetall(self._cell.keys.sale(on_sale))
        return {name.decode(): as_text(value) for name, value in found.items()}

    async def _publish_documents(self) -> list[OnSale]:
        """Publishes what Redis does not have of the ledger's documents. Answers the on-sales, with their seeds."""
        cell, on_sales = self._cell, []
        await cell.refresh()
        for found in await self._ledger.documents():
            name, published = f"{found.kind}:{found.id}", found.body.decode()
            if found.kind == "on_sale":
                on_sale = decode_document(name, found.body)
                on_sales.append(on_sale)
                published = published_form(on_sale)
            elif found.kind == "allotment":
                published = published_form(decode_document(name, found.body))
            # A plan or release that changed a moment ago is in the outbox still: what Redis says of seats goes with it.
            if found.kind == "performance" and _is_behind(decode_document(name, found.body), cell):
                continue
            if not cell.catalogue.holds(name, published):
                await publish(cell, {name: published})
        await cell.refresh()
        return on_sales

    async def _forget_earlier_plans(self, on_sale: OnSale) -> None:
        """A Redis from the past may have seats under a plan that they have left: what was sold, the ledger knows."""
        for name in on_sale.performances:
            for change in range(self._cell.catalogue.performances[name].plan_change):
                await self._owner.unlink(*self._cell.keys.performance(name, change))

    async def _restore_performance(self, performance: PerformanceId) -> None:
        sold = await self._ledger.sold(performance)
        places = await self._ledger.sold_areas(performance)
        returned = await returned_seats(self._ledger, performance)
        aside = await aside_of(self._cell, self._ledger, performance)
        layout = self._cell.catalogue.layout(performance)
        returned = [seat for seat in returned if layout.has(seat)]
        await restore(self._cell, performance, layout, sold, returned, places, aside)


def _is_behind(recorded: Performance, cell: Cell) -> bool:
    """Whether Redis knows of a later plan or release of the performance than the ledger."""
    known = cell.catalogue.performances.get(recorded.performance)
    return known is not None and (
        known.plan_change > recorded.plan_change or known.release_changes > recorded.release_changes
    )
