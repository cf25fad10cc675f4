"""Every command as a person gives it: what it does, what it says, and that bad input gets words."""

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from engine.cli.sales import at_house
from tests.integration.commands import HOUSE, Parvis, put_on_sale
from tests.town import Town, small_plan


@pytest.fixture
def at(town: Town) -> list[str]:
    return ["--network", str(town.network_file), "--house", HOUSE]


@pytest.fixture
def plan_file(tmp_path: Path) -> Path:
    path = tmp_path / "zaal.json"
    path.write_text(json.dumps(small_plan()))
    return path


def get(town: Town, path: str, token: str = "") -> tuple[int, bytes]:
    async def fetch() -> tuple[int, bytes]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        url = f"{town.url}/v1/houses/{HOUSE}{path}"
        async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as response:
            return response.status, await response.read()

    return asyncio.run(fetch())


def status_of(town: Town, on_sale: str) -> Any:
    """Where an on-sale stands, from Redis itself."""

    async def look() -> Any:
        from engine.waiting_room import status

        async with at_house(town.network_file, HOUSE) as (cell, _):
            return await status(cell, cell.on_sale(on_sale).on_sale)

    return asyncio.run(look())


# -- a sale


def test_a_manager_puts_a_hall_on_sale_from_a_shell(town: Town, parvis: Parvis, at: list[str], plan_file: Path) -> None:
    assert "50 seats in 5 rows" in parvis("plan", "check", str(plan_file)).out
    put_on_sale(at, plan_file, "journey", "--rate-per-minute", "60", "--cap", "7", "--seats-a-place", "4")
    now = status_of(town, "journey")
    assert (now.phase, now.rate_per_minute, now.cap) == ("prequeue", 60, 7)
    for verb, phase in (("open", "open"), ("pause", "paused"), ("resume", "open")):
        said = parvis("on-sale", verb, "journey", *at, "--why", "because")
        assert said.out.strip() == f"✓ journey is {phase}"
        assert status_of(town, "journey").phase == phase
    assert parvis("on-sale", "rate", "journey", *at, "--per-minute", "90", "--cap", "30", "--why", "calm").code == 0
    assert parvis("on-sale", "message", "journey", "We start [soon]", *at, "--why", "late").code == 0
    now = status_of(town, "journey")
    assert (now.rate_per_minute, now.cap, now.message) == (90, 30, "We start [soon]")
    assert parvis("on-sale", "message", "journey", "", *at, "--why", "started").code == 0
    assert status_of(town, "journey").message == ""
    assert parvis("on-sale", "close", "journey", *at, "--why", "over").code == 0
    assert status_of(town, "journey").phase == "closed"


def test_everything_that_was_done_is_recorded_with_who_and_why(
    town: Town, parvis: Parvis, at: list[str], plan_file: Path
) -> None:
    put_on_sale(at, plan_file, "logged")
    parvis("on-sale", "open", "logged", *at, "--why", "the mayor is here")
    assert parvis("audit", *at).code == 0  # waits until everything is recorded

    async def actions() -> list[tuple[str, str, str]]:
        async with at_house(town.network_file, HOUSE) as (_, ledger):
            found = await ledger.actions(50)
        return [(each.what, each.who.partition(":")[0], each.why) for each in found if each.subject == "logged"]

    assert set(asyncio.run(actions())) == {
        ("create hall", "shell", "import"),
        ("create performance", "shell", "create performance"),
        ("create on-sale", "shell", "create on-sale"),
        ("open", "shell", "the mayor is here"),
    }


def test_giving_a_command_again_changes_nothing(town: Town, parvis: Parvis, at: list[str], plan_file: Path) -> None:
    put_on_sale(at, plan_file, "again")
    commitment = status_of(town, "again").commitment
    put_on_sale(at, plan_file, "again")
    assert status_of(town, "again").commitment == commitment


def test_a_key_is_shown_once_and_opens_what_its_scopes_say(town: Town, parvis: Parvis, at: list[str]) -> None:
    said = parvis("key", "create", "Website [2026]", "orders:read", "manage", *at)
    assert said.code == 0
    secret = said.out.strip().splitlines()[-1]
    assert secret.startswith("pk_")
    assert "orders:read, manage" in said.out

    async def is_known() -> bool:
        for _ in range(100):
            code = await asyncio.to_thread(get, town, "/manage/keys", secret)
            if code[0] == 200:
                return True
            await asyncio.sleep(0.05)
        return False

    assert asyncio.run(is_known())
    assert secret.encode() not in get(town, "/manage/keys", secret)[1]
    counter = parvis("key", "create", "Counter", "counter", *at).out.strip().splitlines()[-1]
    assert get(town, "/manage/keys", counter)[0] in {401, 403}


def test_a_plan_is_checked_in_words_or_as_json(parvis: Parvis, tmp_path: Path) -> None:
    plan = small_plan()
    plan["zones"][0]["rows"][0]["seats"][1]["seat_guid"] = "zaal-A-1"
    plan["categories"].append({"name": "[bold]Loge"})
    spoilt = tmp_path / "spoilt.json"
    spoilt.write_text(json.dumps(plan), encoding="utf-8-sig")
    said = parvis("plan", "check", str(spoilt))
    assert said.code == 1
    assert "error seat_guid 'zaal-A-1': is on 2 seats: zone Zaal, row A, seat 1; zone Zaal, row A, seat 2" in said.out
    assert "→ ids are unique in a plan" in said.out
    assert "warning category '[bold]Loge': has no seats" in said.out
    told = json.loads(parvis("plan", "check", str(spoilt), "--json").out)
    assert told["errors"] == 1
    assert {"where", "what", "remedy", "severity"} == set(told["faults"][0])


def test_a_plan_with_faults_becomes_no_hall(parvis: Parvis, at: list[str], tmp_path: Path) -> None:
    plan = small_plan()
    plan["zones"][0]["rows"][0]["seats"][1]["seat_guid"] = "zaal-A-1"
    spoilt = tmp_path / "spoilt.json"
    spoilt.write_text(json.dumps(plan))
    said = parvis("plan", "import", str(spoilt), *at, "--hall", "spoilt")
    assert said.code == 2
    assert "cannot be sold from" in said.err
    assert "is on 2 seats" in said.err
