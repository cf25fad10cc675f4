"""What the law lets a house's customers ask of it: all that it holds of them, and to be taken out of it.

The address comes in the body, never in the path or the query: those stand in logs, of which Parvis has not all.
"""

from typing import Any

from litestar import Request

from api.guards import change, changing
from api.manage_wire import Text
from api.wire import Request as Body
from engine.ledger import customers
from engine.ledger.customers import By, Erased, Export

Call = Request[Any, Any, Any]


class CustomerRequest(Body, frozen=True):
    """Whose data, and why it is asked; the reason stays in the log and may not name them."""

    email: Text
    reason: Text


@change("/customers/export", "All that the house holds of a customer")
async def export_customer(request: Call, data: CustomerRequest) -> Export:
    """Orders, items, refund requests, and orders that could not be recorded."""
    caller = await changing(request)
    by = By(who=caller.change("").who, why=data.reason, operation=caller.operation)
    return await customers.export(caller.ledger, caller.cell.signer, data.email, by)


@change("/customers/erase", "Take a customer out of the house's data; the accounts stay")
async def erase_customer(request: Call, data: CustomerRequest) -> Erased:
    """How much was anonymised."""
    caller = await changing(request)
    by = By(who=caller.change("").who, why=data.reason, operation=caller.operation)
    return await customers.erase(caller.ledger, caller.cell.signer, data.email, by)
