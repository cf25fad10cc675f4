"""A house's cell as an API process sees it: the connection to its Redis, its keys, its catalogue and its epoch."""

import asyncio
import hashlib
from collections import deque
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import structlog

from engine.breaker import Breaker
from engine.catalogue import ApiKey, Catalogue, OnSale, Performance, build
from engine.client import FunctionClient
from engine.contacts import CodeSender
from engine.errors import BrokenContract, CellUnavailable, GateClosed, ParvisError, PlanChanged, Recovered, Refused
from engine.keys import Keys
from engine.library import assemble
from engine.network import House
from engine.numbers import Numbers
from engine.pressure import SHED_AT, Judge, Level, Pressure, Strain
from engine.promised import Promised
from engine.sealing import Sealer
from engine.signing import Signer
from engine.windows import Order
from engine.words import KeyId, LineName, OnSaleId, PerformanceId

WATCH_SECONDS: Final = 0.5
LAG_SAMPLES: Final = 3
"""The least of so many looks counts: a loop that was late once is not strained."""
OWNER_TIMEOUT_MS: Final = 5_000
"""Recovery moves whole halls, and nobody waits at a door for an answer of it."""
UNKNOWN_PERFORMANCE: Final = b"unknown_performance"
"""The word for a performance whose keys hold nothing: its plan may have changed."""
Reply = list[Any]
log = structlog.get_logger()


def digest(*parts: str | bytes) -> str:
    """A short fingerprint of parts, none of which can run into the next."""
    return hashlib.blake2b(msgspec.msgpack.encode(parts), digest_size=16).hexdigest()


def pack(value: object) -> bytes:
    """Arguments of a function that travel as one."""
    return msgspec.msgpack.encode(value)


def broken(operation: str, reply: Reply) -> BrokenContract:
    """The error for a reply word that the operation's header does not name."""
    return BrokenContract(f"{operation} answered {reply[:1]!r}")


class Cell:
    """One house, from where visitors are served. `epoch` is what every mutating call carries.

    `epoch` is that at which this release's gate was open when `look` saw it so last, and `stored_epoch` the last that
    any release recovered to, open by then or not.
    """

    def __init__(self, house: House, *, is_owner: bool = False) -> None:
        """`is_owner`: with the rights of the house's ops side, for recovery."""
        self.whole = self
        """What this is a view of; see `as_it_stands`."""
        self.house = house
        self.keys = Keys(house.slug)
        self.signer = Signer(house.slug, house.secrets_path)
        self.sealer = Sealer(self.signer, house.secrets_path)
        self.numbers = Numbers(house, self.signer)
        self.contacts = CodeSender(house, self.signer)
        limits = house.limits
        self.client = FunctionClient(
            house.redis_owner_url if is_owner else house.redis_url,
            timeout_ms=max(limits.redis_timeout_ms, OWNER_TIMEOUT_MS) if is_owner else limits.redis_timeout_ms,
            waiting_limit=limits.redis_waiting,
            breaker=Breaker(),
        )
        self.epoch = self.stored_epoch = "0"
        self.is_open = False
        self.sequence = 0
        self.backlog = 0
        self.recorded = "0-0"
        """The last entry of the outbox that the ledger has, as seen by `look`; as are the two before."""
        self.newest = "0-0"
        """The newest entry that waits to be recorded, as seen by `look`; `0-0` when none does."""
        self.lost_at_ms = 0
        """When the gate was opened after the last loss, by Redis's clock; 0: never."""
        self.pressure = Pressure()
        """What the keeper says, learned by `look`."""
        self.own_pressure = Pressure()
        """What this process is short of itself."""
        self.lag_s = 0.0
        """How late this process's event loop runs, for a while already."""
        self._lags: deque[float] = deque([0.0], LAG_SAMPLES)
        self._judge = Judge()
        self.under_way = 0
        """Requests of the house that this process is answering now."""
        self.catalogue = Catalogue()
        self.draws: dict[tuple[OnSaleId, LineName], Order] = {}
        """By on-sale and line, once they have been made."""
        self.making: dict[tuple[OnSaleId, LineName], tuple[asyncio.Task[None], float]] = {}
        """Draws that this process is making, and since when by the loop's clock."""
        self.promised = Promised()
        self._library = assemble()
        self._refreshing: asyncio.Task[None] | None = None
        self._read_at_epoch = ""
        """The stored epoch as it was when the catalogue was asked for last."""

    async def call(
        self,
        operation: str,
        keys: Sequence[str],
        arguments: Sequence[str | bytes | int] = (),
        *,
        lost_at_ms: int | None = None,
    ) -> Reply:
        """Calls an operation that carries the epoch; the reply's first part is its word.

        `lost_at_ms`: the last loss that the asking takes account of; None where a loss makes no difference to it.
        Raises `GateClosed` while the cell recovers, `Recovered` where it has, from a loss after that one, `Refused`
        (`key-reused`) for a repeat with another payload, and `CellUnavailable`'s kind.
        """
        function = self._library.functions[operation]
        for _ in range(2):
            if lost_at_ms is not None and self.whole.lost_at_ms != lost_at_ms:
                raise Recovered
            reply: Reply = await self.client.call(function, keys, (self.epoch, *arguments))
            if reply[0] != b"fenced":
                break
            # A recovery went by: this call is new and belongs to the new epoch. One that was under way
            # before it carries the old epoch, and stays refused. What the recovery found is learned with its epoch.
            if self.whole.epoch.encode() != reply[1]:
                await self.whole.look()
            self.epoch = self.whole.epoch
        if reply[0] == UNKNOWN_PERFORMANCE:
            await self._check_plan()
        match reply[0]:
            case b"closed":
                raise GateClosed
            case b"fenced":
                raise GateClosed("the cell is recovering")
            case b"other_payload":
                raise Refused("key-reused", "this Idempotency-Key was used before, with another request")
        return reply

    async def ask(self, operation: str, keys: Sequence[str], arguments: Sequence[str | bytes | int] = ()) -> Reply:
        """Calls an operation as it is, gate and epoch left to the caller: recovery's way."""
        reply: Reply = await self.client.call(self._library.functions[operation], keys, arguments)
        if reply[0] == UNKNOWN_PERFORMANCE:
            await self._check_plan()
        return reply

    async def read(self, operation: str, keys: Sequence[str], arguments: Sequence[str | bytes | int] = ()) -> Reply:
        """Calls an operation that writes nothing, open or not."""
        function = self._library.functions[operation]
        reply: Reply = await self.client.call(function, keys, arguments, read_only=True)
        if reply[0] == UNKNOWN_PERFORMANCE:
            await self._check_plan()
        return reply

    def as_it_stands(self) -> "Cell":
        """The cell with the catalogue of now: what an operation packs, and reads back later, is of one plan."""
        view = object.__new__(Cell)
        view.__dict__.update(self.__dict__)
        return view

    async def _check_plan(self) -> None:
        """Raises `PlanChanged` in a view where a performance that is unknown by its keys has others by now."""
        if self is self.whole:
            return
        await self.whole.look()
        known = self.catalogue.performances
        if any(self.hall_keys(name) != self.whole.hall_keys(name) for name in known):
            raise PlanChanged

    def hall_keys(self, performance: PerformanceId) -> tuple[str, str, str]:
        """The keys of a performance as its plan stands: see `Keys.performance`."""
        known = self.catalogue.performances.get(performance)
        return self.keys.performance(performance, known.plan_change if known else 0)

    async def look(self) -> None:
        """Learns the epoch, and the catalogue where it changed. Raises `CellUnavailable`'s kind."""
        reply = await self.read("cell/gate", (self.keys.cell, self.keys.outbox, self.keys.recorded))
        if reply[0] != b"gate":
            raise broken("cell/gate", reply)
        open_epoch, stored, sequence, version = (value.decode() for value in reply[1:5])
        self.sequence, self.backlog = int(sequence), int(reply[5])
        self.recorded, self.newest = reply[9].decode(), reply[10].decode()
        self.lost_at_ms = int(reply[11])
        self.pressure = Pressure(Level(reply[6]), int(reply[7]), reply[8].decode())
        is_recovered, self.stored_epoch = stored != self.stored_epoch, stored
        # An epoch is taken on together with what its recovery found, which is said only once its gate is open.
        self.epoch = open_epoch or self.epoch
        # Open is said only once the catalogue is known: else what is on sale would be said to be unknown.
        self.is_open = self.is_open and open_epoch != ""
        if is_recovered:
            self.draws.clear()
        else:
            self.promised.forget_recorded(self.recorded, int(stored))
        # A Redis that went back in time counts its versions anew: the number alone does not tell.
        if self._read_at_epoch != stored or int(version) != self.catalogue.version:
            await self.refresh()
        if self._read_at_epoch != stored:  # somebody else's reading, which had begun before the recovery
            await self.refresh()
        self.is_open = open_epoch != ""

    async def refresh(self) -> None:
        """Reads the catalogue again; callers at the same time share one reading."""
        if self._refreshing is None:
            self._refreshing = asyncio.create_task(self._refresh())
            self._refreshing.add_done_callback(self._refreshed)
        await asyncio.shield(self._refreshing)

    def _refreshed(self, task: asyncio.Task[None]) -> None:
        self._refreshing = None
        if not task.cancelled():
            task.exception()

    async def _refresh(self) -> None:
        epoch = self.stored_epoch
        reply = await self.read("cell/catalogue", (self.keys.cell, self.keys.catalogue))
        if reply[0] != b"catalogue":
            raise broken("cell/catalogue", reply)
        flat = reply[2]
        bodies = {name.decode(): body for name, body in zip(flat[::2], flat[1::2], strict=True)}
        self.catalogue = await asyncio.to_thread(build, self.catalogue, int(reply[1]), bodies)
        self._read_at_epoch = epoch

    async def watch(self) -> None:
        """Looks again and again, until cancelled; a cell that does not answer is simply asked later."""
        clock = asyncio.get_running_loop().time
        while True:
            try:
                await self.look()
            except CellUnavailable:
                self.is_open = False
            except ParvisError as error:  # what a newer release published is not for this one: it goes on as it is
                log.warning("the catalogue cannot be read", house=self.house.slug, why=str(error))
            due = clock() + WATCH_SECONDS
            await asyncio.sleep(WATCH_SECONDS)
            self.note_lag(clock() - due)

    def note_lag(self, lag_s: float) -> None:
        """Takes note of how late this process's event loop came back; judges what that means."""
        self._lags.append(max(0.0, lag_s))
        self.lag_s = min(self._lags)
        lag_ms, limit_ms = self.lag_s * 1000, self.house.limits.lag_ms
        words = f"this process is {lag_ms:.0f} ms late, {limit_ms} at most"
        found = self._judge.judge([Strain("cpu", lag_ms, limit_ms, words)])
        # Lines are the house's: other processes may have time.
        self.own_pressure = msgspec.structs.replace(found, slowed_percent=0)

    def _check_open(self) -> None:
        """Raises `GateClosed`: before recovery has published the catalogue, nothing can be said to be unknown."""
        if not self.is_open:
            raise GateClosed

    @property
    def worst_pressure(self) -> Pressure:
        """The keeper's or this process's own, whichever sheds more."""
        return max(self.own_pressure, self.pressure, key=lambda each: (each.level, each.slowed_percent))

    def shed(self, what: Level) -> None:
        """For what can wait, joining or holding: raises `Refused` (`house-busy`) while there is too much pressure."""
        if max(self.pressure.level, self.own_pressure.level) >= what:
            raise Refused("house-busy", "the house is catching up; what is yours stays yours", retry_after_s=5)
        if self.under_way >= SHED_AT[what] * self.house.limits.concurrency:
            raise Refused("house-busy", "too many requests at once", retry_after_s=1)

    def fingerprint(self, *parts: str | bytes) -> str:
        """A fingerprint of what somebody might guess, such as a customer: without the house's key, nobody can try."""
        return self.signer.derive("fingerprint", digest(*parts))

    def on_sale(self, on_sale: str) -> OnSale:
        """The on-sale. Raises `Refused` (`unknown-on-sale`), `GateClosed`."""
        found = self.catalogue.on_sales.get(OnSaleId(on_sale))
        if found is None:
            self._check_open()
            raise Refused("unknown-on-sale", "there is no such on-sale here")
        return found

    def performance(self, performance: str) -> Performance:
        """The performance. Raises `Refused` (`unknown-performance`), `GateClosed`."""
        found = self.catalogue.performances.get(PerformanceId(performance))
        if found is None:
            self._check_open()
            raise Refused("unknown-performance", "there is no such performance here")
        return found

    def api_key(self, key_id: str) -> ApiKey | None:
        """The API key of an id, live or ended; None when there is none. Raises `GateClosed`."""
        found = self.catalogue.api_keys.get(KeyId(key_id))
        if found is None:
            self._check_open()
        return found

    async def close(self) -> None:
        """Ends the connections."""
        await self.numbers.close()
        await self.contacts.close()
        await self.client.close()
