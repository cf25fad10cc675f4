"""Every route of the app, tried by everybody who may not use it; and what one house learns of another's ids: nothing.

A route without an expectation here fails: whoever adds one says who may use it.
"""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from litestar.routes import ASGIRoute, HTTPRoute

from api.app import create_app
from api.forms.directory import HOUSE as PLAIN_HOUSE
from api.forms.door import FORMS, ROOM
from api.forms.door import PATHS as PLAIN_PATHS
from api.forms.summary import ADDRESS as SUMMARY_PAGE
from api.hot import ROUTES
from tests.integration.books import Books, changes
from tests.receiver import ADDRESS
from tests.town import Answer, Sale, Town, small_plan

HOUSE = "/v1/houses/{house:str}"
MANAGE = HOUSE + "/manage"
ON_SALE = HOUSE + "/on-sales/{on_sale:str}"
PERFORMANCE = HOUSE + "/performances/{performance:str}"

PATHS = (*PLAIN_PATHS, PLAIN_HOUSE, SUMMARY_PAGE)
FORMED = "formed"
"""A form without JavaScript: who may send it is tried in `test_plain.py`, form by form."""
PUBLIC, JOINING, CLAIMING, SHOPPING, OWNING, SIGNED = "public", "joining", "claiming", "shopping", "owning", "signed"
OPERATING, RETURNING, STATING = "operating", "returning", "stating"
MANAGER: frozenset[str] = frozenset()
READER = frozenset({"orders:read"})
COUNTER = frozenset({"counter", "orders:read"})
UNDOER = frozenset({"counter"})
"""Sets of the scopes that may, besides `manage`, which may all."""
DRAWN = ("/draw", "/draw/paths/{index:str}")
EXPECTED: dict[tuple[str, str], "str | frozenset[str]"] = {
    **dict.fromkeys(
        [
            *(("GET", path) for path in ("/v1/on-sales", "/healthz", "/readyz", "/metrics", "/schema/openapi.json")),
            *(("GET", path) for path in ("/", "/ops", "/web/{name:path}", "/h/{house:str}", "/h/{house:str}/control")),
            *(("GET", path) for path in ("/h/{house:str}/counter", "/h/{house:str}/{on_sale:str}")),
            ("GET", "/h/{house:str}/{on_sale:str}/seats"),
            *(("GET", "/h/{house:str}/{on_sale:str}/queue-it" + path) for path in ("", "/error/{code:str}")),
            *(
                ("GET", path)
                for path in (
                    HOUSE,
                    ON_SALE,
                    ON_SALE + "/status",
                    ON_SALE + "/summary",
                    HOUSE + "/.well-known/jwks.json",
                )
            ),
            *(("GET", ON_SALE + line + path) for line in ("", "/lines/{line:str}") for path in DRAWN),
            ("GET", HOUSE + "/draw-contributions/{other:str}/{on_sale:str}/{line:str}/{planned:str}"),
            *(("GET", PERFORMANCE + path) for path in ("/plan", "/plan/{change:str}", "/seats", "/seats/changes")),
            *(("GET", HOUSE + path) for path in ("/previews/{preview:str}", "/logos/{logo:str}")),
            ("GET", "/h/{house:str}/theme.css"),
        ],
        PUBLIC,
    ),
    **{("GET", path): PUBLIC for path in ("/plain", "/plain/houses.css", PLAIN_HOUSE, SUMMARY_PAGE)},
    **{("GET", ROOM + path): PUBLIC for path in ("", "/join", "/contact", "/enter", "/leave", "/release")},
    **{("GET", ROOM + path): PUBLIC for path in ("/back", "/proofs", "/seats", "/pay", "/order")},
    **{
        ("POST", ROOM + path): FORMED
        for path in ("/join", "/contact", "/enter", "/leave", "/release", "/proofs", "/seats", "/pay")
    },
    **{("GET", path): OPERATING for path in ("/v1/operated-houses", HOUSE + "/ops")},
    ("POST", HOUSE + "/draw-contributions/{other:str}/{on_sale:str}/{line:str}/{planned:str}/reveal"): STATING,
    **{("POST", ON_SALE + path): JOINING for path in ("/places", "/challenges", "/contact-codes", "/contacts")},
    ("POST", ON_SALE + "/passes"): CLAIMING,
    ("GET", ON_SALE + "/known-user"): RETURNING,
    ("POST", ON_SALE + "/presence"): RETURNING,
    ("POST", HOUSE + "/holds"): SHOPPING,
    ("POST", HOUSE + "/holds/{hold:str}/extend"): SHOPPING,
    ("POST", HOUSE + "/holds/{hold:str}/swap"): SHOPPING,
    ("POST", HOUSE + "/holds/{hold:str}/presence"): SHOPPING,
    ("DELETE", HOUSE + "/holds/{hold:str}"): SHOPPING,
    ("POST", HOUSE + "/orders"): SHOPPING,
    ("GET", HOUSE + "/orders/{order:str}"): OWNING,
    ("POST", HOUSE + "/payments/{provider:str}/events"): SIGNED,
    **{("POST", MANAGE + path): MANAGER for path in ("/halls", "/performances", "/on-sales", "/keys")},
    ("POST", MANAGE + "/on-sales/{on_sale:str}/{action:str}"): MANAGER,
    ("POST", MANAGE + "/on-sales/{on_sale:str}/places"): UNDOER,
    ("POST", MANAGE + "/on-sales/{on_sale:str}/lines/{line:str}/invitations"): MANAGER,
    **{("POST", MANAGE + "/performances/{performance:str}" + path): MANAGER for path in ("/plan", "/access-release")},
    **{("GET", MANAGE + "/halls/{hall:str}" + path): MANAGER for path in ("/plan", "/aisles")},
    **{("POST", MANAGE + f"/orders/{{order:str}}/{what}"): UNDOER for what in ("refund", "offers", "exchange")},
    **{("POST", MANAGE + "/theme" + path): MANAGER for path in ("/draft", "/publish", "/discard", "/back")},
    **{
        ("POST", MANAGE + "/webhooks" + path): MANAGER
        for path in (
            *("", "/{webhook:str}", "/{webhook:str}/disable", "/{webhook:str}/enable", "/{webhook:str}/secret"),
            *("/{webhook:str}/test", "/{webhook:str}/deliveries/{event:str}/resend"),
        )
    },
    **{("GET", MANAGE + path): MANAGER for path in ("/webhooks", "/webhooks/{webhook:str}/deliveries")},
    ("DELETE", MANAGE + "/webhooks/{webhook:str}"): MANAGER,
    **{("POST", MANAGE + path): MANAGER for path in ("/customers/export", "/customers/erase")},
    **{("POST", MANAGE + path): MANAGER for path in ("/alarms/{alarm:int}/seen", "/refunds/paid")},
    **{("POST", MANAGE + path): MANAGER for path in ("/codes", "/codes/{batch:str}/disable")},
    **{("GET", MANAGE + path): MANAGER for path in ("/codes", "/number-secret", "/contact-secret")},
    ("POST", MANAGE + "/allotments"): MANAGER,
    ("POST", MANAGE + "/performances/{performance:str}/allotments/{allotment:str}/end"): MANAGER,
    ("GET", MANAGE + "/performances/{performance:str}/allotments"): frozenset({"counter", "allotment"}),
    ("DELETE", MANAGE + "/keys/{key_id:str}"): MANAGER,
    **{("GET", MANAGE + path): MANAGER for path in ("/keys", "/actions", "/alarms", "/theme", "/neighbours")},
    **{
        ("GET", MANAGE + "/performances/{performance:str}" + path): READER
        for path in ("/history.csv", "/history.jsonl", "/seats")
    },
    ("GET", MANAGE + "/on-sales/{on_sale:str}/curve"): READER,
    **{("GET", MANAGE + path): READER for path in ("/orders", "/orders/{order:str}", "/orders.csv", "/refunds")},
    **{("GET", MANAGE + path): COUNTER for path in ("/halls", "/performances", "/on-sales", "/on-sales/{on_sale:str}")},
}
SCOPES = ("counter", "orders:read", "orders:write", "allotment")
SAFE = {"OPTIONS", "HEAD"}
REFUSED = {
    SHOPPING: {
        "nobody": (401, "pass-required"),
        "place": (401, "forged-token"),
        "their pass": (401, "forged-token"),
        "their key": (401, "key-required"),
        "our key for orders:read": (403, "scope-missing"),
    },
    OWNING: {
        "nobody": (401, "secret-required"),
        **dict.fromkeys(("place", "our pass", "our manager", "their key", "their pass"), (404, "unknown-order")),
    },
    SIGNED: dict.fromkeys(("nobody", "place", "our pass", "our manager", "their key"), (401, "forged-event")),
    OPERATING: dict.fromkeys(("nobody", "place", "our pass", "our manager", "their key"), (401, "key-required")),
    RETURNING: {
        "nobody": (401, "pass-required"),
        **dict.fromkeys(("place", "their pass", "our manager", "their key"), (401, "forged-token")),
    },
    CLAIMING: dict.fromkeys(("nobody", "our pass", "our manager", "their key"), (401, "forged-token")),
}


def routes_of_the_app() -> Iterator[tuple[str, str]]:
    """(method, path) of whatever the app answers to."""
    hot = {route.path: [route.method] for route in ROUTES} | {path: ["GET"] for path in PATHS}
    for form in FORMS:
        hot[form.path] = ["GET", "POST"]
    for route in create_app([]).routes:
        match route:
            case HTTPRoute():
                yield from ((method, route.path) for method in route.methods - SAFE)
            case ASGIRoute():
                yield from ((method, route.path) for method in hot[route.path])
            case _:
                raise AssertionError(route)


def test_every_route_has_an_expectation_here() -> None:
    assert set(routes_of_the_app()) == set(EXPECTED)


@pytest.fixture(scope="module")
def people(town: Town) -> "tuple[Sale, dict[str, str], dict[str, Any]]":
    """A sale, everybody's token, and what fills the paths and bodies of honest requests."""

    async def gather() -> "tuple[Sale, dict[str, str], dict[str, Any]]":
        async with await town.open_sale("noord", hold_seconds=600) as sale, await town.open_sale("zuid") as far:
            place, secret = await sale.join()
            far_place, far_secret = await far.join()
            token = await sale.enter()
            held = (await sale.hold(token, "zaal-A-1")).json["hold"]
            buyer = await sale.enter()
            order = (await sale.order(buyer, (await sale.hold(buyer, "zaal-A-2")).json["hold"])).json
            await sale.until_recorded(order)
            tokens = {
                "nobody": "",
                "place": place,
                "our pass": token,
                "our manager": sale.manage_key,
                "their pass": await far.pass_for(far_place, far_secret),
                "their key": far.manage_key,
                **{f"our key for {scope}": await sale.key(scope) for scope in SCOPES},
            }
            key_id = (await sale.key("counter")).split("_")[1]
            facts = {
                "alarm": "1",
                "on_sale": sale.on_sale,
                "performance": sale.performance,
                "hall": sale.hall,
                "change": "0",
                "hold": held,
            }
            facts |= {
                "order": order["order"],
                "key_id": key_id,
                "provider": "demo",
                "action": "pause",
                "line": "members",
            }
            facts |= {"webhook": await sale.webhook(), "event": "none", "batch": "none", "allotment": "none"}
            return sale, tokens, facts | {"far_place": far_place, "far_secret": far_secret, "secret": secret}

    return asyncio.run(gather())


def body_of(path: str, facts: "dict[str, Any]") -> Any:
    """What would be right, if whoever sends it might."""
    hall = {"hall": "new-hall", "name": "Hall", "plan": small_plan(rows=2)}
    prices = {"Rang 1": {"full": 1}, "Rang 2": {"full": 1}}
    soon = "2030-01-01T20:00:00Z"
    seats = [{"performance": facts["performance"], "seats": ["zaal-B-1"]}]
    payment = {"provider": "demo", "reference": "yes-of-a-stranger"}
    return {
        "passes": {"place": facts["far_place"], "secret": facts["far_secret"]},
        "holds": {"items": seats},
        "extend": {"payment": payment | {"reference": "late-of-a-stranger"}},
        "swap": {"items": seats},
        "presence": {"leaving": True, "at": 1},
        "orders": {"holds": [facts["hold"]], "customer": {"email": "a@example.org"}, "payment": payment},
        "events": {"reference": "yes-of-a-stranger", "is_paid": True},
        "invitations": {"count": 1},
        "halls": hall,
        "performances": {
            "performance": "new-show",
            "hall": facts["hall"],
            "title": "Show",
            "starts_at": soon,
            "prices": prices,
        },
        "on-sales": {
            "on_sale": "new-sale",
            "title": "Sale",
            "performances": [facts["performance"]],
            "prequeue_at": soon,
            "opens_at": soon,
        },
        "plan": {"hall": facts["hall"], "reason": "none"},
        "access-release": {"access_release": [{"at": soon, "percent": 50}], "reason": "none"},
        "codes": {"batch": "new-batch", "title": "Codes", "count": 1},
        "allotments": {
            "performance": facts["performance"],
            "name": "none",
            "purpose": "house",
            "seats": ["zaal-B-1"],
            "reason": "none",
        },
        "end": {"reason": "none"},
        "webhooks": {"url": f"https://{ADDRESS}:1024/", "types": ["order.recorded"], "reason": "none"},
        **{part: {"reason": "none"} for part in ("{webhook:str}", "disable", "enable", "secret", "test", "resend")},
        "keys": {"name": "Stranger", "scopes": ["manage"], "reason": "none"},
        "export": {"email": "a@example.org", "reason": "none"},
        "erase": {"email": "a@example.org", "reason": "none"},
        "{action:str}": {"reason": "none"},
        **{step: {"reason": "none"} for step in ("draft", "publish", "discard", "back")},
        "refund": {"reason": "none"},
        "offers": {"wishes": []},
        "exchange": {"hold": "none", "difference": 0, "reason": "none"},
        "places": {"reason": "none"},
        "seen": {"reason": "none"},
        "paid": {"provider": "demo", "reference": "none", "reason": "none"},
    }[path.rpartition("/")[2]]


def refusals(expected: "str | frozenset[str]") -> "dict[str, tuple[int, str]]":
    """Who is refused, and how. For a set of scopes: every key without one of them, and whoever has no key."""
    if isinstance(expected, str):
        return REFUSED.get(expected, {})
    strangers = ("nobody", "place", "our pass", "their pass", "their key")
    others = {f"our key for {scope}": (403, "scope-missing") for scope in SCOPES if scope not in expected}
    return dict.fromkeys(strangers, (401, "key-required")) | others


ATTEMPTS = [(*route, who, *reply) for route, by in EXPECTED.items() for who, reply in refusals(by).items()]


async def test_whoever_may_not_is_refused_on_every_route_and_nothing_changes(
    town: Town, people: "tuple[Sale, dict[str, str], dict[str, Any]]"
) -> None:
    opened, tokens, facts = people
    assert len(ATTEMPTS) > 100
    async with opened as sale:
        with Books(town, "noord") as books:
            before = books.settled()
            for method, path, who, status, slug in ATTEMPTS:
                filled = path.replace(":str}", "}").replace(":int}", "}").format(house="noord", **facts)
                body = body_of(path, facts) if method == "POST" else None
                answer = await sale.ask(method, town.url + filled, body, token=tokens[who])
                assert (answer.status, answer.slug) == (status, slug), (method, path, who, answer.json)
            assert not changes(before, books.read())


async def test_whoever_may_is_not_refused_for_who_they_are(
    town: Town, people: "tuple[Sale, dict[str, str], dict[str, Any]]"
) -> None:
    opened, tokens, facts = people
    async with opened as sale:
        for (method, path), by in EXPECTED.items():
            if isinstance(by, str):
                continue
            allowed = ["our manager", *(f"our key for {scope}" for scope in by)] if method == "GET" else ["our manager"]
            for who in allowed:
                filled = path.replace(":str}", "}").replace(":int}", "}").format(house="noord", **facts)
                # An empty body is refused for what it is, after the guard has let its sender through.
                answer = await sale.ask(method, town.url + filled, {} if method == "POST" else None, token=tokens[who])
                assert answer.status == {"GET": 200, "POST": 400, "DELETE": 204}[method], (method, path, who)


IDS = {
    "on_sale": (
        "/on-sales/{}",
        "/on-sales/{}/status",
        "/on-sales/{}/summary",
        "/manage/on-sales/{}",
        "/manage/on-sales/{}/curve",
    ),
    "performance": (
        "/performances/{}/plan",
        "/performances/{}/plan/0",
        "POST /manage/performances/{}/plan",
        "POST /manage/performances/{}/access-release",
        "/performances/{}/seats",
        "/performances/{}/seats/changes",
    ),
    "order": ("/orders/{}",),
    "hold": ("DELETE /holds/{}", "POST /holds/{}/extend", "POST /holds/{}/swap", "POST /holds/{}/presence"),
    "key_id": ("DELETE /manage/keys/{}",),
    "changing": ("POST /manage/on-sales/{}/pause", "POST /on-sales/{}/places", "POST /on-sales/{}/passes"),
}


@pytest.fixture(scope="module")
def theirs(town: Town) -> "dict[str, str]":
    """Ids of another house, and the secret of its order."""

    async def gather() -> "dict[str, str]":
        async with await town.open_sale("zuid") as far:
            token = await far.enter()
            held = await far.hold(token, "zaal-A-1")
            order = (await far.order(token, held.json["hold"])).json
            return {
                "on_sale": far.on_sale,
                "changing": far.on_sale,
                "performance": far.performance,
                "order": order["order"],
                "hold": held.json["hold"],
                "key_id": far.manage_key.split("_")[1],
                "secret": order["order_secret"],
            }

    return asyncio.run(gather())


@pytest.mark.parametrize(("kind", "path"), [(kind, path) for kind, paths in IDS.items() for path in paths])
async def test_another_houses_id_is_told_from_none_by_nobody(
    shared: Sale, theirs: "dict[str, str]", kind: str, path: str
) -> None:
    async with shared as sale:
        token = {"order": theirs["secret"], "hold": await sale.enter()}.get(kind, sale.manage_key)
        method, _, target = path.rpartition(" ")

        async def ask(name: str) -> Answer:
            body: dict[str, Any] = (
                {"reason": "none"} if "manage" in path else {"secret_hash": "x", "place": "x", "secret": "x"}
            )
            body |= {"hall": "none"} if path.endswith("/plan") else {}
            body |= {"access_release": []} if path.endswith("/access-release") else {}
            sent = body if method == "POST" else None
            return await sale.ask(method or "GET", target.format(name), sent, token=token)

        found, missing = await ask(theirs[kind]), await ask("nonsense")
        assert found.status == missing.status == 404
        assert found.body == missing.body


async def test_what_a_house_makes_of_another_houses_parts_is_made_of_none(shared: Sale, town: Town) -> None:
    soon = "2030-01-01T20:00:00Z"
    async with shared as sale, await town.open_sale("zuid") as far:

        async def make(what: str, part: str) -> Answer:
            body: dict[str, Any] = {"performance": "new", "hall": part, "title": "A", "starts_at": soon, "prices": {}}
            if what == "on-sales":
                body = {"on_sale": "new", "title": "A", "performances": [part], "prequeue_at": soon, "opens_at": soon}
            return await sale.post(f"/manage/{what}", body, token=sale.manage_key)

        for what, theirs in (("performances", far.hall), ("on-sales", far.performance)):
            found, missing = await make(what, theirs), await make(what, "nonsense")
            assert found.status in {404, 422}
            assert (found.status, found.body) == (missing.status, missing.body)
