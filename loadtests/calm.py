"""Calm shoppers at a quiet house, at a steady pace: what its visitors feel while another house has a rush."""

import time
from collections.abc import Callable
from typing import Final

import msgspec

from loadtests.queueing import join, wait
from loadtests.visit import Left, Visit, new_key
from loadtests.wire import Answer, Ask, OnSale, Pause, Steps

SHOPPERS: Final = 8
QUIET: Final = "quiet "
"""What the names of their requests begin with."""
ASKED: Final = ("quiet status", "quiet seats", "quiet hold", "quiet release")
_PARTY: Final = 2
_PASS_ENDED: Final = frozenset({"pass-required", "pass-ended", "moved-elsewhere"})


def shop_calmly(visit: Visit, apart_s: float, first_s: float, ends_at_s: Callable[[], float]) -> Steps[str]:
    """Hold a pair of seats and give it back, every `apart_s` seconds from `first_s` (monotonic) until `ends_at_s`."""
    try:
        rules = yield from visit.learn_rules()
        yield from join(visit)
        pass_ = yield from wait(visit)
        due_s = max(first_s, time.monotonic())
        while due_s < ends_at_s():
            yield Pause(max(0.0, due_s - time.monotonic()))
            pass_ = yield from _once(visit, rules, pass_)
            due_s += apart_s
        why = "done"
    except Left as left:
        why = str(left)
    visit.tell("left", why=why)
    return why


def _once(visit: Visit, rules: OnSale, pass_: str) -> Steps[str]:
    """Status, seats, hold, release, each asked once. Answers the pass for next time."""
    performance, house = rules.performances[0].performance, visit.house_path
    yield (Ask("quiet status", "GET", f"{visit.on_sale_path}/status"),)
    yield (Ask("quiet seats", "GET", f"{house}/performances/{performance}/seats"),)
    body = msgspec.json.encode({"items": [{"performance": performance, "best": {"quantity": _PARTY}}]})
    (held,) = yield (Ask("quiet hold", "POST", f"{house}/holds", body=body, bearer=pass_, key=new_key()),)
    if held.is_good:
        yield (Ask("quiet release", "DELETE", f"{house}/holds/{held.facts['hold']}", bearer=pass_),)
    elif held.slug in _PASS_ENDED:
        return (yield from wait(visit))
    else:
        _unwell(visit, held)
    return pass_


def _unwell(visit: Visit, answer: Answer) -> None:
    """A quiet house has no reason to refuse a pair of seats; silence and a 503 are counted with the requests."""
    if answer.is_decided:
        visit.broken(f"the quiet house refused a pair of seats: {answer.slug}")
    else:
        visit.tell("not_now", step="quiet hold", slug=answer.slug)
