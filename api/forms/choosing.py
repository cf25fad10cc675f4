"""Choosing seats without JavaScript: the best together, standing places, or seat by seat along a row."""

from functools import partial
from typing import Any, Final

import msgspec

from api.forms.basket import basket_view, title_of
from api.forms.door import IN_TURN, MOVED, Visit, pages
from api.forms.frame import explain
from api.forms.halls import Hall, ListedRow, listed
from api.forms.inside import time_inside
from api.forms.kept import BasketHold, with_hold
from api.forms.proofs import offered, typed_types
from api.forms.wishing import WISHES, count, counted_types, spelled, types_of_seats, why, wish_of
from api.hot import Answer
from api.visitor import owner_of
from engine import seats
from engine.catalogue import Performance
from engine.errors import BadInput, ForgedToken, Refused
from engine.pressure import Level
from engine.words import OPEN

MOST_OFFERS: Final = 4
BASKET_FULL: Final = "basket-full"
NOT_AGAIN: Final = frozenset({"pass-ended", "pass-required", "sale-ended", "forged-token"})
"""Refusals after which nothing can be chosen here."""


class Offer(msgspec.Struct, frozen=True):
    """Other seats, instead of those that there are not."""

    seats: list[str]
    types: list[str]
    name: str


class Notice(msgspec.Struct, frozen=True):
    """What the last form came to, and what one can do instead."""

    said: str
    offers: list[Offer]
    elsewhere: list[Performance]


def _notice(visit: Visit, performance: Performance, hall: Hall) -> Notice | None:
    """What the address says of a refusal: seats of this hall, checked as everything that comes from outside."""
    query, words = visit.query, visit.words
    slug = query.get("problem")
    if not slug:
        return None
    taken = [seat for seat in query.all("taken") if seat in hall.seats]
    limit = query.get("limit")
    said = explain(words, slug, {"limit": count(limit) or visit.on_sale.seats_a_hold})
    if slug == "condition-not-met" and (price := query.get("price")) in performance.price_types:
        said = words.unmet(price, performance.type_of(price))
    if taken:
        said += f" {hall.name_seats(taken, words)}."
    largest = query.get("largest")
    if count(largest):
        said += " " + words.say("largest_party", n=count(largest))
    types, offers = query.all("type") or counted_types(query), []
    for text in query.all("instead")[:MOST_OFFERS]:
        instead = [seat for seat in text.split(" ") if seat in hall.seats]
        priced = [performance.prices.get(hall.seats[seat][1].category, {}) for seat in instead]
        fits = len(types) == len(instead) and all(each in prices for each, prices in zip(types, priced, strict=True))
        if instead:
            offers.append(Offer(instead, types if fits else [], hall.name_seats(instead, words)))
    left = [visit.cell.performance(name) for name in visit.on_sale.performances if name in query.all("left")]
    return Notice(said, offers, left)


class Group(msgspec.Struct, frozen=True):
    """A category, or a standing area: what it costs, and how much of it is free."""

    id: str
    name: str
    open: int
    prices: dict[str, list[int]]
    category: str = ""


def _prices(visit: Visit, performance: Performance, categories: "list[str]") -> "dict[str, list[int]]":
    """The price types that every one of the categories has, with the amounts."""
    tables = [offered(visit, performance, category) for category in categories]
    shared = [each for each in tables[0] if all(each in table for table in tables)] if tables else []
    return {each: [table[each] for table in tables] for each in shared}


def chosen_performance(visit: Visit, basket: "list[BasketHold]") -> Performance:
    """The one that is asked for, else that of the basket, else the first."""
    names = visit.on_sale.performances
    first = basket[0].hold.performances[0] if basket else names[0]
    asked = visit.fields.get("performance") or visit.query.get("performance") or first
    return visit.cell.performance(next((name for name in names if name == asked), names[0]))


def _row(visit: Visit, hall: Hall) -> "tuple[int, int] | None":
    """Zone and row that the address asks for: (zone, -1) for all its rows; None for all zones."""
    zone, row = visit.query.get("zone"), visit.query.get("row")
    if not (zone.isdecimal() and len(zone) < 5 and int(zone) < len(hall.zones)):
        return (0, -1) if len(hall.zones) == 1 else None
    is_row = row.isdecimal() and len(row) < 5 and int(row) < len(hall.zones[int(zone)].rows)
    return int(zone), int(row) if is_row else -1


async def show_seats(visit: Visit) -> Answer:
    """What can be chosen, and what is in the basket."""
    status, words = await visit.status(), visit.words
    view = await basket_view(visit, status)
    if not visit.has_pass(status) and not view:
        return visit.go(problem=visit.query.get("problem"))
    performance = chosen_performance(visit, view.holds)
    board = visit.boards.seats(performance.performance)
    counts, seat_map = (await board.counts()).open, await board.now()
    performance = visit.cell.performance(performance.performance)
    open_hall = visit.cell.catalogue.halls[performance.hall_at(seat_map.plan_change)]
    hall = await listed(open_hall)
    standing = [
        Group(
            id=area.id,
            name=hall.name_area(area.id, words),
            category=area.category,
            open=max(0, seat_map.areas[area.id]),
            prices=_prices(visit, performance, [area.category]),
        )
        for area in open_hall.layout.areas
    ]
    where = _row(visit, hall)
    mine = [
        item.seat
        for each in view.holds
        for item in each.hold.items
        if item.seat and item.performance == performance.performance
    ]
    row: ListedRow | None = hall.zones[where[0]].rows[where[1]] if where and where[1] >= 0 else None
    return visit.show(
        "seats.html",
        best_prices=_prices(visit, performance, hall.categories),
        basket=view,
        categories=[
            Group(
                id=name,
                name=name,
                open=counts[name] - sum(area.open for area in standing if area.category == name),
                prices=_prices(visit, performance, [name]),
            )
            for name in hall.categories
        ],
        currency=performance.currency,
        hall=hall,
        hall_name=open_hall.hall.name,
        has_stairs="without_stairs" in open_hall.hall.plan.get("parvis", {}),
        asked=visit.query.under("q."),
        asked_area=visit.query.get("area"),
        asked_category=visit.query.get("category"),
        key=visit.kept.made,
        limit=visit.on_sale.seats_a_hold,
        near=next((each for each in mine if each in hall.seats), ""),
        mine=set(mine),
        notice=_notice(visit, performance, hall),
        on_sale=visit.on_sale,
        open_letter=OPEN,
        inside=time_inside(visit, status),
        performance=performance,
        prices_of=partial(offered, visit, performance),
        proofs=visit.kept.proofs,
        typed=typed_types(performance),
        counts_of=lambda name: words.counts_of(performance.type_of(name)),
        is_companion=lambda name: performance.type_of(name).needs == "companion",
        performances=[visit.cell.performance(name) for name in visit.on_sale.performances],
        row=row,
        standing=standing,
        states=seat_map.seats,
        title_of=title_of,
        where=where,
        why=why(visit.query, words),
        wished={name: visit.query.get(name) for name in WISHES},
    )


def _refused(visit: Visit, performance: Performance, slug: str, facts: "dict[str, Any]") -> Answer:
    """Back to where the choice was made, with what there is instead."""
    fields, here, left = visit.fields, performance.performance, facts.get("elsewhere", [])
    instead = [
        *facts.get("alternatives", []),
        *(each.seats for each in left if each.seats and each.performance == here),
    ]
    if slug == MOVED:
        return visit.step_aside()
    if slug in NOT_AGAIN:
        visit.keep(pass_="")
        return visit.go(problem=slug)
    return visit.go(
        "/seats",
        performance=performance.performance,
        zone=fields.get("zone"),
        row=fields.get("row"),
        problem=slug,
        taken=facts.get("taken", facts.get("seat")),
        instead=[" ".join(each) for each in instead[:MOST_OFFERS]],
        left=list(dict.fromkeys(each.performance for each in left if each.performance != here)),
        largest=facts.get("largest_party"),
        type=types_of_seats(fields),
        category=fields.get("category"),
        area=fields.get("area"),
        limit=facts.get("limit"),
        price=facts.get("price_type"),
        **{name: fields.get(name) for name in WISHES},
        **{f"q.{name}": text for name, text in fields.under("q.").items() if count(text)},
    )


async def hold(visit: Visit) -> Answer:
    """Holds what is wished for. A form that was sent before changes nothing: `key` counts the holds made until then."""
    cell, kept = visit.cell, visit.kept
    performance = chosen_performance(visit, [])
    if visit.fields.get("key") != str(kept.made):
        return visit.go("/seats", performance=performance.performance, problem="key-reused")
    if len(kept.holds) >= cell.house.limits.holds_an_order:
        return _refused(visit, performance, BASKET_FULL, {})
    try:
        owner, _ = owner_of(cell, kept.pass_)
        wish, types = wish_of(visit.fields, performance)
        key = cell.signer.derive(f"hold {kept.made}", kept.secret)
        held = await seats.hold(cell, owner, (wish,), types, key, kept.proofs)
    except (BadInput, ForgedToken) as error:
        return _refused(visit, performance, "bad-input" if isinstance(error, BadInput) else "forged-token", {})
    except Refused as refusal:
        if refusal.slug in {"key-reused", "plan-changed"}:
            # Its answer was lost, and something else is wished for now, or under another plan.
            visit.keep(made=kept.made + 1)
        return _refused(visit, performance, refusal.slug, refusal.facts)
    visit.kept = with_hold(kept, held.token, held.expires_at_ms)
    if not visit.fits():
        visit.kept = msgspec.structs.replace(kept, made=kept.made + 1)
        await seats.release(cell, held.hold)
        return _refused(visit, performance, BASKET_FULL, {})
    return visit.go("/seats", performance=performance.performance, **spelled(held.choices))


pages("/seats", "plain_seats", show=show_seats, act=hold, needs=IN_TURN, sheds=Level.HOLDS)
