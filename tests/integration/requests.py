"""The people of the tables of wrong requests, and a word for each kind of request."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from engine.waiting_room import hash_secret

HASH = hash_secret("a secret")


@dataclass
class Cast:
    """What honest people have: one visitor of a sale with everything, and others to be mistaken for."""

    on_sale: str
    performance: str
    place: str
    secret: str
    pass_: str
    hold: str
    order: str
    order_secret: str
    other_pass: str
    other_hold: str
    other_on_sale: str
    other_performance: str
    far_on_sale: str
    far_performance: str
    far_place: str
    far_secret: str
    far_pass: str
    far_hold: str
    far_order: str
    far_order_secret: str
    ended_performance: str
    ended_pass: str
    ended_hold: str
    far_key: str
    manage_key: str
    counter_key: str
    reader_key: str


Body = Callable[[Cast], Any]


@dataclass
class Wrong:
    """One request. `path` is filled with the cast; `who` is the cast's field that is the bearer token."""

    name: str
    method: str
    path: str
    status: int
    slug: str
    body: Body | None = None
    raw: bytes | None = None
    who: str = ""
    key: str | None = ""
    headers: dict[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return self.name


PLACES = "/on-sales/{on_sale}/places"
PASSES = "/on-sales/{on_sale}/passes"
CUSTOMER = {"email": "visitor@example.org", "name": "A Visitor"}
PAYMENT = {"provider": "demo", "reference": "yes-of-a-wrong-request"}


def joins(name: str, status: int, slug: str, body: Any, **more: Any) -> Wrong:
    return Wrong(f"join: {name}", "POST", more.pop("path", PLACES), status, slug, lambda _: body, **more)


def claims(name: str, status: int, slug: str, body: Body, **more: Any) -> Wrong:
    return Wrong(f"pass: {name}", "POST", more.pop("path", PASSES), status, slug, body, **more)


def claim(place: str = "place", kept: str = "secret", **more: Any) -> Body:
    return lambda cast: {"place": vars(cast)[place], "secret": vars(cast)[kept], **more}


def holds(name: str, status: int, slug: str, body: Body, **more: Any) -> Wrong:
    return Wrong(f"hold: {name}", "POST", "/holds", status, slug, body, who=more.pop("who", "pass_"), **more)


def items(*asked: dict[str, Any], whose: str = "performance", **more: Any) -> Body:
    """A hold of items of one performance: the sale's, or another of the cast's."""
    return lambda cast: {"items": [{"performance": vars(cast).get(whose, whose), **item} for item in asked], **more}


def wish(**asked: Any) -> Body:
    """A hold of one item of the sale's performance."""
    return items(asked)


def swaps(name: str, status: int, slug: str, path: str = "/holds/{hold}/swap", **more: Any) -> Wrong:
    body = items({"seats": more.pop("seats", ["zaal-B-1"])}, whose=more.pop("whose", "performance"))
    return Wrong(f"swap: {name}", "POST", path, status, slug, body, who=more.pop("who", "pass_"), **more)


def orders(name: str, status: int, slug: str, holds: Callable[[Cast], list[Any]], **more: Any) -> Wrong:
    changed = more.pop("changed", {})

    def body(cast: Cast) -> Any:
        whole = {"holds": holds(cast), "customer": CUSTOMER, "payment": PAYMENT} | changed
        return {part: value for part, value in whole.items() if value is not ...}

    return Wrong(f"order: {name}", "POST", "/orders", status, slug, body, who=more.pop("who", "pass_"), **more)


def pays(name: str, status: int, slug: str, provider: str, reference: str) -> Wrong:
    payment = {"provider": provider, "reference": reference}
    return orders(name, status, slug, lambda cast: [cast.hold], changed={"payment": payment})


def buys(case: str, status: int, slug: str, **customer: Any) -> Wrong:
    return orders(case, status, slug, lambda cast: [cast.hold], changed={"customer": CUSTOMER | customer})


def reads(name: str, status: int, slug: str, path: str, **more: Any) -> Wrong:
    return Wrong(f"read: {name}", "GET", path, status, slug, key=None, **more)
