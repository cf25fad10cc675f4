"""What everybody reads, worked out at most once a moment per process: the public status and the seat maps."""

import asyncio
import hashlib
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Final, Generic, TypeVar

import msgspec

from api.draws import draw_reply
from api.lines import line_replies
from api.told import Measured, chance_numbers, is_calling, poll_policy, why_slower
from api.wire import SeatsReply
from api.wire_status import MeasuredReply, SafetyNetReply, StatusReply
from engine.catalogue import PUBLIC_LINE
from engine.cell import Cell
from engine.errors import GateClosed
from engine.instants import to_rfc3339
from engine.lines import paces
from engine.seat_map import SeatMap, count_taken, open_by_category, snapshot
from engine.signing import Signer
from engine.waiting_room import Status, drawn_status, serve
from engine.words import LineName, OnSaleId, PerformanceId

STATUS_SECONDS: Final = 1.0
SEATS_SECONDS: Final = 0.5
REMEMBERED_VERSIONS: Final = 120
Value = TypeVar("Value")


class Fresh(Generic[Value]):
    """A value that is worked out when it is asked for and older than it may be; all who ask meanwhile share it."""

    def __init__(self, seconds: float, work_out: Callable[[], Awaitable[Value]]) -> None:
        self._seconds = seconds
        self._work_out = work_out
        self._value: Value | None = None
        self._until = 0.0
        self._task: asyncio.Task[Value] | None = None

    def known(self) -> Value | None:
        """The value, if nothing has to be worked out for it."""
        return self._value if monotonic() < self._until else None

    def last(self) -> Value | None:
        """The value as it was worked out last, however long ago."""
        return self._value

    async def get(self) -> Value:
        """The value, at most `seconds` old."""
        value = self.known()
        if value is not None:
            return value
        if self._task is None:
            self._task = asyncio.create_task(self._renew())
        return await asyncio.shield(self._task)

    async def _renew(self) -> Value:
        try:
            value = await self._work_out()
            self._value, self._until = value, monotonic() + self._seconds
            return value
        finally:
            self._task = None


class Document(msgspec.Struct, frozen=True):
    """Bytes as they are served, with their ETag, and what shows anybody that the house said so."""

    body: bytes
    etag: str
    signature: bytes = b""


def document(value: object, signer: Signer | None = None) -> Document:
    """A document of a wire type; with a signer, one that any mirror may serve."""
    body = msgspec.json.encode(value)
    return Document(
        body=body,
        etag=f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"',
        signature=signer.sign_document(body).encode() if signer else b"",
    )


class Counts(msgspec.Struct, frozen=True):
    """Seats and places: open ones a category, those that somebody holds who has not paid, and sold ones."""

    open: dict[str, int]
    held: int
    sold: int


class SeatBoard:
    """One performance's seat map as this process last saw it, and what changed since earlier versions."""

    def __init__(self, cell: Cell, performance: PerformanceId) -> None:
        self._cell = cell
        self._performance = performance
        self._seen: deque[SeatMap] = deque(maxlen=REMEMBERED_VERSIONS)
        self._fresh = Fresh(SEATS_SECONDS, self._look)
        self._document: tuple[int, Document] | None = None
        self._counts: tuple[int, Counts] | None = None

    async def _look(self) -> SeatMap:
        seen = await snapshot(self._cell, self._performance)
        if self._seen and self._seen[-1].plan_change != seen.plan_change:
            self._seen.clear()  # nothing leads from one plan to another: who watches gets the whole
        if not self._seen or self._seen[-1].version != seen.version:
            self._seen.append(seen)
        return seen

    async def now(self) -> SeatMap:
        """The seat map, at most half a second old."""
        return await self._fresh.get()

    async def document(self) -> Document:
        """The seat map as it is served."""
        return (await self.whole())[1]

    async def whole(self) -> tuple[int, Document]:
        """The seat map as it is served, and its version."""
        seen = await self.now()
        if self._document is None or self._document[0] != seen.version:
            areas = {area: max(0, count) for area, count in seen.areas.items()}
            reply = SeatsReply(version=seen.version, seats=seen.seats, areas=areas, plan_change=seen.plan_change)
            self._document = (seen.version, document(reply))
        return self._document

    async def counts(self) -> Counts:
        """How many seats and places are open, held and sold."""
        seen = await self.now()
        if self._counts is None or self._counts[0] != seen.version:
            self._cell.performance(self._performance)  # a recovery may have gone by
            layout = self._cell.catalogue.layout(self._performance, seen.plan_change)
            self._counts = (seen.version, Counts(open_by_category(layout, seen), *count_taken(layout, seen)))
        return self._counts[1]

    def changes(self, since: int) -> tuple[int, list[tuple[int, str]], dict[str, int]] | None:
        """The newest version, what changed since, and the areas; None when `since` is too long ago."""
        newest = self._seen[-1]
        for seen in self._seen:
            if seen.version == since:
                changed = [
                    (place, state)
                    for place, (before, state) in enumerate(zip(seen.seats, newest.seats, strict=True))
                    if before != state
                ]
                return newest.version, changed, {area: max(0, count) for area, count in newest.areas.items()}
        return None


class Boards:
    """Every board of one house."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell
        self._seats: dict[PerformanceId, SeatBoard] = {}
        self.statuses: dict[str, Fresh[Document]] = {}
        self._measured: dict[tuple[OnSaleId, LineName], Measured] = {}
        self.summaries: dict[str, Fresh[Document]] = {}

    def seats(self, performance: PerformanceId) -> SeatBoard:
        """The board of a performance. Raises `Refused` for an unknown one."""
        board = self._seats.get(performance)
        if board is None:
            self._cell.performance(performance)
            board = self._seats[performance] = SeatBoard(self._cell, performance)
        return board

    def known_status(self, on_sale: str) -> Document | None:
        """The public status of an on-sale, if it is there already."""
        fresh = self.statuses.get(on_sale)
        return fresh.known() if fresh else None

    async def status(self, on_sale: str) -> Document:
        """The public status of an on-sale, at most a second old. Raises `Refused` for an unknown one."""
        fresh = self.statuses.get(on_sale)
        if fresh is None:
            name = self._cell.on_sale(on_sale).on_sale

            async def work_out() -> Document:
                return await self._status(name)

            fresh = self.statuses[on_sale] = Fresh(STATUS_SECONDS, work_out)
        try:
            return await fresh.get()
        except GateClosed:
            # What this Redis says may be from the past. Whoever waits is told what they were told before.
            last = fresh.last()
            if last is None:
                raise
            return last

    async def counts(self, on_sale: OnSaleId) -> Counts:
        """How many seats and places are open, held and sold over all performances of an on-sale."""
        found = [await self.seats(each).counts() for each in self._cell.on_sale(on_sale).performances]
        total: Counter[str] = Counter()
        for each in found:
            total.update(each.open)
        return Counts(dict(total), sum(each.held for each in found), sum(each.sold for each in found))

    def _see(self, on_sale: OnSaleId, now: Status) -> dict[str, MeasuredReply | None]:
        """How fast each line was seen to move. What is about to change how fast that is, begins it anew."""
        seen: dict[str, MeasuredReply | None] = {}
        pace = paces(now.all_lines, now.pace_per_minute)
        terms = now.pace_per_minute, now.draining, *(line.phase for line in now.all_lines)
        for line in now.all_lines:
            measured = self._measured.setdefault((on_sale, line.line), Measured())
            measured.note(now.now_ms, line.called, is_moving=is_calling(line), terms=terms)
            seen[line.line] = measured.pace(now.now_ms, line.called, pace[line.line])
        return seen

    async def _status(self, on_sale: OnSaleId) -> Document:
        served = await serve(self._cell, on_sale)
        now = await drawn_status(self._cell, on_sale)
        counts = await self.counts(on_sale)
        seen = self._see(on_sale, now)
        chance = chance_numbers(now, counts.sold, self._cell.on_sale(on_sale).seats_a_place, seen[PUBLIC_LINE])
        reply = StatusReply(
            house=self._cell.house.slug,
            on_sale=on_sale,
            phase=now.phase,
            opens_at=to_rfc3339(now.opens_at_ms),
            server_time=to_rfc3339(now.now_ms),
            lines=line_replies(self._cell.on_sale(on_sale), now, served, seen),
            draw=draw_reply(self._cell.on_sale(on_sale), now.draw, now_serving=served[PUBLIC_LINE]),
            seats_open=counts.open,
            seats_held=counts.held,
            chance=chance,
            poll=poll_policy(now, sum(counts.open.values()) + counts.held, chance),
            epoch=int(self._cell.stored_epoch),
            why=why_slower(now),
            message=now.message or None,
            safety_net=SafetyNetReply(now.net_per_minute, bool(now.net_active)) if now.net_per_minute else None,
            fails=now.fails,
        )
        return document(reply, self._cell.signer)
