"""Scripted buyers: many places, claims long before the turn, a pass shared by many hands and forged ones, no pause.

None of it may help: what they are refused, and what they get, goes into the same log that the verdict reads.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from loadtests.hall import Row
from loadtests.people import FURTHER_PLACES
from loadtests.queueing import admitted, refused_at_the_door
from loadtests.shopping import Shopper, Wish, decode_hold
from loadtests.visit import Left, Visit, new_key, now_ms
from loadtests.wire import Answer, Ask, OnSale, Pause, Status, Steps

POLL_S: Final = 1.0
COVETED_ROWS: Final = 4
CLONES: Final = 4
"""So many hands use one pass at once."""
_GONE: Final = frozenset({"turn-over", "sale-ended"})


def forged(token: str) -> str:
    """The same token, but for one character in the midst of its last part."""
    at = len(token) - 20
    return token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]


class Robot:
    """One scripted buyer with all its places."""

    def __init__(self, first: Visit, rules: OnSale) -> None:
        self._rules = rules
        self._path = first.on_sale_path
        self._first = first
        self._waiting = [first] + [
            first.another(first.character.number + FURTHER_PLACES * extra) for extra in range(1, first.character.places)
        ]
        self._tries = 0

    def run(self) -> Steps[str]:
        """Until every place has had its turn. Answers why it ended; raises `Left` when all is over."""
        yield from self._join()
        while self._waiting:
            status = yield from self._first.look_at_status()
            for visit in self._waiting:
                visit.commitment = self._first.commitment
            if status is not None and status.is_over:
                raise Left(status.phase)
            if status is not None and status.phase == "open":
                for visit in self._to_be_claimed(status):
                    yield from self._claim(visit, status)
            yield Pause(POLL_S, is_waiting=True)
        return "all_tried"

    def _join(self) -> Steps[None]:
        asked_at_ms = now_ms()
        answers = yield tuple(
            Ask(
                "join",
                "POST",
                f"{self._path}/places",
                key=new_key(),
                body=msgspec.json.encode({"secret_hash": visit.secret_hash}),
            )
            for visit in self._waiting
        )
        joined = []
        for visit, answer in zip(self._waiting, answers, strict=True):
            if answer.is_good:
                visit.place, visit.index = answer.facts["place"], answer.facts["index"]
                visit.tell("joined", index=visit.index, asked_at_ms=asked_at_ms)
                joined.append(visit)
            else:
                visit.refused("join", answer)
        self._waiting = joined

    def _to_be_claimed(self, status: Status) -> list[Visit]:
        """Whose turn it is, and one whose turn it is not."""
        self._tries += 1
        early = self._waiting[self._tries % len(self._waiting)]
        called = [
            visit for visit in self._waiting if (visit.position(status) or 0) < status.lines["public"].now_serving
        ]
        return called if early in called else [*called, early]

    def _claim(self, visit: Visit, status: Status) -> Steps[None]:
        position, asked_at_ms = visit.position(status) or 0, now_ms()
        # A robot with a forged place tries that first.
        for place in (forged(visit.place), visit.place) if self._tries % 5 == 0 else (visit.place,):
            body = msgspec.json.encode({"place": place, "secret": visit.secret})
            (answer,) = yield (Ask("claim", "POST", f"{self._path}/passes", body=body, key=new_key()),)
            if not answer.is_good:
                refused_at_the_door(visit, answer, position, asked_at_ms)
                if answer.slug in _GONE:
                    self._waiting.remove(visit)
            elif place != visit.place:
                visit.broken("a forged place was let in")
            else:
                per_minute = status.lines["public"].per_minute
                pass_ = admitted(visit, answer, asked_at_ms, position=position, per_minute=per_minute)
                self._waiting.remove(visit)
                yield from self._grab(visit, pass_)

    def _grab(self, visit: Visit, pass_: str) -> Steps[None]:
        """As much as one pass can get, by many hands at once, and all of it bought at once."""
        shopper = Shopper(visit, self._rules, pass_)
        performance, most = shopper.performance.performance, self._rules.limits.seats_a_hold
        best: Wish = {"performance": performance, "best": {"quantity": most}}
        hall = yield from visit.learn_hall(performance)
        rows = hall.rows[:COVETED_ROWS] or [Row(0, (), ())]
        picked = [list(visit.whim.choice(rows).seats[:most]) for _ in range(CLONES // 2)]

        def hold(wish: Wish, bearer: str) -> Ask:
            body = msgspec.json.encode({"items": [wish]})
            return Ask("hold", "POST", f"{visit.house_path}/holds", body=body, bearer=bearer, key=new_key())

        (answer,) = yield (hold(best, forged(pass_)),)
        if answer.is_good:
            visit.broken("a forged pass held seats")
        # Half of the hands take what is best, the others the front rows by name, without a look at what is open.
        named: list[Wish] = [{"performance": performance, "seats": seats} for seats in picked if seats]
        wishes = [*named, *[best] * (CLONES - len(named))]
        answers = yield tuple(hold(wish, pass_) for wish in wishes)
        yield from self._buy(visit, shopper, answers)

    def _buy(self, visit: Visit, shopper: Shopper, answers: Iterable[Answer]) -> Steps[None]:
        for answer in answers:
            if not answer.is_good:
                visit.refused("hold", answer)
                continue
            held = decode_hold(answer.body)
            visit.held(held)
            bought = yield from shopper.order(held, "yes")
            if bought.is_good:
                yield from shopper.bought(held, bought)
            else:
                visit.refused("order", bought)
                yield from shopper.release(held)


def robot(visit: Visit) -> Steps[str]:
    """A whole visit of a scripted buyer. Answers why it ended."""
    try:
        rules = yield from visit.learn_rules()
        why = yield from Robot(visit, rules).run()
    except Left as left:
        why = str(left)
    visit.tell("left", why=why)
    return why
