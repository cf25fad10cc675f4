"""Sends a house's webhooks: what is due, a lane an endpoint, so that one that is slow or dead keeps up itself alone.

It runs beside the writer, has a connection to the ledger of its own, and whatever goes wrong in it ends in it. Several
may run for one house, as during a release: what one of them has leased, no other sends. One that is killed between
sending and striking off leaves its lease behind, and the same event is sent again under the same id.
"""

import asyncio
import contextlib
import random
import ssl
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Final

import aiohttp
import structlog
from yarl import URL

from engine.destinations import Gate, NotAllowed
from engine.errors import LedgerUnavailable
from engine.instants import now_ms
from engine.ledger.deliveries import Lane, Leased, give_back, lease, ready, strike_off, trouble_of
from engine.ledger.ledger import Ledger
from engine.network import House
from engine.signing import Signer
from engine.webhooks import Answer, judge, retry_after, secret_of, sign

LOOK_SECONDS: Final = 0.5
AWAY_SECONDS: Final = 2.0
STOP_SECONDS: Final = 2.0
"""What is being sent may take so long to end when the house is told to stop; then it is sent again later."""
ANSWER_BYTES: Final = 4_096
"""Read of an answer, and thrown away; a longer one costs its connection."""
LONGEST_ERROR: Final = 200
log = structlog.get_logger()


def _nothing(_: str) -> None:
    """No test listens."""


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


class Sender:
    """One house's sender. `clock` in ms; `at_point` is told where it is, for those who test it."""

    def __init__(
        self,
        house: House,
        signer: Signer,
        *,
        gate: Gate | None = None,
        context: ssl.SSLContext | None = None,
        clock: Callable[[], int] = now_ms,
        draw: Callable[[], float] = random.random,
        at_point: Callable[[str], None] = _nothing,
    ) -> None:
        self._house = house
        self._signer = signer
        self._gate = gate or Gate(house.webhooks_to)
        self._context = context
        self._clock = clock
        self._draw = draw
        self._at_point = at_point
        self._ledger = Ledger(house.postgres_dsn, pool=2, timeout_ms=house.limits.postgres_timeout_ms)
        self._lanes: dict[str, asyncio.Task[None]] = {}
        self._timeout_ms = house.limits.webhook_timeout_ms
        self.sent = 0
        """Attempts so far, whatever came of them."""

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; waits while Postgres is away. Never raises: no sale depends on who is told of it."""
        while not stop.is_set():
            try:
                async with self._gate.session(self._timeout_ms / 1000, self._context) as session:
                    await self._run(session, stop)
            except Exception:
                log.exception("sending webhooks failed", house=self._house.slug)
                await _pause(stop, AWAY_SECONDS)
        await self._ledger.close()

    async def _run(self, session: aiohttp.ClientSession, stop: asyncio.Event) -> None:
        said = ""
        try:
            while not stop.is_set():
                seconds = LOOK_SECONDS
                try:
                    await self._look(session, stop)
                    said = ""
                except LedgerUnavailable as error:
                    seconds = AWAY_SECONDS
                    if not said:
                        log.warning("webhooks wait", house=self._house.slug, why=str(error))
                    said = str(error)
                await _pause(stop, seconds)
        finally:
            await self._end()

    async def _look(self, session: aiohttp.ClientSession, stop: asyncio.Event) -> None:
        """Opens a lane for each endpoint that has something due and no lane."""
        for lane in await ready(self._ledger, self._clock()):
            running = self._lanes.get(lane.webhook)
            if running is None or running.done():
                self._lanes[lane.webhook] = asyncio.create_task(self._serve(session, lane, stop))

    async def _end(self) -> None:
        running = [task for task in self._lanes.values() if not task.done()]
        if running:
            await asyncio.wait(running, timeout=STOP_SECONDS)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _serve(self, session: aiohttp.ClientSession, lane: Lane, stop: asyncio.Event) -> None:
        """Sends what is due at one endpoint, until there is nothing more, one of it fails, or `stop`."""
        try:
            while not stop.is_set() and await self.send_due(session, lane):
                pass
        except LedgerUnavailable:
            return  # what was leased comes again
        except Exception:
            log.exception("a webhook's lane failed", house=self._house.slug, webhook=lane.webhook)

    async def send_due(self, session: aiohttp.ClientSession, lane: Lane) -> bool:
        """One round: a lease of what is due, sent at once. Answers whether all of it was taken, and there was some.

        Raises `LedgerUnavailable`.
        """
        now = self._clock()
        # Long enough for two that come after each other; what would take longer is left for the next round.
        until = now + 3 * self._timeout_ms
        due = await lease(self._ledger, lane.webhook, now, until, self._house.limits.webhooks_at_once)
        if not due:
            return False
        about = [
            list(each) for _, each in groupby(sorted(due, key=lambda each: each.subject), lambda each: each.subject)
        ]
        taken = await asyncio.gather(*(self._send_in_turn(session, lane, each) for each in about))
        return all(taken)

    async def _send_in_turn(self, session: aiohttp.ClientSession, lane: Lane, due: Sequence[Leased]) -> bool:
        """What is told of one order or on-sale, in its order, as long as it is taken."""
        begun = asyncio.get_running_loop().time()
        for place, each in enumerate(due):
            is_late = (asyncio.get_running_loop().time() - begun) * 1000 > self._timeout_ms
            if is_late or not await self._send(session, lane, each):
                left = [later.event for later in due[place if is_late else place + 1 :]]
                if left:
                    await give_back(self._ledger, lane.webhook, left, self._clock())
                return is_late
        return True

    async def _send(self, session: aiohttp.ClientSession, lane: Lane, each: Leased) -> bool:
        """One attempt, and what becomes of it. Answers whether it was taken."""
        self._at_point("leased")
        answer = await self._ask(session, lane, each)
        self.sent += 1
        self._at_point("sent")
        now = self._clock()
        failures, since = (0, None) if answer.is_taken else await trouble_of(self._ledger, lane.webhook)
        verdict = judge(answer, now, each.attempts + 1, failures, since, self._draw)
        await strike_off(self._ledger, lane.webhook, each, answer, verdict, now)
        if verdict.disabled_why:
            log.warning("webhook disabled", house=self._house.slug, webhook=lane.webhook, why=verdict.disabled_why)
        return answer.is_taken

    async def _ask(self, session: aiohttp.ClientSession, lane: Lane, each: Leased) -> Answer:
        """Sends one, and reads what is answered: its status, and no more than that."""
        now = self._clock()
        secrets = [secret_of(self._signer, lane.webhook, number) for number in lane.secrets]
        headers = sign(secrets, each.event, each.body, now)
        try:
            async with session.post(
                URL(lane.url), data=each.body.encode(), headers=headers, allow_redirects=False
            ) as response:
                await response.content.read(ANSWER_BYTES)
                wait = retry_after(response.headers.get("Retry-After", ""), now)
                said = "" if response.status < 300 else f"it answered {response.status}"
                return Answer(response.status, said, wait)
        except TimeoutError:
            return Answer(0, f"no answer within {self._timeout_ms / 1000:g} seconds")
        except aiohttp.ClientConnectorCertificateError as error:
            return Answer(0, _plain(f"its certificate is not trusted: {error.certificate_error}"))
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Answer(0, _plain(_cause(error)))


def _cause(error: BaseException) -> str:
    """Why there is no answer, in words."""
    behind: BaseException | None = error
    while behind is not None:
        if isinstance(behind, NotAllowed):
            return f"not sent: {behind.strerror}"
        behind = getattr(behind, "os_error", None) or behind.__cause__
    return f"no answer: {str(error) or type(error).__name__}"


def _plain(text: str) -> str:
    """A line of text that Postgres can keep."""
    return "".join(letter if letter.isprintable() else " " for letter in text)[:LONGEST_ERROR]
