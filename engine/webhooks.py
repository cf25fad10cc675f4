"""What a house's own programs are told of its sales, how that is signed, and when it is told again.

Signed by the Standard Webhooks specification (its library's `Webhook.verify` checks it). A body is thin: it names what
happened and to what, and no customer. What is the matter with an order, the house's back end asks with its own key.
"""

import random
from base64 import b64encode
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import msgspec
from standardwebhooks import Webhook

from engine.draw import decode
from engine.instants import to_rfc3339
from engine.signing import Signer

TYPES: Final = {
    "on_sale.opened": "sales have started, at their time or by a person",
    "on_sale.paused": "a person has paused the sale; whoever is in goes on",
    "on_sale.resumed": "a paused or sold-out sale goes on",
    "on_sale.sold_out": "every seat is sold, and none may come back by itself",
    "order.confirmed": "an order is confirmed: its seats are sold, and it is safe on disk",
    "order.recorded": "the order stands in the house's books; `GET …/manage/orders/{order}` has it",
    "order.partly_refunded": "some of the order was returned, and its money is asked back: the rest stays valid",
    "order.exchanged": "the order, or some of it, was exchanged for a new one, which is told of by itself",
    "order.refunded": "the order was returned: its seats go back on sale, and its money is asked back",
}
"""What an endpoint can be told of, and what each says."""
TEST: Final = "webhook.test"
"""Sent when a person asks for it, to try an endpoint."""
VERBS: Final = {
    "pause": "on_sale.paused",
    "stop": "on_sale.paused",
    "resume": "on_sale.resumed",
    "sell_out": "on_sale.sold_out",
}
"""By what was done to an on-sale. That it opened is seen elsewhere: as a rule its time does it."""
RETRY_SECONDS: Final = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""After each failed attempt, before the next one; after the last one nobody tries again. Three days in all."""
DISABLED_AFTER_MS: Final = 3 * 86_400_000
"""An endpoint that has taken nothing for so long is told nothing more."""
REST_SECONDS: Final = 300
"""How long an endpoint that fails again and again is left alone, at most, before anything is tried there."""
LONGEST_REST_SECONDS: Final = 86_400
"""However much later an endpoint asks to be tried."""
JITTER: Final = 0.2
GONE: Final = 410
ASKS_FOR_TIME: Final = frozenset({429, 503})


class Event(msgspec.Struct, frozen=True):
    """Something to be told. `event`: its id, the same however often it is told; `subject`: which order or on-sale."""

    event: str
    type: str
    subject: str
    body: str
    at_ms: int


def make_event(event: str, kind: str, at_ms: int, subject: str, **facts: str) -> Event:
    """An event with the body that says so. The id has no full stop in it: it is part of what is signed."""
    what = "order" if kind.startswith("order.") else "on_sale" if kind.startswith("on_sale.") else "webhook"
    body = {"type": kind, "timestamp": to_rfc3339(at_ms), "data": {what: subject, **facts}}
    return Event(event, kind, subject, msgspec.json.encode(body).decode(), at_ms)


def of_order(kind: str, order: str, on_sale: str, at_ms: int) -> Event:
    """`order.confirmed`, `order.recorded` or `order.refunded`: each of them happens to an order once."""
    return make_event(f"order-{kind.partition('.')[2]}-{order}", kind, at_ms, order, on_sale=on_sale)


def of_partial_return(order: str, on_sale: str, entry: str, at_ms: int) -> Event:
    """`order.partly_refunded`, by the outbox's entry: it may happen to an order more than once."""
    return make_event(f"order-partly-refunded-{entry}", "order.partly_refunded", at_ms, order, on_sale=on_sale)


def of_exchange(order: str, on_sale: str, new_order: str, entry: str, at_ms: int) -> Event:
    """`order.exchanged`, by the outbox's entry: it may happen to an order more than once."""
    facts = {"on_sale": on_sale, "new_order": new_order}
    return make_event(f"order-exchanged-{entry}", "order.exchanged", at_ms, order, **facts)


def of_opening(on_sale: str, at_ms: int) -> Event:
    """`on_sale.opened`: once in the life of an on-sale."""
    return make_event(f"on-sale-opened-{on_sale}", "on_sale.opened", at_ms, on_sale)


def of_verb(verb: str, on_sale: str, entry: str, at_ms: int) -> Event:
    """What the outbox's entry says to have been done to an on-sale; `verb` is one of `VERBS`."""
    kind = VERBS[verb]
    return make_event(f"{kind.replace('.', '-').replace('_', '-')}-{entry}", kind, at_ms, on_sale)


def of_test(webhook: str, operation: str, at_ms: int) -> Event:
    """`webhook.test`, once for a request."""
    return make_event(f"test-{operation}", TEST, at_ms, webhook)


def secret_of(signer: Signer, webhook: str, number: int) -> str:
    """An endpoint's secret of a number, as Standard Webhooks writes it. It is made again whenever it is needed and
    kept nowhere: whoever has the house's key has them all.
    """
    return "whsec_" + b64encode(decode(signer.derive("webhook-secret", f"{webhook}|{number}"))).decode()


def sign(secrets: Sequence[str], event: str, body: str, at_ms: int) -> dict[str, str]:
    """The headers of one attempt: a signature for each secret that counts now."""
    at = datetime.fromtimestamp(at_ms // 1000, UTC)
    return {
        "webhook-id": event,
        "webhook-timestamp": str(at_ms // 1000),
        "webhook-signature": " ".join(Webhook(secret).sign(event, at, body) for secret in secrets),
    }


class Answer(msgspec.Struct, frozen=True):
    """What an endpoint answered: its status, or 0 and why there is none; and for how long it asks to be left alone."""

    status: int
    error: str = ""
    retry_after_seconds: float = 0.0

    @property
    def is_taken(self) -> bool:
        """Whether the endpoint has it."""
        return 200 <= self.status < 300


class Verdict(msgspec.Struct, frozen=True):
    """What becomes of a delivery after an answer, and of its endpoint. Instants in ms; None: never, or not at all.

    `due_at_ms`: when it is tried again; `rest_until_ms`: until when nothing is tried there; `disabled_why`: in words.
    """

    state: str
    due_at_ms: int | None = None
    rest_until_ms: int | None = None
    disabled_why: str = ""


def judge(
    answer: Answer,
    now_ms: int,
    attempts: int,
    failures: int,
    failing_since_ms: int | None,
    draw: Callable[[], float] = random.random,
) -> Verdict:
    """What follows from an answer. `attempts`: of this delivery, this one included; `failures`: of the endpoint on
    end, before this one; `failing_since_ms`: when the first of these was; `draw`: a number from 0 to 1.
    """
    if answer.is_taken:
        return Verdict("delivered")
    if answer.status == GONE:
        return Verdict("given_up", disabled_why="it answered 410: it is gone")
    asked_ms = int(min(answer.retry_after_seconds, LONGEST_REST_SECONDS) * 1000)
    rest_ms = max(asked_ms, _vary(min(2 ** min(failures, 16), REST_SECONDS), draw))
    is_dead = failing_since_ms is not None and now_ms - failing_since_ms >= DISABLED_AFTER_MS
    why = "it has taken nothing for three days" if is_dead else ""
    if attempts > len(RETRY_SECONDS):
        return Verdict("given_up", None, now_ms + rest_ms, why)
    due_ms = max(asked_ms, _vary(RETRY_SECONDS[attempts - 1], draw))
    return Verdict("waiting", now_ms + due_ms, now_ms + rest_ms, why)


def _vary(seconds: float, draw: Callable[[], float]) -> int:
    """About so long, in ms: those who failed together do not come back together."""
    return int(seconds * 1000 * (1 + JITTER * (2 * draw() - 1)))


def retry_after(text: str, now_ms: int) -> float:
    """`Retry-After` in seconds, from seconds or a date (RFC 9110); 0 where it is neither."""
    if text.isascii() and text.isdecimal() and len(text) < 10:
        return float(text)
    try:
        at: Any = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError):
        return 0.0
    return max(0.0, float(at.replace(tzinfo=at.tzinfo or UTC).timestamp()) - now_ms / 1000)
