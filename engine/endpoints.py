"""How an endpoint is registered: where it leads is looked at first; its id and its secret are its operation's own."""

from collections.abc import Sequence

from engine.destinations import Gate
from engine.ledger.customers import By
from engine.ledger.ledger import Ledger
from engine.ledger.webhooks import Endpoint, create
from engine.network import House
from engine.signing import Signer


async def register(
    house: House,
    signer: Signer,
    ledger: Ledger,
    gate: Gate,
    url: str,
    types: Sequence[str],
    description: str,
    by: By,
) -> Endpoint:
    """A new endpoint, or the one that this operation made. Raises `BadInput`, `Refused`, `LedgerUnavailable`."""
    checked = await gate.check(url)
    webhook = "wh" + signer.derive("webhook-id", by.operation)[:16].lower().replace("_", "x").replace("-", "y")
    return await create(ledger, webhook, checked, types, description, house.limits.webhooks, by)
