"""Where a house wants to be told of its sales: its endpoints, and what became of everything that was told there."""

from functools import cache
from typing import Annotated, Any, Final

from litestar import Request, delete, get
from litestar.params import Parameter

from api.guards import Caller, Limit, allows, caller_of, change, changing
from api.manage_wire import Text
from api.webhooks_wire import (
    DeliveriesReply,
    TestReply,
    WebhookChange,
    WebhookReason,
    WebhookReply,
    WebhookRequest,
    WebhookRotation,
    WebhooksReply,
)
from engine.destinations import Gate, Lookups
from engine.endpoints import register
from engine.ledger import webhooks
from engine.ledger.customers import By
from engine.ledger.webhooks import Endpoint
from engine.network import House
from engine.orders import new_order_id
from engine.webhooks import TYPES, secret_of

AT: Final = "/webhooks/{webhook:str}"
Call = Request[Any, Any, Any]
State = Annotated[str, Parameter(query="state")]


@cache
def _gate(house: House) -> Gate:
    """Each house looks names up by itself."""
    return Gate(house.webhooks_to, Lookups())


def _by(caller: Caller, why: str) -> By:
    return By(who=caller.change("").who, why=why, operation=caller.operation)


def _reply(endpoint: Endpoint, secret: str | None = None) -> WebhookReply:
    return WebhookReply(
        webhook=endpoint.webhook,
        url=endpoint.url,
        types=endpoint.types,
        description=endpoint.description,
        created_at=endpoint.created_at,
        disabled=endpoint.disabled_at is not None,
        disabled_why=endpoint.disabled_why,
        previous_until=endpoint.previous_until,
        failing_since=endpoint.failing_since,
        secret=secret,
    )


def _with_secret(caller: Caller, endpoint: Endpoint) -> WebhookReply:
    return _reply(endpoint, secret_of(caller.cell.signer, endpoint.webhook, endpoint.secrets[0]))


@get("/webhooks", guards=[allows()], summary="The endpoints that are told of sales, without their secrets")
async def list_webhooks(request: Call) -> WebhooksReply:
    """Every endpoint."""
    found = await webhooks.webhooks(caller_of(request).ledger)
    return WebhooksReply(webhooks=tuple(map(_reply, found)), types=TYPES)


@change("/webhooks", "Register an endpoint; its secret is shown this once", status_code=201)
async def create_webhook(request: Call, data: WebhookRequest) -> WebhookReply:
    """The endpoint with its secret."""
    caller = await changing(request)
    house, asked = caller.cell.house, (data.url, data.types, data.description)
    by = _by(caller, data.reason)
    made = await register(house, caller.cell.signer, caller.ledger, _gate(house), *asked, by)
    return _with_secret(caller, made)


@change(AT, "Change an endpoint's address, types or description")
async def change_webhook(request: Call, webhook: str, data: WebhookChange) -> WebhookReply:
    """The endpoint as it is now."""
    caller = await changing(request)
    await webhooks.find_webhook(caller.ledger, webhook)
    url = await _gate(caller.cell.house).check(data.url) if data.url is not None else None
    by = _by(caller, data.reason)
    return _reply(await webhooks.change(caller.ledger, webhook, url, data.types, data.description, by))


@change(AT + "/disable", "Tell an endpoint nothing more, for now")
async def disable_webhook(request: Call, webhook: str, data: WebhookReason) -> WebhookReply:
    """The endpoint as it is now. What happens meanwhile is not told there later."""
    caller = await changing(request)
    return _reply(await webhooks.disable(caller.ledger, webhook, _by(caller, data.reason)))


@change(AT + "/enable", "Tell an endpoint again, what still waits first")
async def enable_webhook(request: Call, webhook: str, data: WebhookReason) -> WebhookReply:
    """The endpoint as it is now."""
    caller = await changing(request)
    return _reply(await webhooks.enable(caller.ledger, webhook, _by(caller, data.reason)))


@change(AT + "/secret", "Give an endpoint another secret, shown this once")
async def rotate_secret(request: Call, webhook: str, data: WebhookRotation) -> WebhookReply:
    """The endpoint with its new secret; the one before counts for a while as well."""
    caller = await changing(request)
    rotated = await webhooks.rotate(caller.ledger, webhook, data.overlap_seconds, _by(caller, data.reason))
    return _with_secret(caller, rotated)


@change(AT + "/test", "Send an endpoint an event that says nothing")
async def send_webhook_test(request: Call, webhook: str, data: WebhookReason) -> TestReply:
    """The event's id, to be found among the endpoint's deliveries."""
    caller = await changing(request)
    return TestReply(event=await webhooks.send_test(caller.ledger, webhook, _by(caller, data.reason)))


@delete(AT, guards=[allows()], summary="Remove an endpoint")
async def remove_webhook(request: Call, webhook: str, reason: Text = "removed") -> None:
    """Nothing more is told there, nor what still waited."""
    caller = caller_of(request)
    by = By(who=caller.change("").who, why=reason, operation=new_order_id())
    await webhooks.remove(caller.ledger, webhook, by)


@get(AT + "/deliveries", guards=[allows()], summary="What was told at an endpoint, and what became of it")
async def list_deliveries(request: Call, webhook: str, limit: Limit = 100, standing: State = "") -> DeliveriesReply:
    """The newest first; with `state` (`waiting`, `delivered`, `given_up`), those alone. Kept for 30 days."""
    found = await webhooks.deliveries(caller_of(request).ledger, webhook, limit, standing)
    return DeliveriesReply(deliveries=tuple(found))


@change(AT + "/deliveries/{event:str}/resend", "Tell an endpoint something again, under the id that it has")
async def resend_delivery(request: Call, webhook: str, event: str, data: WebhookReason) -> DeliveriesReply:
    """The endpoint's deliveries, this one waiting again."""
    caller = await changing(request)
    await webhooks.resend(caller.ledger, webhook, event, _by(caller, data.reason))
    return DeliveriesReply(deliveries=tuple(await webhooks.deliveries(caller.ledger, webhook, 100)))


WEBHOOKS: Final = (
    *(list_webhooks, create_webhook, change_webhook, disable_webhook, enable_webhook, rotate_secret),
    *(send_webhook_test, remove_webhook, list_deliveries, resend_delivery),
)
