"""What a person has to look at reaches one: by the API, from a shell, and in words."""

import asyncio
import json
import re
import uuid
from pathlib import Path

import pytest

from engine.cli.sales import at_house
from engine.ledger.attention import WORDS
from engine.ledger.payments import note_unclaimed, request_unclaimed_refund
from engine.ledger.recoveries import raise_alarm
from tests.integration.commands import Parvis
from tests.integration.test_payments import awaiting, tell
from tests.sale import Answer, Sale
from tests.town import Town

ENGINE = Path(__file__).parents[2] / "engine"


def test_every_kind_of_alarm_is_said_in_words() -> None:
    source = "".join(path.read_text() for path in ENGINE.rglob("*.py"))
    raised = re.findall(r'alarm(?:_once)?\(\s*(?:connection|self\._ledger|ledger), "([\w-]+)"', source)
    raised += re.findall(r"INTO alarms \(kind, detail\) VALUES \('([\w-]+)'", source)
    assert set(raised) == set(WORDS)


async def new_alarm(sale: Sale, kind: str) -> None:
    async with at_house(sale.town.network_file, sale.slug) as (_, ledger):
        await raise_alarm(ledger, kind, {"order": "an-order"})


async def test_a_manager_sees_alarms_and_says_that_they_are_seen_to(town: Town) -> None:
    async with await town.open_sale("noord") as sale:
        await new_alarm(sale, "live-seat")
        listed = (await sale.get("/manage/alarms", token=sale.manage_key)).json["alarms"]
        newest = listed[0]
        assert (newest["kind"], newest["detail"], newest["seen_by"]) == ("live-seat", {"order": "an-order"}, "")
        assert newest["words"].startswith("a seat was sold twice")
        for _ in range(2):
            left = await sale.post(
                f"/manage/alarms/{newest['id']}/seen", {"reason": "called them"}, token=sale.manage_key
            )
            assert (left.status, [each for each in left.json["alarms"] if each["id"] == newest["id"]]) == (200, [])
        everything = (await sale.get("/manage/alarms?seen=true", token=sale.manage_key)).json["alarms"]
        assert [each["seen_by"] != "" for each in everything if each["id"] == newest["id"]] == [True]
        actions = (await sale.get("/manage/actions", token=sale.manage_key)).json["actions"]
        assert [each["why"] for each in actions if each["what"] == "see alarm"][:1] == ["called them"]
        assert (await sale.post(f"/manage/alarms/{2**64}/seen", {"reason": "x"}, token=sale.manage_key)).status == 404


async def test_money_that_has_to_go_back_is_listed_until_it_did(town: Town) -> None:
    async with await town.open_sale("noord") as sale:
        reference, order, held, token = await awaiting(sale, "zaal-A-1")
        assert (await sale.ask("DELETE", f"/holds/{held}", token=token)).status == 204
        buyer = await sale.enter()
        resold = (await sale.hold(buyer, "zaal-A-1")).json["hold"]
        assert (await sale.order(buyer, resold)).status == 202
        assert (await tell(sale, reference)).json == {"state": "conflicted"}
        await sale.until_recorded(order, "conflicted")
        unclaimed = f"late-{uuid.uuid4()}"
        async with at_house(town.network_file, "noord") as (_, ledger):
            await note_unclaimed(ledger, "demo", unclaimed)
            assert await request_unclaimed_refund(ledger, "demo", unclaimed)

        async def due() -> "dict[str, tuple[str | None, int | None]]":
            found = (await sale.get("/manage/refunds?limit=1000", token=sale.manage_key)).json["refunds"]
            return {each["reference"]: (each["order"], each["amount"]) for each in found}

        found = await due()
        assert (found[reference], found[unclaimed]) == ((order["order"], 2100), (None, None))
        for paid in (reference, unclaimed):
            body = {"provider": "demo", "reference": paid, "reason": "paid back"}
            assert (await sale.post("/manage/refunds/paid", body, token=sale.manage_key)).status == 200
        assert {reference, unclaimed}.isdisjoint(await due())
        done = (await sale.get("/manage/refunds?done=true&limit=1000", token=sale.manage_key)).json["refunds"]
        assert {each["reference"] for each in done if each["refunded_at"]} >= {reference, unclaimed}


async def test_each_refund_of_an_order_is_noted_by_itself(town: Town, parvis: Parvis) -> None:
    async with await town.open_sale("noord") as sale:
        token = await sale.enter()
        held = await sale.hold(token, "zaal-A-1", "zaal-A-2", "zaal-A-3")
        ordered = (await sale.order(token, held.json["hold"])).json
        await sale.until_recorded(ordered)
        for item in (0, 1, 2):
            body = {"reason": "ill", "items": [item]}
            path = f"/manage/orders/{ordered['order']}/refund"
            assert (await sale.post(path, body, token=sale.manage_key)).status == 200
        await sale.until_recorded(ordered, "refunded")

        async def due() -> list[int]:
            found = (await sale.get("/manage/refunds?limit=1000", token=sale.manage_key)).json["refunds"]
            return [each["refund"] for each in found if each["order"] == ordered["order"]]

        async def paid(**body: object) -> Answer:
            return await sale.post("/manage/refunds/paid", {"reason": "paid back"} | body, token=sale.manage_key)

        first, second, third = await due()
        for _ in range(2):
            assert (await paid(refund=second)).status == 200
        assert await due() == [first, third]
        reference = "nothing"
        for wrong in ({}, {"refund": first, "provider": "demo"}, {"provider": "demo"}):
            assert (await paid(**wrong)).slug in {"bad-input", "bad-body"}
        for unknown in (0, 2**62, 2**64):
            assert (await paid(refund=unknown)).slug == "not-found"
        assert (await paid(provider="demo", reference=reference)).status == 200
        assert await due() == [first, third]
        where = ("--network", str(town.network_file), "--house", "noord", "--reason", "paid back")
        assert (await asyncio.to_thread(parvis, "refund", "went", str(first), *where)).code == 0
        again = await asyncio.to_thread(parvis, "refund", "went", str(first), *where)
        assert (again.code != 0, "was paid before" in again.words) == (True, True)
        assert await due() == [third]


def test_a_shell_shows_alarms_refunds_and_recoveries(town: Town, shared: Sale, parvis: Parvis) -> None:
    asyncio.run(new_alarm(shared, "unclaimed-payment"))
    where = ("--network", str(town.network_file), "--house", "noord")
    listed = json.loads(parvis("alarm", "list", *where, "--json").out)
    assert listed[0]["kind"] == "unclaimed-payment"
    assert "its money goes back" in " ".join(parvis("alarm", "list", *where).out.split())
    number = str(listed[0]["id"])
    assert parvis("alarm", "seen", number, *where, "--reason", "called them").code == 0
    assert parvis("alarm", "seen", number, *where, "--reason", "called them").code != 0
    assert number not in {str(each["id"]) for each in json.loads(parvis("alarm", "list", *where, "--json").out)}
    assert isinstance(json.loads(parvis("refund", "list", *where, "--all", "--json").out), list)
    assert parvis("refund", "list", *where).code == 0
    refused = parvis("refund", "paid", "demo", "nothing", *where, "--reason", "x")
    assert refused.code != 0
    assert "owes nothing" in refused.err
    assert re.search(
        r"restarted and had lost nothing; it took [\d.]+ s", " ".join(parvis("recoveries", *where).out.split())
    )
    assert json.loads(parvis("recoveries", *where, "--json").out)[-1]["detail"]["kind"] == "none"


@pytest.mark.parametrize("words", [("alarm", "seen", "x"), ("alarm", "seen", "1"), ("refund", "paid", "demo")])
def test_a_shell_says_what_is_missing(town: Town, parvis: Parvis, words: "tuple[str, ...]") -> None:
    said = parvis(*words, "--network", str(town.network_file), "--house", "noord")
    assert said.code != 0
    assert said.err or said.out
