"""The basket without JavaScript: what is held, until when; let go of it."""

import msgspec

from api.forms.bought import keep_order, order_of
from api.forms.door import IN_TURN, Visit, pages
from api.forms.halls import Hall, listed
from api.forms.kept import BasketHold
from api.forms.words import Words
from api.hot import Answer
from api.visitor import owner_of
from api.wire_status import StatusReply
from engine import seats
from engine.catalogue import Performance
from engine.draw import decode
from engine.errors import Refused
from engine.prices import vat_by_rate
from engine.waiting_room import newest
from engine.words import OrderId


class BasketView(msgspec.Struct, frozen=True):
    """The basket as pages show it, with the halls' names for what is in it."""

    holds: list[BasketHold]
    names: dict[str, Hall]
    titles: dict[str, str]
    total: int
    fees: int
    vat: dict[int, int]
    currency: str
    ends_at_ms: int

    def __bool__(self) -> bool:
        return bool(self.holds)


def title_of(performance: Performance, words: Words) -> str:
    """What a performance is called beside others: title, date and time."""
    starts_at_ms = performance.starts_at_ms
    return f"{performance.title}, {words.short_date(starts_at_ms)} {words.hour(starts_at_ms)}"


async def halls_of(visit: Visit, names: "list[str]") -> "dict[str, Hall]":
    """The hall of each performance, as a list."""
    halls = visit.cell.catalogue.halls
    return {name: await listed(halls[visit.cell.performance(name).hall]) for name in dict.fromkeys(names)}


async def basket_view(visit: Visit, status: StatusReply) -> BasketView:
    """The basket as it stands by the house's clock."""
    holds = visit.basket(status)
    items = [item for each in holds for item in each.hold.items]
    names = [item.performance for item in items]
    return BasketView(
        holds=holds,
        names=await halls_of(visit, [*names]),
        titles={name: title_of(visit.cell.performance(name), visit.words) for name in names},
        total=sum(each.hold.total for each in holds),
        fees=sum(item.fee for item in items),
        vat=vat_by_rate(items),
        currency=holds[0].hold.currency if holds else "EUR",
        ends_at_ms=min((each.expires_at_ms for each in holds), default=0),
    )


async def _is_elsewhere(visit: Visit) -> bool:
    """Whether another device of theirs has gone on since. Raises `ForgedToken` for a pass that is not ours."""
    owner, _ = owner_of(visit.cell, visit.kept.pass_)
    try:
        await newest(visit.cell, owner.on_sale, owner.claim)
    except Refused:
        return True
    return False


async def release(visit: Visit) -> Answer:
    """Gives one hold's seats back; one that is gone already is gone."""
    if await _is_elsewhere(visit):
        return visit.step_aside()
    holds = visit.basket(await visit.status())
    for each in holds:
        if each.hold.hold == visit.fields.get("hold"):
            try:
                await seats.release(visit.cell, each.hold)
            except Refused as refusal:
                if refusal.slug != "hold-ended":
                    raise
                if order := await order_of(visit, holds):
                    return _told(visit, order)
            token = decode(each.token)
            visit.keep(holds=tuple(held for held in visit.kept.holds if held.token != token))
    return visit.go("/seats")


def _told(visit: Visit, order: OrderId) -> Answer:
    """What had ended before its time was bought: the answer to it was lost."""
    keep_order(visit, order)
    visit.keep(holds=())
    return visit.go("/order")


pages("/release", "plain_release", act=release, needs=IN_TURN)
