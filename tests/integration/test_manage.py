"""What a house does for itself over HTTP, and that visitors see it within one poll."""

import asyncio
import csv
import io
import uuid
from typing import Any

import pytest

from engine.instants import now_ms, to_rfc3339
from tests.faults.patience import until
from tests.town import Answer, Sale, Town, small_plan

SOON, LATER = "2030-01-01T19:00:00+01:00", "2030-01-01T20:00:00+01:00"
PRICES = {"Rang 1": {"full": 2000, "reduced": 1500}, "Rang 2": {"full": 1000}}


async def manage(sale: Sale, path: str, body: Any, **options: Any) -> Answer:
    return await sale.post(f"/manage{path}", body, token=sale.manage_key, **options)


async def tell(sale: Sale, action: str, reason: str = "a test", **facts: Any) -> Answer:
    """Asks again where a busy machine was late with an answer: what a manager says counts once."""
    for _ in range(10):
        answer = await manage(sale, f"/on-sales/{sale.on_sale}/{action}", {"reason": reason, **facts})
        if answer.status != 503:
            break
        await asyncio.sleep(0.1)
    return answer


async def actions(sale: Sale) -> "list[dict[str, Any]]":
    found = await sale.get("/manage/actions?limit=1000", token=sale.manage_key)
    assert found.status == 200
    return list(found.json["actions"])


def performance(name: str, **changed: Any) -> "dict[str, Any]":
    return {"performance": name, "hall": "hall", "title": "Show", "starts_at": LATER, "prices": PRICES} | changed


def on_sale(name: str, *shows: str, **changed: Any) -> "dict[str, Any]":
    made = {"on_sale": name, "title": "Sale", "performances": list(shows), "prequeue_at": SOON, "opens_at": LATER}
    return made | changed


async def test_a_house_sets_up_and_sells_without_anybody_elses_help(town: Town, shared: Sale) -> None:
    number = uuid.uuid4().hex[:8]
    hall, show, name = f"hall-{number}", f"show-{number}", f"sale-{number}"
    async with shared as sale:
        made = await manage(
            sale, "/halls", {"hall": hall, "name": "Kleine zaal", "plan": small_plan(), "reason": "new"}
        )
        assert (made.status, made.json["seats"], made.json["standing"]) == (201, 50, 20)
        assert made.json["categories"] == ["Rang 1", "Rang 2"]
        made = await manage(sale, "/performances", performance(show, hall=hall, fee=150, reason="new"))
        assert (made.status, made.json["starts_at"]) == (201, "2030-01-01T19:00:00.000Z")
        made = await manage(sale, "/on-sales", on_sale(name, show, rate_per_minute=6000, reason="the season"))
        assert (made.status, made.json["phase"], made.json["seats"]["capacity"]) == (201, "scheduled", 70)

        mine = Sale(
            town, "noord", name, hall, {show: sale.layouts[sale.performance]}, sale.manage_key, sale.counter_key
        )
        async with mine:
            assert (await mine.status())["phase"] == "scheduled"
            assert (await tell(mine, "open")).json["phase"] == "open"
            token = await mine.enter()
            held = await mine.hold(token, "zaal-A-1")
            assert held.json["total"] == 2000 + 150
            assert (await mine.order(token, held.json["hold"])).status == 202
        logged = {(each["what"], each["subject"]): each for each in await actions(sale)}
        for what, subject, why in (
            ("create hall", hall, "new"),
            ("create performance", show, "new"),
            ("create on-sale", name, "the season"),
        ):
            entry = logged[what, subject]
            assert entry["who"] == f"Manager {sale.town.canaries[sale.slug].own} ({sale.manage_key.split('_')[1]})"
            assert entry["why"] == why


async def test_what_there_is_already_is_not_made_anew(town: Town, shared: Sale) -> None:
    number = uuid.uuid4().hex[:8]
    async with shared as sale:
        halls = {"hall": f"hall-{number}", "name": "A", "plan": small_plan(rows=2)}
        shows = performance(f"show-{number}", hall=sale.hall)
        sales = on_sale(f"sale-{number}", f"show-{number}")
        for path, body, other in (
            ("/halls", halls, halls | {"plan": small_plan(rows=3)}),
            ("/performances", shows, shows | {"fee": 1}),
            ("/on-sales", sales, sales | {"cap": 7}),
        ):
            first = await manage(sale, path, body)
            assert first.status == 201, first.json
            again = await manage(sale, path, body)
            assert (again.status, again.json) == (201, first.json)
            refused = await manage(sale, path, other)
            assert (refused.status, refused.slug) == (409, "already-exists")
        refused = await manage(sale, "/on-sales", on_sale(f"other-{number}", f"show-{number}"))
        assert (refused.status, refused.slug) == (409, "already-on-sale")


async def test_two_who_create_an_on_sale_at_once_commit_to_one_draw(town: Town, shared: Sale) -> None:
    number = uuid.uuid4().hex[:8]
    async with shared as sale:
        assert (await manage(sale, "/performances", performance(f"show-{number}", hall=sale.hall))).status == 201
        body = on_sale(f"sale-{number}", f"show-{number}")
        answers = await asyncio.gather(*(manage(sale, "/on-sales", body) for _ in range(8)))
        assert {answer.status for answer in answers} == {201}
        logged = [each for each in await actions(sale) if each["subject"] == f"sale-{number}"]
        assert len(logged) == 1
        mine = Sale(town, "noord", f"sale-{number}", sale.hall, {f"show-{number}": []}, sale.manage_key, "")
        async with mine:
            told = (await mine.get(f"/on-sales/sale-{number}")).json["draw"]["commitment"]
            assert (await mine.status())["draw"]["commitment"] == told


WRONG = [
    ("/halls", {"hall": "Grote Zaal", "name": "A", "plan": small_plan()}, "bad-input"),
    ("/halls", {"hall": "", "name": "A", "plan": small_plan()}, "bad-input"),
    ("/halls", {"hall": "h" * 41, "name": "A", "plan": small_plan()}, "bad-input"),
    ("/halls", {"hall": "h", "name": " ", "plan": small_plan()}, "bad-input"),
    ("/halls", {"hall": "h", "name": "A\0", "plan": small_plan()}, "bad-input"),
    ("/halls", {"hall": "h", "name": "A", "plan": small_plan(), "ids": "name"}, "bad-input"),
    ("/halls", {"hall": "h", "name": "A", "plan": {"zones": "none"}}, "bad-input"),
    ("/performances", performance("p", hall="nonsense"), "unknown-hall"),
    ("/performances", performance("P 1"), "bad-input"),
    ("/performances", performance("p", title=""), "bad-input"),
    ("/performances", performance("p", starts_at="tomorrow"), "bad-input"),
    ("/performances", performance("p", starts_at="2030-01-01T20:00:00"), "bad-input"),
    ("/performances", performance("p", starts_at="9999-12-31T23:59:59-23:59"), "bad-input"),
    ("/performances", performance("p", starts_at="0001-01-01T00:00:00+23:59"), "bad-input"),
    ("/performances", performance("p", prices={}), "bad-input"),
    ("/performances", performance("p", prices={"Rang 1": {"full": 1}}), "bad-input"),
    ("/performances", performance("p", prices=PRICES | {"Loge": {"full": 1}}), "bad-input"),
    ("/performances", performance("p", prices=PRICES | {"Rang 1": {}}), "bad-input"),
    ("/performances", performance("p", prices=PRICES | {"Rang 1": {"": 1}}), "bad-input"),
    ("/performances", performance("p", prices=PRICES | {"Rang 1": {"a\0": 1}}), "bad-input"),
    ("/performances", performance("p", prices=PRICES | {"Rang 1": {"full": -1}}), "bad-body"),
    ("/performances", performance("p", prices=PRICES | {"Rang 1": {"full": 1.5}}), "bad-body"),
    ("/performances", performance("p", prices=PRICES | {"Rang 1": {"full": "1"}}), "bad-body"),
    ("/performances", performance("p", prices=PRICES | {"Rang 1": {"full": 10**30}}), "bad-input"),
    ("/performances", performance("p", fee=-1), "bad-input"),
    ("/performances", performance("p", fee=10**12), "bad-input"),
    ("/performances", performance("p", currency="euro"), "bad-input"),
    ("/performances", performance("p", currency="€€€"), "bad-input"),
    ("/performances", performance("p", reason=""), "bad-body"),
    ("/performances", performance("p", reason="a\0"), "bad-body"),
    ("/performances", performance("p", extra=1), "bad-body"),
    ("/on-sales", on_sale("Sale 1", "show"), "bad-input"),
    ("/on-sales", on_sale("s"), "bad-input"),
    ("/on-sales", on_sale("s", "nonsense"), "unknown-performance"),
    ("/on-sales", on_sale("s", "show", "show"), "bad-input"),
    ("/on-sales", on_sale("s", "show", prequeue_at=LATER, opens_at=SOON), "bad-input"),
    ("/on-sales", on_sale("s", "show", rate_per_minute=-1), "bad-input"),
    ("/on-sales", on_sale("s", "show", rate_per_minute=10**9), "bad-input"),
    ("/on-sales", on_sale("s", "show", cap=10**9), "bad-input"),
    ("/on-sales", on_sale("s", "show", hold_seconds=0), "bad-input"),
    ("/on-sales", on_sale("s", "show", pass_seconds=10**9), "bad-input"),
    ("/on-sales", on_sale("s", "show", seats_a_hold=0), "bad-input"),
    ("/on-sales", on_sale("s", "show", seats_a_hold=9, seats_a_place=8), "bad-input"),
    ("/on-sales", on_sale("s", "show", return_delay_seconds=-1), "bad-input"),
    ("/on-sales", on_sale("s", "show", burst_percent=101), "bad-input"),
    ("/on-sales", on_sale("s", "show", more_time_percent=301), "bad-input"),
    ("/on-sales", on_sale("s", "show", grace_seconds=-1), "bad-input"),
    ("/on-sales", on_sale("s", "show", seed="00", commitment="00"), "bad-body"),
    ("/keys", {"name": "A", "scopes": []}, "bad-input"),
    ("/keys", {"name": "A", "scopes": ["root"]}, "bad-input"),
    ("/keys", {"name": "", "scopes": ["manage"]}, "bad-input"),
    ("/keys", {"name": "A", "scopes": "manage"}, "bad-body"),
]


async def test_a_set_up_that_cannot_be_meant_is_refused(town: Town, shared: Sale) -> None:
    async with shared as sale:
        before = len(await actions(sale))
        await manage(sale, "/performances", performance("show", hall=sale.hall))
        made = len(await actions(sale)) - before
        for path, body, slug in WRONG:
            filled = body | ({"hall": sale.hall} if body.get("hall") == "hall" else {})
            answer = await manage(sale, path, filled)
            assert answer.slug == slug, (path, body, answer.json)
            assert answer.status in {400, 404, 422}
        assert len(await actions(sale)) == before + made


async def shown(sale: Sale, action: str, **facts: Any) -> Any:
    """What the first status says that was worked out once a manager had their answer."""
    answer = await tell(sale, action, **facts)
    assert answer.status == 200, answer.json
    return await sale.first_status()


async def test_what_a_manager_tells_a_sale_is_public_within_one_poll(town: Town) -> None:
    async with await town.open_sale("noord", opens_at_ms=4_000_000_000_000) as sale:
        early = await sale.join()
        assert (await sale.first_status())["phase"] == "prequeue"
        for refused in ("pause", "resume"):
            answer = await tell(sale, refused)
            assert (answer.status, answer.slug, answer.json["phase"]) == (409, "wrong-phase", "prequeue")

        assert (await tell(sale, "open", "the press is here")).json["phase"] == "open"
        assert (await sale.first_status())["phase"] == "open"
        token = await sale.pass_for(*early)

        assert (await shown(sale, "pause"))["phase"] == "paused"
        late = await sale.join()
        assert (await sale.claim(*late)).status == 409, "nobody is let in"
        held = await sale.hold(token, "zaal-A-1")
        assert held.status == 201, "whoever is in goes on"

        assert (await shown(sale, "resume"))["phase"] == "open"
        assert await sale.pass_for(*late)

        now = await shown(sale, "drain")
        assert (now["phase"], now["why"]) == ("open", "draining")
        assert "why" not in await shown(sale, "resume")
        assert (await shown(sale, "stop"))["phase"] == "paused"
        assert (await sale.hold(token, "zaal-A-3")).slug == "pass-ended", "and nobody is in any more"
        assert (await shown(sale, "resume"))["phase"] == "open"

        answer = await tell(sale, "rate", rate_per_minute=120, cap=7)
        assert (answer.json["rate_per_minute"], answer.json["cap"]) == (120, 7)
        assert (await sale.first_status())["lines"]["public"]["per_minute"] == 120
        soon_ms = now_ms() + 1_500
        rates = [{"at": to_rfc3339(soon_ms), "rate_per_minute": 240}]
        assert (await shown(sale, "schedule", rates=rates))["lines"]["public"]["per_minute"] in {120, 240}
        assert (await sale.first_status(soon_ms))["lines"]["public"]["per_minute"] == 240

        assert (await shown(sale, "message", message="Er is koffie"))["message"] == "Er is koffie"
        assert "message" not in await shown(sale, "message", message="")

        await tell(sale, "close", "sold at the door")
        assert (await sale.first_status())["phase"] == "closed"
        for answer in (
            await sale.post(f"/on-sales/{sale.on_sale}/places", {"secret_hash": "A" * 43}),
            await sale.claim(*late),
            await sale.hold(token, "zaal-A-2"),
            await tell(sale, "open"),
        ):
            assert answer.status == 409
            assert answer.slug in {"sale-ended", "wrong-phase"}
        assert (await sale.order(token, held.json["hold"])).status == 202, "a hold may be paid to its end"

        await sale.until_drained()
        told = [each for each in await actions(sale) if each["subject"] == sale.on_sale]
        assert [each["what"] for each in reversed(told)] == [
            *("create on-sale", "open", "pause", "resume", "drain", "resume", "stop", "resume"),
            *("rate", "rate", "schedule", "message", "message", "close"),
        ]
        assert [each["why"] for each in told if each["what"] in {"open", "close"}] == [
            "sold at the door",
            "the press is here",
        ]
        assert {each["detail"].get("rate_per_minute") for each in told if each["what"] == "rate"} == {120}


async def test_a_drained_sale_calls_nobody_further_and_a_stopped_one_ends_every_pass(town: Town) -> None:
    async with await town.open_sale("noord", rate_per_minute=600) as sale:
        inside = await sale.join()
        token = await sale.pass_for(*inside)
        held = await sale.hold(token, "zaal-A-1")
        called = await sale.join()

        async def is_called() -> bool:
            return int((await sale.status())["lines"]["public"]["now_serving"]) > 1

        await until(is_called)

        assert (await tell(sale, "drain", "the hall is full")).json["phase"] == "open"
        assert (await tell(sale, "drain")).slug == "wrong-phase"
        late = await sale.join()
        assert (await sale.hold(token, "zaal-A-2")).status == 201, "whoever is in goes on"
        assert await sale.pass_for(*called), "and who was called comes in"
        refused = await sale.claim(*late)
        assert (refused.status, refused.slug) == (409, "not-yet-served")

        assert (await tell(sale, "stop", "a fire")).json["phase"] == "paused"
        await sale.until_status(phase="paused")
        assert (await sale.hold(token, "zaal-A-3")).slug == "pass-ended"
        refused = await sale.claim(*inside)
        assert (refused.status, refused.slug) == (409, "paused")
        assert refused.headers["Retry-After"]
        assert (await sale.order(token, held.json["hold"])).status == 202, "and what is held can be paid for"

        assert (await tell(sale, "resume")).json["live_passes"] == 0
        assert (await sale.hold(await sale.pass_for(*inside), "zaal-A-3")).status == 201
        assert await sale.pass_for(*late)


@pytest.mark.parametrize(
    ("action", "facts", "status", "slug"),
    [
        ("dance", {}, 404, "unknown-action"),
        ("sell_out", {}, 404, "unknown-action"),
        ("rate", {}, 422, "bad-input"),
        ("rate", {"rate_per_minute": -1}, 422, "bad-input"),
        ("rate", {"rate_per_minute": 10**30}, 422, "bad-input"),
        ("rate", {"rate_per_minute": 1.5}, 400, "bad-body"),
        ("rate", {"cap": 10**9}, 422, "bad-input"),
        ("schedule", {}, 422, "bad-input"),
        ("schedule", {"rates": [{"at": "2020-01-01T00:00:00Z", "rate_per_minute": 5}]}, 422, "bad-input"),
        ("schedule", {"rates": [{"at": "soon", "rate_per_minute": 5}]}, 422, "bad-input"),
        ("schedule", {"rates": [{"at": "2031-01-01T00:00:00Z", "rate_per_minute": -5}]}, 422, "bad-input"),
        ("message", {}, 422, "bad-input"),
        ("message", {"message": "x" * 501}, 422, "bad-input"),
        ("message", {"message": "a\0b"}, 422, "bad-input"),
        ("pause", {"reason": ""}, 400, "bad-body"),
        ("pause", {"reason": "x" * 501}, 400, "bad-body"),
        ("pause", {"reason": "a\nb"}, 400, "bad-body"),
        ("pause", {"why": "x"}, 400, "bad-body"),
    ],
)
async def test_what_cannot_be_told_to_a_sale_is_refused(
    town: Town, shared: Sale, action: str, facts: "dict[str, Any]", status: int, slug: str
) -> None:
    async with shared as sale:
        answer = await manage(sale, f"/on-sales/{sale.on_sale}/{action}", {"reason": "a test"} | facts)
        assert (answer.status, answer.slug) == (status, slug)
        assert (await sale.get(f"/manage/on-sales/{sale.on_sale}", token=sale.manage_key)).json["phase"] == "open"


async def test_counters_count_and_orders_are_listed_and_exported(town: Town) -> None:
    async with await town.open_sale("noord") as sale:
        names = ("=1+1", "@SUM(A1)", "+49 12", "-2", 'Ann, "the" buyer', "plain")  # fmt: skip
        orders = []
        for number, name in enumerate(names, 1):
            token = await sale.enter()
            held = (await sale.hold(token, f"zaal-A-{number}")).json["hold"]
            customer = {"email": f"=a{number}@example.org", "name": name}
            payment = {"provider": "demo", "reference": f"yes-{uuid.uuid4()}"}
            body = {"holds": [held], "customer": customer, "payment": payment}
            orders.append((await sale.post("/orders", body, token=token)).json)
        for order in orders:
            await sale.until_recorded(order)
        counted = await sale.get(f"/manage/on-sales/{sale.on_sale}", token=sale.counter_key)
        found = counted.json
        assert (found["orders"], found["takings"], found["admitted"]) == (6, 6 * 2100, 6)
        assert (found["joined"], found["live_passes"]) == (6, 0)

        ids = [order["order"] for order in orders]
        listed: list[dict[str, Any]] = []
        after = ids[0]
        for _ in range(10):
            page = await sale.get(f"/manage/orders?limit=2&after={after}", token=sale.manage_key)
            listed += page.json["orders"]
            if "next" not in page.json:
                break
            after = page.json["next"]
        mine = {each["order"]: each for each in listed if each["order"] in ids}
        assert list(mine) == ids[1:], "in the order in which they were made"
        assert [each["name"] for each in mine.values()] == list(names[1:])

        export = await sale.get("/manage/orders.csv", token=sale.manage_key)
        assert export.status == 200
        assert export.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert export.headers["Content-Disposition"] == "attachment; filename=noord-orders.csv"
        assert export.headers["Cache-Control"] == "no-store"
        rows = {row["order"]: row for row in csv.DictReader(io.StringIO(export.body.decode()))}
        shown = [rows[order]["name"] for order in ids]
        assert shown == ["'=1+1", "'@SUM(A1)", "'+49 12", "'-2", 'Ann, "the" buyer', "plain"]
        assert rows[ids[0]]["email"] == "'=a1@example.org"
        assert {rows[order]["order_total"] for order in ids} == {"2100"}
        for wrong in ("limit=0", "limit=1001", "limit=x", "limit=1.5", "after=%00", "after=x", "after='"):
            assert (await sale.get(f"/manage/orders?{wrong}", token=sale.manage_key)).status == 400


async def test_a_revoked_key_stops_working_and_its_secret_is_never_shown_again(town: Town, shared: Sale) -> None:
    async with shared as sale:
        key = await sale.key("orders:read")
        key_id = key.split("_")[1]
        assert (await sale.get("/manage/orders", token=key)).status == 200
        revoked = await sale.ask("DELETE", f"/manage/keys/{key_id}?reason=left+the+house", token=sale.manage_key)
        assert (revoked.status, revoked.body) == (204, b"")
        assert (await sale.get("/manage/orders", token=key)).slug == "key-required"
        listed = await sale.get("/manage/keys", token=sale.manage_key)
        mine = [each for each in listed.json["keys"] if each["key_id"] == key_id]
        assert [each["revoked"] for each in mine] == [True]
        assert key.split("_", 2)[2].encode() not in listed.body
        assert b"secret" not in listed.body
        again = await sale.ask("DELETE", f"/manage/keys/{key_id}", token=sale.manage_key)
        assert again.status == 204, "a repeat is harmless"
        logged = [each for each in await actions(sale) if each["subject"] == key_id]
        assert [each["why"] for each in logged if each["what"] == "revoke key"][-1] == "left the house"
