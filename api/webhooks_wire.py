"""The shapes on the wire of a house's endpoints, and of what is told there."""

from typing import Annotated, Literal

import msgspec

from api.manage_wire import Text
from api.wire import Reply, Request
from engine.ledger.webhooks import Delivery
from engine.words import OnSaleId, OrderId

Description = Annotated[str, msgspec.Meta(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
Url = Annotated[str, msgspec.Meta(max_length=500, pattern=r"^https://")]


class WebhookRequest(Request, frozen=True):
    """An endpoint. `url` is https, of the public internet; `types` are one or more of what can be told."""

    url: Url
    types: tuple[str, ...]
    description: Description = ""
    reason: Text = "asked for"


class WebhookChange(Request, frozen=True):
    """What is to change of an endpoint; what is left out stays."""

    reason: Text
    url: Url | None = None
    types: tuple[str, ...] | None = None
    description: Description | None = None


class WebhookReason(Request, frozen=True):
    """Why."""

    reason: Text


class WebhookRotation(Request, frozen=True):
    """Another secret; the one before goes on counting for `overlap_seconds`, seven days at most."""

    reason: Text
    overlap_seconds: int = 86_400


class WebhookReply(Reply, frozen=True):
    """An endpoint; a secret only in the answer that made it.

    `previous_until`: until when every event is signed with the secret before as well. `failing_since`: since when it
    has taken nothing, if that is so now.
    """

    webhook: str
    url: str
    types: tuple[str, ...]
    description: str
    created_at: str
    disabled: bool
    disabled_why: str = ""
    previous_until: str | None = None
    failing_since: str | None = None
    secret: str | None = None


class WebhooksReply(Reply, frozen=True, omit_defaults=False):
    """Every endpoint, the oldest first, and every type that there is with what it says."""

    webhooks: tuple[WebhookReply, ...]
    types: dict[str, str]


class DeliveriesReply(Reply, frozen=True, omit_defaults=False):
    """What was, or is still, to be told at an endpoint; the newest first."""

    deliveries: tuple[Delivery, ...]


class TestReply(Reply, frozen=True):
    """The id of the event that is on its way."""

    event: str


class OnSaleFacts(msgspec.Struct, frozen=True):
    """Which on-sale."""

    on_sale: OnSaleId


class OrderFacts(msgspec.Struct, frozen=True):
    """Which order, and of which on-sale; who bought it is asked with a key."""

    order: OrderId
    on_sale: OnSaleId


class WebhookFacts(msgspec.Struct, frozen=True):
    """Which endpoint."""

    webhook: str


class OnSaleEvent(msgspec.Struct, frozen=True):
    """Something happened to an on-sale. `timestamp`: when, RFC 3339."""

    type: Literal["on_sale.opened", "on_sale.paused", "on_sale.resumed", "on_sale.sold_out"]
    timestamp: str
    data: OnSaleFacts


class OrderEvent(msgspec.Struct, frozen=True):
    """Something happened to an order. `timestamp`: when, RFC 3339."""

    type: Literal["order.confirmed", "order.recorded", "order.refunded"]
    timestamp: str
    data: OrderFacts


class TestEvent(msgspec.Struct, frozen=True):
    """Somebody of the house tries the endpoint."""

    type: Literal["webhook.test"]
    timestamp: str
    data: WebhookFacts
