"""What everybody may read, and how it may be cached: status, plan, seats and their changes, the directory, liveness."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import psutil
import pytest

from api import app as app_module
from api import public
from api.wire_house import ListedOnSale
from engine.cell import Cell
from tests.backstage import Backstage
from tests.town import Sale, Town
from tests.unread import UnreadBody

STATUS_CACHE = "public, max-age=1, stale-while-revalidate=5, stale-if-error=60"


async def test_the_status_is_the_same_bytes_for_everybody(town: Town, shared: Sale) -> None:
    async with shared as sale:
        path = f"/on-sales/{sale.on_sale}/status"
        token = await sale.enter()
        disguises: list[dict[str, str]] = [
            {},
            {"Cookie": "visitor=1"},
            {"Authorization": f"Bearer {token}"},
            {"Origin": "https://elsewhere.example"},
            {"Accept-Language": "fr", "User-Agent": "a phone"},
        ]
        for _ in range(50):  # the document is renewed every second: ask until all fell into one of them
            answers = await asyncio.gather(*(sale.get(path, headers=disguise) for disguise in disguises))
            if len({answer.json["server_time"] for answer in answers}) == 1:
                break
        assert len({answer.body for answer in answers}) == 1
        for answer in answers:
            assert answer.status == 200
            assert answer.headers["Cache-Control"] == STATUS_CACHE
            assert answer.headers["Content-Type"] == "application/json"
            assert "Set-Cookie" not in answer.headers
            assert answer.headers.get("Vary") is None
        assert len({answer.headers["ETag"] for answer in answers}) == 1


async def test_the_status_says_what_the_contract_names(town: Town) -> None:
    async with await town.open_sale("noord") as sale:
        places = [await sale.join() for _ in range(3)]
        await sale.pass_for(*places[0])
        status = await sale.status()
        while "seed" not in status["draw"]:  # pass_for has waited for it to be made, in one process or another
            status = await sale.status()
        assert status["phase"] == "open"
        assert status["lines"]["public"]["joined"] == 3
        assert status["lines"]["public"]["per_minute"] == 60_000
        assert status["lines"]["public"]["now_serving"] <= 3
        assert status["draw"].keys() == {"algorithm", "commitment", "rule", "entrants", "root", "secret", "seed"}
        assert status["seats_open"] == {"Rang 1": 20, "Rang 2": 50}
        assert [step["ahead"] for step in status["poll"]] == sorted(step["ahead"] for step in status["poll"])
        assert status["poll"][0]["after_ms"] >= 1000
        assert status["epoch"] >= 1
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", status["opens_at"])
        assert "message" not in status
    async with await town.open_sale("noord", opens_at_ms=4_000_000_000_000) as sale:
        status = await sale.status()
        assert status["phase"] == "prequeue"
        assert status["draw"].keys() == {"algorithm", "commitment", "rule"}, "no seed leaves before the draw"


@pytest.mark.parametrize("what", ["status", "plan", "seats"])
async def test_whoever_has_a_document_already_gets_304(town: Town, shared: Sale, what: str) -> None:
    async with shared as sale:
        path = f"/on-sales/{sale.on_sale}/status" if what == "status" else f"/performances/{sale.performance}/{what}"
        for _ in range(20):
            first = await sale.get(path)
            second = await sale.get(path, headers={"If-None-Match": first.headers["ETag"]})
            if second.status == 304:
                break
        assert (second.status, second.body) == (304, b"")
        assert second.headers["ETag"] == first.headers["ETag"]
        assert second.headers["Cache-Control"] == first.headers["Cache-Control"]
        assert (await sale.get(path, headers={"If-None-Match": '"another"'})).status == 200


async def test_a_plan_never_changes_and_seats_are_a_second_old_at_most(town: Town, shared: Sale) -> None:
    async with shared as sale:
        plan = await sale.get(f"/performances/{sale.performance}/plan")
        assert plan.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert plan.json["categories"][0]["name"] == "Rang 1"
        seats = await sale.get(f"/performances/{sale.performance}/seats")
        assert seats.json.keys() == {"version", "seats", "areas", "plan_change"}
        assert seats.json["areas"].keys() == {"vloer"}
        assert len(seats.json["seats"]) == 400
        assert set(seats.json["seats"]) <= set("ohsb")
        assert "max-age=1" in seats.headers["Cache-Control"].split(", ")


async def test_a_document_answers_to_head_with_its_headers_alone(town: Town, shared: Sale) -> None:
    async with shared as sale:
        path = f"/performances/{sale.performance}/plan"
        whole, head = await sale.get(path), await sale.ask("HEAD", path)
        assert (head.status, head.body) == (200, b"")
        for name in ("ETag", "Cache-Control", "Content-Type"):
            assert head.headers[name] == whole.headers[name]


async def events(response: aiohttp.ClientResponse) -> AsyncIterator[tuple[str, Any]]:
    """Server-sent events as (kind, data)."""
    kind = "message"
    async for line in response.content:
        text = line.decode().rstrip("\n")
        if text.startswith("event: "):
            kind = text[7:]
        elif text.startswith("data: "):
            yield kind, json.loads(text[6:])
            kind = "message"


async def test_changes_of_seats_arrive_as_they_happen(town: Town) -> None:
    async with await town.open_sale("noord") as sale, aiohttp.ClientSession() as session:
        seats = sale.layouts[sale.performance]
        url = f"{sale.base}/performances/{sale.performance}/seats"
        known = (await sale.get(url)).json
        token = await sale.enter()
        async with asyncio.timeout(20), session.get(f"{url}/changes?since={known['version']}") as response:
            assert response.headers["Content-Type"] == "text/event-stream"
            assert response.headers["Access-Control-Allow-Origin"] == "*"
            assert response.headers["Cache-Control"] == "no-store"
            stream = events(response)
            held = await sale.hold(token, "zaal-B-1", "zaal-B-2")
            shown = list(known["seats"])
            letters = set()
            version = known["version"]
            async for _, data in stream:
                assert data["since"] == version < data["version"]
                version = data["version"]
                for place, letter in data["changes"]:
                    shown[place] = letter
                letters.add(shown[seats.index("zaal-B-1")])
                if letters == {"h"}:
                    await sale.order(token, held.json["hold"])
                if "s" in letters:
                    break
            assert "".join(shown) == await sale.seats()
            assert [place for place, letter in enumerate(shown) if letter == "s"] == [
                seats.index("zaal-B-1"),
                seats.index("zaal-B-2"),
            ]
        # A version that nobody remembers, or had: the whole comes on the stream, and goes on from there.
        for since in (999_999_999, 0):
            async with session.get(f"{url}/changes?since={since}") as response, asyncio.timeout(20):
                stream = events(response)
                kind, whole = await anext(stream)
                assert (kind, whole["seats"]) == ("reload", await sale.seats())
                assert (await sale.hold(await sale.enter(), f"zaal-C-{1 if since else 2}")).status == 201
                kind, data = await anext(stream)
                assert (kind, data["since"]) == ("message", whole["version"])


async def test_however_the_directory_is_asked_for_each_house_is_asked_once(
    stage: Backstage, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0

    async def count(_: Cell) -> tuple[ListedOnSale, ...]:
        nonlocal asked
        asked += 1
        return ()

    monkeypatch.setattr(public, "list_on_sales", count)
    monkeypatch.setattr(app_module, "DIRECTORY_SECONDS", 3600.0)
    app = app_module.create_app([msgspec.structs.replace(stage.house, listed=True)])
    async with app.lifespan():
        client = UnreadBody(app, b"", "")
        for number in range(20):
            for path in ("/v1/on-sales", "/plain"):
                assert (await client.ask("GET", path, f"x={number}"))[0] == 200
    assert asked == 1


async def test_the_directory_lists_the_houses_that_wish_it(town: Town, shared: Sale) -> None:
    async with shared as sale, await town.open_sale("zuid") as elsewhere:
        found = (await sale.get(f"{town.url}/v1/on-sales")).json
        assert found["unavailable"] == []
        listed = {(each["house"], each["on_sale"]): each for each in found["on_sales"]}
        for one in (sale, elsewhere):
            entry = listed[one.slug, one.on_sale]
            assert (entry["house_name"], entry["phase"]) == (f"House {one.slug}", "open")
            assert entry["page"] == f"/h/{one.slug}/{one.on_sale}"
            about = (await one.get(f"/on-sales/{one.on_sale}")).json["performances"]
            assert entry["dates"] == [each["starts_at"] for each in about]
            assert entry["starts_at"] == entry["dates"][0]
            house = next(each for each in found["houses"] if each["house"] == one.slug)
            assert (house["name"], set(house["colours"])) == (
                f"House {one.slug}",
                {"primary", "accent", "background", "text"},
            )


async def test_an_on_sale_says_what_is_sold_when_and_for_how_much(town: Town) -> None:
    async with await town.open_sale("noord", shows=2) as sale:
        found = (await sale.get(f"/on-sales/{sale.on_sale}")).json
        assert (found["house"], found["on_sale"], found["currency"]) == ("noord", sale.on_sale, "EUR")
        assert [each["performance"] for each in found["performances"]] == list(sale.performances)
        assert found["performances"][0]["prices"]["Rang 1"] == {"full": 2000, "reduced": 1500}
        assert found["policies"] == {"fees": "none", "refunds": "none", "delivery": "by e-mail"}
        assert found["limits"] == {
            "seats_a_hold": 6,
            "seats_a_place": 6,
            "holds_an_order": 20,
            "seats_a_customer": 0,
            "lone_seats": "off",
            "unpaid_holds": 0,
            "cool_down_seconds": 60,
            "longest_hold_seconds": 1_800,
        }
        assert "seed" not in found["draw"]


async def test_uvloop_is_the_running_loop_of_every_process_that_serves(town: Town, shared: Sale) -> None:
    assert town.process is not None
    serve = psutil.Process(town.process.pid)
    # The keepers and the writers live in the first process; each tells its running loop when it starts.
    for event in ("event=serving", *(f"event=keeping house={slug}" for slug in town.slugs)):
        lines = [line for line in town.log().splitlines() if event in line]
        assert lines, f"nobody says {event}"
        assert all("loop=uvloop.Loop" in line for line in lines)
    assert "uvloop/loop" in Path(f"/proc/{serve.pid}/maps").read_text()
    # The API's workers are whoever listens; each tells its running loop when it is asked.
    listeners = {
        process.pid
        for process in (serve, *serve.children(recursive=True))
        if any(link.status == psutil.CONN_LISTEN for link in process.net_connections("inet"))
    }
    asked = set()
    async with shared as sale:
        for _ in range(100):
            health = await sale.get(f"{town.url}/healthz", headers={"Connection": "close"})
            assert (health.status, health.json["status"], health.json["loop"]) == (200, "ok", "uvloop.Loop")
            asked.add(health.json["pid"])
            if asked == listeners:
                break
    assert asked == listeners


async def test_readiness_is_told_for_each_cell_and_metrics_name_no_visitor(town: Town, shared: Sale) -> None:
    async with shared as sale:
        ready = await sale.get(f"{town.url}/readyz")
        assert (ready.status, ready.json) == (200, {"ready": True, "cells": {"noord": "open", "zuid": "open"}})
        place, _ = await sale.join()
        metrics = await sale.get(f"{town.url}/metrics")
        assert metrics.status == 200
        assert b'parvis_answers_total{house="noord",route="join",status="201"}' in metrics.body
        assert place.encode() not in metrics.body
