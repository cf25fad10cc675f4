"""Paying without JavaScript, and what became of the order."""

from typing import Final

from api.forms.basket import basket_view, halls_of, title_of
from api.forms.bought import CHOICES, keep_order, name_of, order_of, payment_of
from api.forms.door import IN_TURN, MOVED, Visit, pages, policy_of
from api.forms.frame import explain
from api.forms.kept import basket_of
from api.hot import Answer
from api.visitor import confirm_basket, find_order
from api.wire import OrderRequest
from engine.draw import encode
from engine.entries import Customer
from engine.errors import BadInput, Refused
from engine.orders import check_customer
from engine.prices import vat_by_rate
from engine.words import OrderId

GONE: Final = frozenset({"hold-ended", "unknown-hold"})
LOOK_AGAIN_SECONDS: Final = 8
LONGEST_NAME: Final = 120
LONGEST_EMAIL: Final = 254


async def show_payment(visit: Visit) -> Answer:
    """The form, which comes after the hold and never before."""
    status = visit.query.get("problem")
    return await _form(visit, explain(visit.words, status) if status else "")


async def _form(
    visit: Visit, said: str = "", *, wrong: "dict[str, str] | None" = None, status: int = 200, problem: str = ""
) -> Answer:
    """The form, with what was typed; `wrong`: what is to be mended, by field."""
    view = await basket_view(visit, await visit.status())
    if not view:
        return visit.go("/order" if visit.kept.order else "/seats", problem=problem or visit.query.get("problem"))
    answer = visit.show(
        "pay.html",
        status=status,
        basket=view,
        choices=CHOICES,
        choice=visit.fields.get("payment") or CHOICES[0],
        on_sale=visit.on_sale,
        said=said,
        typed={name: visit.fields.get(name) for name in ("email", "name")},
        wrong=wrong or {},
    )
    answer.refusal = problem
    return answer


def _customer(visit: Visit) -> "tuple[Customer, dict[str, str]]":
    """Who buys, and what is wrong with what they typed."""
    fields, words = visit.fields, visit.words
    email, name = fields.get("email"), fields.get("name")
    wrong = {}
    try:
        check_customer(Customer(email=email))
    except BadInput:
        wrong["email"] = words.say("plain.email_wrong")
    if not name.isprintable() or len(name) > LONGEST_NAME:
        wrong["name"] = words.say("plain.name_wrong")
    return Customer(email=email, name=name, language=words.language), wrong


async def pay(visit: Visit) -> Answer:
    """Confirms the basket. The same basket is one order, however often it is sent."""
    cell, kept, signer = visit.cell, visit.kept, visit.cell.signer
    # What the form showed and nothing else; what has run out since too: an order whose answer was lost is told by
    # asking the same again.
    shown = visit.fields.all("hold")
    holds = [each for each in basket_of(cell, visit.place, kept, 0) if each.hold.hold in shown]
    if not holds:
        return visit.go("/order") if kept.order else visit.go("/seats", problem="hold-ended")
    customer, wrong = _customer(visit)
    choice = visit.fields.get("payment")
    if wrong or choice not in CHOICES:
        return await _form(visit, visit.words.say("plain.look_at_fields"), wrong=wrong, status=422, problem="bad-input")
    request = OrderRequest(
        holds=tuple(each.token for each in holds),
        customer=customer,
        payment=payment_of(visit, holds, choice),
    )
    tried = {each.token for each in holds}
    alive = {each.token for each in visit.basket(await visit.status())}
    order: OrderId | None
    try:
        key = signer.derive(f"order {name_of(holds)}", kept.secret)
        order, _ = await confirm_basket(cell, visit.call.ledger, kept.pass_, request, key)
    except Refused as refusal:
        order = await order_of(visit, holds) if refusal.slug == "key-reused" else None
        if order is None:
            if refusal.slug == MOVED:
                return visit.step_aside()
            if refusal.slug not in GONE:
                return await _form(visit, explain(visit.words, refusal.slug), status=402, problem=refusal.slug)
            # One of them has run out: the others are the visitor's still.
            _keep_holds(visit, alive if tried - alive else alive - tried)
            if not refusal.facts.get("order"):
                return visit.go("/seats", problem=refusal.slug)
            # Paid, but too late: the money goes back, and the order says so.
            visit.keep(order=refusal.facts["order"], order_secret=refusal.facts["order_secret"])
            return visit.go("/order")
    _keep_holds(visit, alive - tried)
    keep_order(visit, order)
    return visit.go("/order")


def _keep_holds(visit: Visit, tokens: "set[str]") -> None:
    """Keeps these holds of the basket, and no others."""
    visit.keep(holds=tuple(each for each in visit.kept.holds if encode(each.token) in tokens))


async def show_order(visit: Visit) -> Answer:
    """The order as it stands; one that waits for its payment is looked at again."""
    kept = visit.kept
    if not kept.order:
        return visit.go()
    try:
        found = await find_order(visit.cell, visit.call.ledger, OrderId(kept.order), kept.order_secret)
    except Refused:  # a cookie from elsewhere
        visit.keep(order="", order_secret="")
        return visit.go()
    is_waiting = found.state == "awaiting_payment"
    names = [item.performance for item in found.items]
    return visit.show(
        "order.html",
        refresh_s=LOOK_AGAIN_SECONDS if is_waiting and visit.query.get("still") != "1" else 0,
        delivery=policy_of(visit, "delivery"),
        fees=sum(item.fee for item in found.items),
        halls={name: visit.cell.catalogue.halls[visit.cell.performance(name).hall].hall.name for name in names},
        is_still=visit.query.get("still") == "1",
        is_waiting=is_waiting,
        names=await halls_of(visit, [*names]),
        on_sale=visit.on_sale,
        order=found,
        # Whether the books have it already is ours to know: to whoever bought, it is the same.
        state="confirmed" if found.state == "recorded" else found.state,
        titles={name: title_of(visit.cell.performance(name), visit.words) for name in names},
        vat=vat_by_rate(found.items),
    )


pages("/pay", "plain_pay", show=show_payment, act=pay, needs=IN_TURN)
pages("/order", "plain_order", show=show_order)
