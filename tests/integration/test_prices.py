"""Price types and codes over HTTP: who may have which price, how often, and what is frozen on a line."""

import asyncio
import csv
import io
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec
import pytest
from aiohttp import web

from engine import house as houses
from engine.catalogue import OnSale, Performance, PriceType
from engine.cli.sales import at_house
from engine.instants import now_ms, to_rfc3339
from engine.words import PerformanceId
from tests.integration.commands import Parvis
from tests.receiver import Receiver
from tests.sale import Answer, Sale
from tests.town import BY, Town, small_plan

RACERS = 200
USES = 10


async def open_sale(town: Town, *, shows: int = 1, slug: str = "noord", **changed: Any) -> Sale:
    """An on-sale whose performances have every kind of price type; row A has wheelchairs' places and companions'."""
    number = uuid.uuid4().hex[:8]
    plan = small_plan(rows=20, seats=20, standing=200)
    plan["parvis"]["units"] = [
        {"kind": "wheelchair", "name": "W1", "seats": ["zaal-A-1", "zaal-A-2"]},
        {"kind": "wheelchair", "name": "W2", "seats": ["zaal-A-19", "zaal-A-20"]},
    ]
    plan["parvis"]["access"] = {"zaal-B-1": ["wheelchair"]}
    names = tuple(PerformanceId(f"show-{number}-{show}") for show in range(shows))
    kinds: dict[str, PriceType] = {
        "promo": PriceType(needs="code", share=8000),
        "group": PriceType(at_least=3, share=9000),
        "youth": PriceType(at_most=2, fee=0),
        "member": PriceType(needs="number", at_most=2, share=7500),
        "social": PriceType(needs="number", share=2000, vat_rate=0, verify_url=changed.pop("verify_url", "")),
        "companion": PriceType(needs="companion", share=0, fee=0),
    } | changed.pop("price_types", {})
    async with at_house(town.network_file, slug) as (cell, ledger):
        await houses.add_hall(cell, ledger, f"hall-{number}", "Hall", plan, BY)
        for name in names:
            series = {"series": PriceType(needs="series", share=5000, series=names)} if shows > 1 else {}
            made = Performance(
                performance=name,
                hall=f"hall-{number}",  # type: ignore[arg-type]
                title="Show",
                starts_at_ms=now_ms() + 86_400_000,
                prices={each: {"full": 2000, "youth": 1000} for each in ("Rang 1", "Rang 2")},
                fee=100,
                vat_rate=600,
                price_types=kinds | series,
            )
            await houses.add_performance(cell, ledger, made, BY)
        _, manage = await houses.add_key(cell, ledger, "Manager", ("manage",), BY, f"m{number}")
        _, counter = await houses.add_key(cell, ledger, "Counter", ("counter",), BY, f"c{number}")
        rules = {
            "prequeue_at_ms": now_ms() - 1000,
            "opens_at_ms": now_ms() - 500,
            "rate_per_minute": 60_000,
            "cap": 1000,
            "hold_seconds": 60,
            "return_delay_seconds": 0,
            "lone_seats": "off",
            "unpaid_holds": 0,
        } | changed
        on_sale = OnSale(on_sale=f"sale-{number}", title="Sale", performances=names, **rules)  # type: ignore[arg-type]
        await houses.add_on_sale(cell, ledger, on_sale, BY)
        layout = cell.catalogue.halls[f"hall-{number}"].layout  # type: ignore[index]
        town.manage_keys[slug] = manage
        layouts: dict[str, Sequence[str]] = dict.fromkeys(names, layout.seat_ids)
        return Sale(town, slug, on_sale.on_sale, f"hall-{number}", layouts, manage, counter)


@pytest.fixture
async def sale(town: Town) -> AsyncIterator[Sale]:
    async with await open_sale(town) as opened:
        yield opened


async def hold(sale: Sale, token: str, items: list[Any], types: list[str], **proofs: Any) -> Answer:
    return await sale.post("/holds", {"items": items, "price_types": types} | proofs, token=token)


def best(sale: Sale, quantity: int, *, show: int = 0, **wish: Any) -> dict[str, Any]:
    return {"performance": sale.performances[show], "best": {"quantity": quantity} | wish}


def seats(sale: Sale, *names: str, show: int = 0) -> dict[str, Any]:
    return {"performance": sale.performances[show], "seats": [f"zaal-{name}" for name in names]}


async def make_codes(sale: Sale, **fields: Any) -> Any:
    body = {"batch": f"b-{uuid.uuid4().hex[:8]}", "title": "Spring", "price_type": "promo"} | fields
    made = await sale.post("/manage/codes", body, token=sale.manage_key)
    assert made.status == 201, made.json
    # Every process of the API looks at the catalogue twice a second.
    return made.json


async def batch(sale: Sale, name: str) -> Any:
    listed = await sale.get("/manage/codes", token=sale.manage_key)
    return next(each for each in listed.json["batches"] if each["batch"] == name)


# -- what is frozen


async def test_price_fee_and_vat_are_frozen_on_each_line_and_recorded(sale: Sale) -> None:
    token = await sale.enter()
    held = await hold(sale, token, [best(sale, 3)], ["full", "youth", "member"], numbers={"member": "M-1"})
    assert held.status == 201, held.json
    lines = [(each["price"], each["fee"], each["vat_rate"], each["vat"]) for each in held.json["items"]]
    assert lines == [(2000, 100, 600, 119), (1000, 0, 600, 57), (1500, 100, 600, 91)]
    assert held.json["total"] == 4700
    ordered = await sale.order(token, held.json["hold"])
    assert ordered.status == 202
    await sale.until_recorded(ordered.json)
    read = await sale.get(f"/orders/{ordered.json['order']}", token=ordered.json["order_secret"])
    assert [(each["vat_rate"], each["vat"]) for each in read.json["items"]] == [(600, 119), (600, 57), (600, 91)]
    recorded = await sale.get(f"/manage/orders/{ordered.json['order']}", token=sale.manage_key)
    assert [each["vat"] for each in recorded.json["items"]] == [119, 57, 91]
    text = (await sale.get("/manage/orders.csv", token=sale.manage_key)).body.decode()
    rows = [row for row in csv.DictReader(io.StringIO(text)) if row["order"] == ordered.json["order"]]
    assert [(row["price"], row["fee"], row["vat_rate"], row["vat"]) for row in rows] == [
        ("2000", "100", "600", "119"),
        ("1000", "0", "600", "57"),
        ("1500", "100", "600", "91"),
    ]
    assert [bool(row["code"]) for row in rows] == [False, False, True]


async def test_the_on_sale_tells_its_price_types_and_not_who_is_asked(sale: Sale) -> None:
    (shown,) = (await sale.get(f"/on-sales/{sale.on_sale}")).json["performances"]
    assert shown["prices"]["Rang 1"] == {
        "full": 2000, "youth": 1000, "promo": 1600, "group": 1800, "member": 1500, "social": 400, "companion": 0,
    }  # fmt: skip
    assert shown["vat_rate"] == 600
    assert shown["price_types"] == {
        "promo": {"needs": "code"},
        "group": {"at_least": 3},
        "youth": {"at_most": 2, "fee": 0},
        "member": {"needs": "number", "at_most": 2},
        "social": {"needs": "number", "vat_rate": 0},
        "companion": {"needs": "companion", "fee": 0},
    }


# -- who may have it

UNMET: list[tuple[str, list[str], dict[str, Any]]] = [
    ("a code that is not given", ["promo"], {"needs": "code"}),
    ("a number that is not given", ["member"], {"needs": "number", "at_most": 2}),
    ("fewer than a group", ["group", "group"], {"at_least": 3}),
    ("more than there may be", ["youth", "youth", "youth"], {"at_most": 2}),
    ("a companion of nobody", ["companion"], {"needs": "companion"}),
    ("a companion of somebody who walks", ["full", "companion"], {"needs": "companion"}),
]


@pytest.mark.parametrize(("types", "facts"), [each[1:] for each in UNMET], ids=[each[0] for each in UNMET])
async def test_a_price_whose_condition_is_not_met_is_refused(
    sale: Sale, types: list[str], facts: dict[str, Any]
) -> None:
    token = await sale.enter()
    refused = await hold(sale, token, [best(sale, len(types))], types)
    assert (refused.status, refused.slug) == (422, "condition-not-met"), refused.json
    assert refused.json["price_type"] == types[-1]
    assert refused.json["performance"] == sale.performance
    assert {name: refused.json.get(name) for name in facts} == facts
    assert (await hold(sale, token, [best(sale, len(types))], ["full"] * len(types))).status == 201


async def test_conditions_that_are_met_are_granted(sale: Sale) -> None:
    token = await sale.enter()
    for types in (["group"] * 3, ["youth"] * 2, ["youth"]):
        held = await hold(sale, token, [best(sale, len(types))], types)
        assert held.status == 201, held.json


async def test_a_companion_is_free_beside_a_wheelchair_that_is_paid_for_and_only_there(sale: Sale) -> None:
    token = await sale.enter()
    for items, types, status in (
        ([seats(sale, "A-1", "A-2")], ["companion", "companion"], 422),
        ([seats(sale, "B-1")], ["companion"], 422),
        ([seats(sale, "A-1", "A-2"), seats(sale, "C-1")], ["companion", "companion", "full"], 422),
        ([seats(sale, "A-1", "A-2")], ["full", "companion"], 201),
        ([best(sale, 2, unit="wheelchair")], ["full", "companion"], 201),
    ):
        answer = await hold(sale, token, items, types)
        assert answer.status == status, (types, answer.json)
    assert [each["price"] for each in answer.json["items"]] == [2000, 0]


async def test_prices_for_companions_make_no_second_companion_of_whoever_should_pay(town: Town) -> None:
    assistant = {"assistant": PriceType(needs="companion", share=0, fee=0)}
    async with await open_sale(town, price_types=assistant) as sale:
        token, bay = await sale.enter(), [seats(sale, "A-1", "A-2")]
        refused = await hold(sale, token, bay, ["companion", "assistant"])
        assert (refused.status, refused.slug) == (422, "condition-not-met"), refused.json
        three = [*bay, seats(sale, "C-1")]
        assert (await hold(sale, token, three, ["full", "companion", "assistant"])).status == 422
        assert (await hold(sale, token, bay, ["full", "assistant"])).status == 201


async def test_nobody_comes_along_with_half_of_a_bay_that_is_one_no_more(sale: Sale) -> None:
    at_ms, path = now_ms() + 300, f"/manage/performances/{sale.performances[0]}/access-release"
    body = {"access_release": [{"at": to_rfc3339(at_ms), "percent": 100}], "reason": "a test"}
    changed = await sale.post(path, body, token=sale.manage_key)
    assert changed.status == 200, changed.json
    await asyncio.sleep((at_ms + 100 - now_ms()) / 1000)
    token = await sale.enter()
    half = [seats(sale, "A-2"), seats(sale, "C-1")]
    refused = await hold(sale, token, half, ["companion", "full"])
    assert (refused.status, refused.slug) == (422, "condition-not-met"), refused.json
    held = await hold(sale, token, half, ["full", "full"])
    assert held.status == 201, held.json


async def test_the_houses_own_staff_vouch_for_whom_they_see(sale: Sale) -> None:
    held = await hold(sale, sale.counter_key, [best(sale, 3)], ["promo", "member", "companion"])
    assert held.status == 201, held.json
    unknown = await hold(sale, sale.counter_key, [best(sale, 1)], ["promo"], codes=["nobodys"])
    assert (unknown.status, unknown.slug) == (422, "unknown-code")


async def test_a_number_is_good_for_so_many_of_a_performance_however_it_is_spelled(sale: Sale) -> None:
    one, other = await sale.enter(), await sale.enter()
    assert (await hold(sale, one, [best(sale, 1)], ["member"], numbers={"member": "ab 12"})).status == 201
    assert (await hold(sale, other, [best(sale, 1)], ["member"], numbers={"member": "AB12"})).status == 201
    refused = await hold(sale, other, [best(sale, 1)], ["member"], numbers={"member": "AB12"})
    assert (refused.status, refused.slug) == (409, "code-used-up")
    assert (await hold(sale, other, [best(sale, 1)], ["member"], numbers={"member": "AB13"})).status == 201


# -- codes


async def test_two_hundred_redeem_a_code_of_ten(sale: Sale) -> None:
    made = await make_codes(sale, codes=["Spring 24"], uses=USES)
    tokens = await asyncio.gather(*(sale.enter() for _ in range(RACERS)))
    answers = await asyncio.gather(
        *(hold(sale, token, [best(sale, 1)], ["promo"], codes=["spring-24"]) for token in tokens)
    )
    assert Counter((each.status, each.slug) for each in answers) == {
        (201, ""): USES,
        (409, "code-used-up"): RACERS - USES,
    }
    assert (await batch(sale, made["batch"]))["used"] == USES
    winner, held = next((token, each) for token, each in zip(tokens, answers, strict=True) if each.status == 201)
    for _ in range(2):
        await sale.ask("DELETE", f"/holds/{held.json['hold']}", token=winner)
    assert (await batch(sale, made["batch"]))["used"] == USES - 1  # given back once
    again = await asyncio.gather(
        *(hold(sale, token, [best(sale, 1)], ["promo"], codes=["SPRING24"]) for token in tokens[:20])
    )
    assert Counter(each.status for each in again) == {201: 1, 409: 19}


async def test_a_code_is_never_used_more_often_however_holds_of_several_evenings_end(town: Town) -> None:
    async with await open_sale(town, shows=2, hold_seconds=2) as sale:
        text = f"Two evenings {uuid.uuid4().hex[:6]}"
        made = await make_codes(sale, codes=[text], uses=USES)
        both = [best(sale, 1), best(sale, 1, show=1)]
        tokens = await asyncio.gather(*(sale.enter() for _ in range(60)))
        sold = 0

        async def promo(token: str, items: list[Any]) -> Answer:
            return await hold(sale, token, items, ["promo"] * len(items), codes=[text])

        async def shop(number: int, token: str) -> None:
            """Holds both evenings, and pays, goes, exchanges them for one, or lets the clock run out."""
            nonlocal sold
            for _ in range(3):
                held = await promo(token, both)
                if held.status != 201:
                    assert (held.status, held.slug, held.json["left"] < 2) == (409, "code-used-up", True), held.json
                    continue
                path, match = f"/holds/{held.json['hold']}", number % 4
                if match == 0:
                    ordered = await sale.order(token, held.json["hold"])
                    if ordered.status == 202:
                        sold += 2
                    return
                if match == 1:
                    await sale.ask("DELETE", path, token=token)
                if match == 2:
                    body = {"items": both[number // 4 % 2 :][:1], "price_types": ["promo"], "codes": [text]}
                    await sale.post(path + "/swap", body, token=token)

        await asyncio.gather(*(shop(number, token) for number, token in enumerate(tokens)))
        used = (await batch(sale, made["batch"]))["used"]
        assert sold <= used <= USES
        # Once every hold has ended, what is sold is used up, and no more.
        for _ in range(400):
            if (used := (await batch(sale, made["batch"]))["used"]) == sold:
                break
            await asyncio.sleep(0.05)
        assert used == sold
        held = await hold(sale, await sale.enter(), [best(sale, 8)], ["promo"] * 8, codes=[text])
        assert held.status == (201 if sold <= USES - 8 else 409)


async def test_a_use_is_a_seat_and_several_codes_add_up(sale: Sale) -> None:
    made = await make_codes(sale, count=3, uses=2)
    first, second, _ = made["codes"]
    token = await sale.enter()
    refused = await hold(sale, token, [best(sale, 3)], ["promo"] * 3, codes=[first])
    assert (refused.status, refused.slug, refused.json.get("left")) == (409, "code-used-up", 2)
    held = await hold(sale, token, [best(sale, 4)], ["promo", "promo", "promo", "full"], codes=[first, second])
    assert held.status == 201, held.json
    assert (await batch(sale, made["batch"]))["used"] == 3
    ordered = await sale.order(token, held.json["hold"])
    await sale.until_recorded(ordered.json)
    assert (await batch(sale, made["batch"]))["used"] == 3
    back = await sale.post(
        f"/manage/orders/{ordered.json['order']}/refund", {"reason": "a test"}, token=sale.manage_key
    )
    assert back.status == 200
    assert (await batch(sale, made["batch"]))["used"] == 0


async def test_what_made_a_hold_is_part_of_what_its_key_is_bound_to(sale: Sale) -> None:
    made = await make_codes(sale, count=2)
    token, key = await sale.enter(), str(uuid.uuid4())
    body = {"items": [best(sale, 1)], "price_types": ["promo"], "codes": made["codes"][:1]}
    first = await sale.post("/holds", body, token=token, key=key)
    again = await sale.post("/holds", body, token=token, key=key)
    assert (first.status, again.status, again.json) == (201, 201, first.json)
    other = await sale.post("/holds", body | {"codes": made["codes"][1:]}, token=token, key=key)
    assert (other.status, other.slug) == (422, "key-reused")
    assert (await batch(sale, made["batch"]))["used"] == 1


async def test_a_code_counts_where_it_was_made_for_and_until_it_is_ended(sale: Sale, shared: Sale) -> None:
    elsewhere = await make_codes(sale, codes=["only-elsewhere"], performances=[sale.performance])
    assert elsewhere["performances"] == [sale.performance]
    token = await sale.enter()
    made = await make_codes(sale, count=1)
    assert (await hold(sale, token, [best(sale, 1)], ["promo"], codes=made["codes"])).status == 201
    ended = await sale.post(f"/manage/codes/{made['batch']}/disable", {"reason": "over"}, token=sale.manage_key)
    assert (ended.status, ended.json["disabled"], ended.json["used"]) == (200, True, 1)
    for codes in (made["codes"], ["never made"]):
        refused = await hold(sale, token, [best(sale, 1)], ["promo"], codes=codes)
        assert (refused.status, refused.slug) == (422, "unknown-code")
    plain = await hold(sale, token, [best(sale, 1)], ["full"], codes=["never made"])
    assert (plain.status, plain.slug) == (422, "unknown-code")
    unknown = await sale.post("/manage/codes/nonsense/disable", {"reason": "over"}, token=sale.manage_key)
    assert (unknown.status, unknown.slug) == (404, "unknown-batch")


async def test_a_batch_is_made_once_and_its_codes_are_shown_to_whoever_makes_it(sale: Sale) -> None:
    made = await make_codes(sale, count=4)
    fields = {"batch": made["batch"], "count": 4}
    assert await make_codes(sale, **fields) == made
    assert len(set(made["codes"])) == 4
    assert "codes" not in await batch(sale, made["batch"])
    body = {"title": "Spring", "price_type": "promo"} | fields
    for changed, status, slug in (
        ({"count": 5}, 409, "already-exists"),
        ({"count": 0}, 422, "bad-input"),
        ({"count": 10_001}, 422, "bad-input"),
        ({"codes": ["abc"]}, 422, "bad-input"),
        ({"count": 0, "codes": ["ab"]}, 422, "bad-input"),
        ({"count": 0, "codes": ["abc", "A-B-C"]}, 422, "bad-input"),
        ({"uses": 0}, 422, "bad-input"),
        ({"price_type": "full"}, 422, "bad-input"),
        ({"batch": "No Slug"}, 422, "bad-input"),
        ({"performances": ["nonsense"]}, 404, "unknown-performance"),
        ({"batch": "another", "count": 0, "codes": made["codes"][:1]}, 409, "already-exists"),
    ):
        refused = await sale.post("/manage/codes", body | changed, token=sale.manage_key)
        assert (refused.status, refused.slug) == (status, slug), (changed, refused.json)


@pytest.mark.parametrize(
    ("proofs", "status", "slug"),
    [
        ({"codes": [""]}, 422, "bad-input"),
        ({"codes": ["a\u0000"]}, 422, "bad-input"),
        ({"codes": ["x" * 101]}, 422, "bad-input"),
        ({"codes": ["abc"] * 21}, 422, "bad-input"),
        ({"codes": "abc"}, 400, "bad-body"),
        ({"numbers": {"member": " "}}, 422, "bad-input"),
        ({"numbers": {"member": 7}}, 400, "bad-body"),
        ({"numbers": ["7"]}, 400, "bad-body"),
    ],
)
async def test_proofs_that_cannot_be_meant_are_refused(
    sale: Sale, proofs: dict[str, Any], status: int, slug: str
) -> None:
    refused = await hold(sale, await sale.enter(), [best(sale, 1)], ["full"], **proofs)
    assert (refused.status, refused.slug) == (status, slug)


# -- several performances


async def test_a_series_is_held_whole_at_its_price_or_not_at_all(town: Town) -> None:
    async with await open_sale(town, shows=3) as sale:
        token, other = await sale.enter(), await sale.enter()
        shows = range(3)
        for items, types in (
            ([best(sale, 1, show=show) for show in (0, 1)], ["series"] * 2),
            ([best(sale, 1, show=show) for show in shows], ["series", "series", "full"]),
            ([best(sale, 2, show=0), *(best(sale, 1, show=show) for show in (1, 2))], ["series"] * 4),
        ):
            refused = await hold(sale, token, items, types)
            assert (refused.status, refused.slug) == (422, "condition-not-met"), refused.json
            assert refused.json["series"] == list(sale.performances)
        assert (await hold(sale, other, [seats(sale, "C-5", show=2)], ["full"])).status == 201
        before = [await sale.seats(show) for show in sale.performances[:2]]
        taken = await hold(sale, token, [seats(sale, "C-5", show=show) for show in shows], ["series"] * 3)
        assert (taken.status, taken.slug) == (409, "seats-taken")
        await sale.until_seats("h", "zaal-C-5", performance=sale.performances[2])
        assert [await sale.seats(show) for show in sale.performances[:2]] == before
        held = await hold(sale, token, [seats(sale, "C-6", show=show) for show in shows], ["series"] * 3)
        assert held.status == 201, held.json
        assert [each["price"] for each in held.json["items"]] == [1000] * 3
        for show in sale.performances:
            await sale.until_seats("h", "zaal-C-6", performance=show)
        await sale.ask("DELETE", f"/holds/{held.json['hold']}", token=token)
        for show in sale.performances:
            await sale.until_seats("o", "zaal-C-6", performance=show)


async def test_a_hundred_race_for_passes_that_overlap_and_nobody_gets_half_of_one(town: Town) -> None:
    async with await open_sale(town, shows=3) as sale:
        tokens = await asyncio.gather(*(sale.enter() for _ in range(60)))
        # Everybody wants the same seat on some night: five seats a night, a different one for each.
        wishes = [
            [seats(sale, f"D-{1 + (number + show * (1 + number % 3)) % 5}", show=show) for show in range(3)]
            for number in range(len(tokens))
        ]
        answers = await asyncio.gather(
            *(hold(sale, token, items, ["series"] * 3) for token, items in zip(tokens, wishes, strict=True))
        )
        assert {each.status for each in answers} == {201, 409}
        won = [
            (each["performance"], each["seat"]) for answer in answers if answer.status == 201
            for each in answer.json["items"]
        ]  # fmt: skip
        assert len(set(won)) == len(won)
        for show in sale.performances:
            mine = [seat for name, seat in won if name == show]
            await sale.until_seats("h", *mine, performance=show)
            assert (await sale.seats(show)).count("h") == len(mine)


# -- numbers that somebody else knows


async def test_who_knows_the_numbers_is_asked_signed_and_decides(town: Town) -> None:
    async with (
        Receiver(town.certificate) as receiver,
        await open_sale(town, verify_url=receiver.url("/uitpas")) as sale,
    ):
        secret = (await sale.get("/manage/number-secret", token=sale.manage_key)).json["secret"]
        receiver.secrets["/uitpas"] = secret
        token = await sale.enter()

        async def ask(answer: Any, number: str = "1000000035419") -> Answer:
            receiver.answer = answer
            return await hold(sale, token, [best(sale, 2)], ["social", "full"], numbers={"social": number})

        held = await ask(lambda _: web.json_response({"valid": True}))
        assert held.status == 201, held.json
        assert [(each["price"], each.get("vat_rate", 0)) for each in held.json["items"]] == [(400, 0), (2000, 600)]
        asked = receiver.received[-1]
        assert asked.is_right
        assert asked.says == {
            "house": "noord",
            "price_type": "social",
            "number": "1000000035419",
            "performances": {sale.performance: 1},
        }
        refused = await ask(lambda _: web.json_response({"valid": False}))
        assert (refused.status, refused.slug, refused.json["price_type"]) == (422, "number-refused", "social")
        for answer in (
            500,
            204,
            302,
            web.json_response({"valid": "yes"}),
            web.json_response([]),
            web.Response(text="x" * 5000),
        ):
            unsaid = await ask(lambda _, answer=answer: answer)
            assert (unsaid.status, unsaid.slug) == (503, "number-unchecked"), (answer, unsaid.json)
            assert unsaid.headers["retry-after"] == "5"
        receiver.delay_seconds = 3.0
        late = await ask(lambda _: web.json_response({"valid": True}))
        assert (late.status, late.slug) == (503, "number-unchecked")
        assert "1000000035419" not in town.log()
        assert msgspec.json.encode(held.json).find(b"1000000035419") < 0


async def test_a_number_is_only_asked_about_at_an_address_that_the_house_may_reach(sale: Sale) -> None:
    body = {
        "performance": f"show-{uuid.uuid4().hex[:8]}",
        "hall": sale.hall,
        "title": "Show",
        "starts_at": "2030-01-01T20:00:00+01:00",
        "prices": {"Rang 1": {"full": 2000}, "Rang 2": {"full": 1000}},
    }
    for kind in (
        {"needs": "number", "share": 2000, "verify_url": "https://10.0.0.1/"},
        {"needs": "number", "share": 2000, "verify_url": "http://example.org/"},
        {"share": 2000, "verify_url": "https://127.0.0.1:8443/"},
        {"share": 10_001},
        {"needs": "luck", "share": 2000},
        {"needs": "series", "share": 2000},
        {"series": ["a", "b"], "share": 2000},
        {"share": -1},
        {"share": 2000, "at_least": 5, "at_most": 4},
        {"share": 2000, "vat_rate": 10_001},
        {"share": 2000, "fee": -1},
        {},
    ):
        refused = await sale.post("/manage/performances", body | {"price_types": {"x": kind}}, token=sale.manage_key)
        assert (refused.status, refused.slug) == (422, "bad-input"), (kind, refused.json)
    for fields in (
        {"price_types": {"full": {"needs": "code"}}},
        {"price_types": {"x": {"share": 2000}}, "prices": {n: {"full": 100, "x": 21} for n in ("Rang 1", "Rang 2")}},
        {"vat_rate": 10_001},
        {"vat_rate": -1},
    ):
        refused = await sale.post("/manage/performances", body | fields, token=sale.manage_key)
        assert (refused.status, refused.slug) == (422, "bad-input"), (fields, refused.json)


# -- customers


async def test_twenty_orders_of_one_customer_buy_what_one_may_have_and_the_rest_gets_its_money_back(town: Town) -> None:
    async with await open_sale(town, seats_a_customer=3) as sale:
        limits = (await sale.get(f"/on-sales/{sale.on_sale}")).json["limits"]
        assert limits["seats_a_customer"] == 3
        tokens = await asyncio.gather(*(sale.enter() for _ in range(20)))
        holds = await asyncio.gather(*(hold(sale, token, [best(sale, 1)], []) for token in tokens))
        email = f"ann-{uuid.uuid4().hex[:8]}@example.org"

        async def buy(token: str, held: Answer, number: int) -> Answer:
            body = {
                "holds": [held.json["hold"]],
                "customer": {"email": email.upper() if number % 2 else f" {email}".strip()},
                "payment": {"provider": "demo", "reference": f"yes-{uuid.uuid4()}"},
            }
            return await sale.post("/orders", body, token=token)

        answers = await asyncio.gather(
            *(buy(token, held, number) for number, (token, held) in enumerate(zip(tokens, holds, strict=True)))
        )
        assert Counter((each.status, each.slug) for each in answers) == {(202, ""): 3, (422, "too-many-seats"): 17}
        for each in answers:
            if each.status == 422:
                assert each.json["refund"] == "requested"
                await sale.until_recorded(each.json, "conflicted")
            else:
                await sale.until_recorded(each.json)
        # Whoever gives one back may buy another.
        order = next(each.json["order"] for each in answers if each.status == 202)
        back = await sale.post(f"/manage/orders/{order}/refund", {"reason": "a test"}, token=sale.manage_key)
        assert back.status == 200
        token = await sale.enter()
        assert (await buy(token, await hold(sale, token, [best(sale, 1)], []), 0)).status == 202
        token = await sale.enter()
        assert (await buy(token, await hold(sale, token, [best(sale, 1)], []), 1)).slug == "too-many-seats"


def test_codes_are_made_listed_and_ended_from_a_shell(town: Town, parvis: Parvis) -> None:
    at = ("--network", str(town.network_file), "--house", "zuid")
    name = f"friends-{uuid.uuid4().hex[:8]}"
    made = parvis(
        "code", "create", name, *at, "--title", "Friends", "--count", "3", "--uses", "2", "--reason", "a test"
    )
    assert made.code == 0, made
    assert len(set(made.out.split())) == 3
    again = parvis(
        "code", "create", name, *at, "--title", "Friends", "--count", "3", "--uses", "2", "--reason", "again"
    )
    assert again.out.split() == made.out.split()
    listed = parvis("code", "list", *at, "--json")
    found = {each["batch"]["batch"]: each for each in msgspec.json.decode(listed.out)}
    assert (len(found[name]["batch"]["codes"]), found[name]["used"]) == (3, 0)
    assert not set(made.out.split()) & set(listed.out.split('"'))
    assert parvis("code", "disable", name, *at, "--reason", "").code != 0
    assert parvis("code", "disable", name, *at, "--reason", "over").code == 0
    assert "ended" in parvis("code", "list", *at).out


@pytest.mark.parametrize("form", ["seats", "best", "area"])
async def test_a_code_opens_as_many_of_the_seats_that_are_kept_for_it_as_it_is_good_for(sale: Sale, form: str) -> None:
    made = await make_codes(sale, price_type="", count=2, uses=2)
    aside = {"performance": sale.performance, "name": "friends", "purpose": "code", "for": made["batch"]}
    what = {"areas": {"vloer": 6}} if form == "area" else {"seats": [f"zaal-C-{number}" for number in range(1, 9)]}
    answer = await sale.post("/manage/allotments", aside | what | {"reason": "test"}, token=sale.manage_key)
    assert answer.status == 201, answer.json
    names = iter(range(1, 9))

    def wish(quantity: int) -> dict[str, Any]:
        if form == "seats":
            return seats(sale, *(f"C-{next(names)}" for _ in range(quantity)))
        if form == "best":
            return best(sale, quantity) | {"allotment": "friends"}
        return {"performance": sale.performance, "area": "vloer", "quantity": quantity, "allotment": "friends"}

    first, second = ([code] for code in made["codes"])
    one, other = await sale.enter(), await sale.enter()
    refused = await hold(sale, one, [wish(3)], [], codes=first)
    assert (refused.status, refused.slug, refused.json.get("left")) == (409, "code-used-up", 2), refused.json
    held = await hold(sale, one, [wish(2)], [], codes=first)
    assert held.status == 201, held.json
    refused = await hold(sale, other, [wish(1)], ["full"], codes=first)
    assert (refused.status, refused.slug) == (409, "code-used-up")
    assert (await batch(sale, made["batch"]))["used"] == 2
    assert (await sale.ask("DELETE", f"/holds/{held.json['hold']}", token=one)).status == 204
    assert (await batch(sale, made["batch"]))["used"] == 0
    names = iter(range(1, 9))
    both = await hold(sale, other, [wish(3)], ["full"] * 3, codes=first + second)
    assert both.status == 201, both.json
    ordered = await sale.order(other, both.json["hold"])
    assert ordered.status == 202, ordered.json
    await sale.until_recorded(ordered.json)
    assert (await batch(sale, made["batch"]))["used"] == 3


async def test_a_partner_is_bound_by_what_a_price_asks_for_as_everybody_is(sale: Sale) -> None:
    key = await sale.key("allotment")
    aside = {"performance": sale.performance, "name": "share", "purpose": "partner", "for": key.split("_")[1]}
    made = await sale.post("/manage/allotments", aside | {"quantity": 4, "reason": "test"}, token=sale.manage_key)
    assert made.status == 201, made.json
    wish = {**best(sale, 1), "allotment": "share"}
    refused = await hold(sale, key, [wish], ["promo"])
    assert (refused.status, refused.slug) == (422, "condition-not-met")
    assert (await hold(sale, key, [wish], ["full"])).status == 201
    assert (await hold(sale, sale.counter_key, [best(sale, 1)], ["promo"])).status == 201
