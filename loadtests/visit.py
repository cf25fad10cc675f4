"""One visitor at one on-sale: what it knows, what it was told, and how it asks until it knows the outcome."""

import hashlib
import secrets
import time
import uuid
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

import msgspec

from loadtests.character import Character, whims
from loadtests.draw import DRAW, commitment_to, from_base64url, position_of, to_base64url
from loadtests.hall import Hall, read_hall
from loadtests.wire import Answer, Ask, Hold, OnSale, Pause, Seats, Status, Steps

PATIENT_TRIES: Final = 12
LONGEST_BACKOFF_S: Final = 10.0
FOREVER_MS: Final = 86_400_000
_decode_on_sale = msgspec.json.Decoder(OnSale).decode
_decode_seats = msgspec.json.Decoder(Seats).decode


@lru_cache(maxsize=16)
def read_status(body: bytes) -> Status:
    """The public status: the same bytes for everybody, so that a process reads them once."""
    return msgspec.json.decode(body, type=Status)


class Left(Exception):
    """The visit is over; its message says why, in one word."""


def now_ms() -> int:
    """The machine's clock, milliseconds since the Unix epoch."""
    return time.time_ns() // 1_000_000


@lru_cache(maxsize=256)
def milliseconds(instant: str) -> int:
    """An RFC 3339 instant as milliseconds since the Unix epoch. Raises `ValueError`."""
    return round(datetime.fromisoformat(instant).timestamp() * 1000)


def new_key() -> str:
    """A fresh Idempotency-Key, which says when it was made, as our pages' do."""
    return f"{now_ms()}-{uuid.uuid4()}"


class Visit:
    """A visitor with a character at an on-sale. What it is told goes to `note`, one dictionary at a time."""

    def __init__(
        self,
        house: str,
        on_sale: str,
        character: Character,
        note: Callable[[dict[str, Any]], None],
        *,
        seed: int = 0,
        unwanted: frozenset[str] = frozenset(),
    ) -> None:
        """`unwanted`: categories that this visitor leaves to others."""
        self.house_path = f"/v1/houses/{house}"
        self.on_sale_path = f"{self.house_path}/on-sales/{on_sale}"
        self.character = character
        self.whim = whims(seed, character.number)
        self.unwanted = unwanted
        self.uncalled_at_s: float | None
        """When it asked for the newest status in which its turn had not come (monotonic)."""
        self.forget_place()
        self.now_serving = 0
        self.commitment = ""
        self.rules: OnSale | None = None
        self._note = note
        self._broken: set[str] = set()
        self._where = (house, on_sale)

    def another(self, number: int) -> "Visit":
        """The same person at the same on-sale a second time, as somebody else."""
        who = msgspec.structs.replace(self.character, number=number)
        visit = Visit(*self._where, who, self._note, seed=number, unwanted=self.unwanted)
        visit.rules, visit.commitment = self.rules, self.commitment
        return visit

    def forget_place(self) -> None:
        """Stand where somebody who has never been here stands."""
        self.secret = to_base64url(secrets.token_bytes(32))
        self.place, self.index, self.uncalled_at_s = "", -1, None

    @property
    def secret_hash(self) -> str:
        """What the house may know of the secret before the turn is claimed."""
        return to_base64url(hashlib.sha256(self.secret.encode("ascii")).digest())

    def tell(self, told: str, **facts: object) -> None:
        """Write down what was told, when and to whom."""
        self._note({"at_ms": now_ms(), "visitor": self.character.number, "told": told, **facts})

    def broken(self, what: str) -> None:
        """Write down, once, a promise that was not kept; the verdict fails the run for it."""
        if what not in self._broken:
            self._broken.add(what)
            self.tell("broken", what=what)

    def think(self, times: float = 1.0, *, is_waiting: bool = False) -> Pause:
        """A visitor looking at a page."""
        return Pause(self.character.think_s * times * self.whim.uniform(0.5, 1.5), is_waiting)

    def get(self, name: str, path: str, *, fresh_ms: int = 0, bearer: str = "") -> Steps[Answer]:
        """Read something, asking again while nobody answers."""
        return (yield from self.settle(Ask(name, "GET", path, bearer=bearer, fresh_ms=fresh_ms)))

    def change(
        self,
        name: str,
        path: str,
        body: object,
        *,
        bearer: str = "",
        clicks: int = 1,
        same: str = "",
        prefer: str = "",
    ) -> Steps[Answer]:
        """Change something under a new key. All answers to several `clicks` share the field `same`."""
        ask = Ask(name, "POST", path, body=msgspec.json.encode(body), bearer=bearer, key=new_key(), prefer=prefer)
        return (yield from self.settle(ask, clicks=clicks, same=same))

    def settle(self, ask: Ask, *, clicks: int = 1, same: str = "", tries: int = PATIENT_TRIES) -> Steps[Answer]:
        """Ask until the house has decided: always under the same key, so that it takes effect once."""
        answer = Answer(0)
        for number in range(tries):
            answers = yield (ask,) * (clicks if number == 0 else 1)
            # A refusal changed nothing and is decided anew, so it may stand beside an effect; two effects may not.
            decided = sorted((each for each in answers if each.is_decided), key=lambda each: not each.is_good)
            effects = {each.facts.get(same) for each in decided if each.is_good}
            if same and len(effects) > 1:
                self.broken(f"{ask.name}: one key had several effects: {effects}")
            if decided:
                return decided[0]
            answer = answers[0]
            self.tell("not_now", step=ask.name, slug=answer.slug)
            backoff_s = answer.retry_after_s or min(LONGEST_BACKOFF_S, 0.25 * 2**number)
            yield Pause(backoff_s * self.whim.uniform(0.75, 1.25))
        return answer

    def refused(self, step: str, answer: Answer, **facts: object) -> None:
        """Write down a refusal."""
        self.tell("refused", step=step, slug=answer.slug, **facts)

    def held(self, hold: Hold) -> None:
        """Write down a hold."""
        self.tell("held", hold=hold.hold, items=hold.items, total=hold.total, expires_at=hold.expires_at)

    def ordered(self, hold: Hold, order: str, secret: str, state: str) -> None:
        """Write down an order; again, when its state is another."""
        kept = {"order": order, "order_secret": secret, "hold": hold.hold, "items": hold.items, "total": hold.total}
        self.tell("ordered", state=state, currency=hold.currency, **kept)

    def learn_rules(self) -> Steps[OnSale]:
        """What is for sale. Raises `Left` if there is no such on-sale."""
        answer = yield from self.get("on-sale", self.on_sale_path, fresh_ms=FOREVER_MS)
        if not answer.is_good:
            self.refused("on-sale", answer)
            raise Left("no_on_sale")
        self.rules = _decode_on_sale(answer.body)
        return self.rules

    def look_at_status(self) -> Steps[Status | None]:
        """The public status, checked against what it promised before; None where it cannot be had."""
        asked_at_s = time.monotonic()
        answer = yield from self.get("status", f"{self.on_sale_path}/status", fresh_ms=1000)
        if not answer.is_good:
            self.refused("status", answer)
            return None
        status = read_status(answer.body)
        draw, now_serving = status.draw, status.lines["public"].now_serving
        self.commitment = self.commitment or draw.commitment
        if draw.commitment != self.commitment or draw.algorithm != DRAW:
            self.broken("the draw's commitment or algorithm changed")
        if now_serving < self.now_serving:
            self.broken(f"the line went back from {self.now_serving} to {now_serving}")
        self.now_serving = max(self.now_serving, now_serving)
        position = self.position(status)
        if position is None or position >= now_serving:
            self.uncalled_at_s = asked_at_s
        return status

    def position(self, status: Status) -> int | None:
        """The visitor's own reckoning of its position; None before the draw."""
        draw = status.draw
        if draw.seed is None or draw.entrants is None or self.index < 0:
            return None
        if commitment_to(from_base64url(draw.secret or draw.seed)) != self.commitment:
            self.broken("the secret is not the one that the house committed to")
        return position_of(draw.seed, draw.entrants, draw.windows, self.index)

    def learn_hall(self, performance: str) -> Steps[Hall]:
        """The seating plan of a performance, which never changes. Raises `Left` where it cannot be had."""
        path = f"{self.house_path}/performances/{performance}/plan"
        answer = yield from self.get("plan", path, fresh_ms=FOREVER_MS)
        if not answer.is_good:
            self.refused("plan", answer)
            raise Left("no_plan")
        return read_hall(answer.body)

    def look_at_seats(self, performance: str) -> Steps[Seats | None]:
        """What is open now, a second old at most; None where it cannot be had."""
        path = f"{self.house_path}/performances/{performance}/seats"
        answer = yield from self.get("seats", path, fresh_ms=1000)
        return _decode_seats(answer.body) if answer.is_good else None
