"""Staff at the counter: people stand before them and buy, whatever goes on in the queue."""

import uuid
from typing import Final

from loadtests.shopping import decode_hold
from loadtests.visit import Left, Visit, milliseconds, now_ms
from loadtests.wire import Hold, OnSale, Pause, Steps

THINKS: Final = 8.0
"""A customer at the counter takes so many times as long as a visitor takes for a click."""
EMPTY: Final = 3
"""Staff believe that all is gone when so many customers in a row could get nothing."""


def serve_customers(visit: Visit, key: str) -> Steps[str]:
    """One desk, from the start of sales until all is sold. Answers why it ended."""
    try:
        rules = yield from visit.learn_rules()
        yield Pause(max(0.0, (milliseconds(rules.opens_at) - now_ms()) / 1000), is_waiting=True)
        empty_handed = 0
        while empty_handed < EMPTY:
            yield visit.think(THINKS, is_waiting=True)
            hold = yield from _hold(visit, rules, key)
            empty_handed = 0 if hold else empty_handed + 1
            if hold:
                yield visit.think(2)
                yield from _sell(visit, hold, key)
        why = "sold_out"
    except Left as left:
        why = str(left)
    visit.tell("left", why=why)
    return why


def _hold(visit: Visit, rules: OnSale, key: str) -> Steps[Hold | None]:
    """Seats together for whoever stands there, fewer if need be."""
    performance = visit.whim.choice(rules.performances).performance
    for party in range(visit.whim.randint(1, 4), 0, -1):
        body = {"items": [{"performance": performance, "best": {"quantity": party}}]}
        answer = yield from visit.change("counter hold", f"{visit.house_path}/holds", body, bearer=key, same="hold")
        if answer.is_good:
            hold = decode_hold(answer.body)
            visit.held(hold)
            return hold
        visit.refused("counter hold", answer)
        if answer.slug != "sold-out":
            return None
    return None


def _sell(visit: Visit, hold: Hold, key: str) -> Steps[None]:
    body = {"holds": [hold.hold], "payment": {"provider": "counter", "reference": f"cash-{uuid.uuid4()}"}}
    visit.tell("ordering", hold=hold.hold, payment="cash")
    answer = yield from visit.change("counter order", f"{visit.house_path}/orders", body, bearer=key, same="order")
    if answer.is_good:
        facts = answer.facts
        visit.ordered(hold, facts["order"], facts["order_secret"], facts["state"])
    elif answer.is_decided:
        visit.refused("counter order", answer)
    else:
        visit.tell("unresolved", hold=hold.hold)
