"""An order whose answer was lost on its way: known by its payment, which a basket names in the same way each time."""

from typing import Final

from api.forms.door import Visit
from api.forms.kept import BasketHold
from engine.conditions import NOTHING
from engine.entries import Payment
from engine.orders import find_paid
from engine.words import OrderId

CHOICES: Final = ("yes", "no", "late")
"""How the demonstration's payment ends."""


def name_of(holds: "list[BasketHold]") -> str:
    """What makes a basket the same one."""
    return " ".join(sorted(each.hold.hold for each in holds))


def payment_of(visit: Visit, holds: "list[BasketHold]", choice: str) -> Payment:
    """The one payment of a basket that ends so."""
    name = visit.cell.signer.derive(f"payment {name_of(holds)}", visit.kept.secret)
    return Payment(provider="demo", reference=f"{choice}-{name}")


async def order_of(visit: Visit, holds: "list[BasketHold]") -> OrderId | None:
    """The order that was made of a basket, whatever else was typed or chosen since; None for none that Redis knows."""
    for choice in CHOICES:
        payment = payment_of(visit, holds, choice)
        order = await find_paid(visit.cell, payment.provider, payment.reference)
        if order:
            return order
    return None


def keep_order(visit: Visit, order: OrderId) -> None:
    """Keeps an order, with what lets its buyer read it; its pass is spent, and what was shown for it."""
    visit.keep(order=order, order_secret=visit.cell.signer.order_secret(order), pass_="", proofs=NOTHING)
