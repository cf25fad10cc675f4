"""Every command as a person gives it: what it does, what it says, and that bad input gets words."""

import asyncio
import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import tomli_w

from engine.audit import Audit
from engine.cli.sales import at_house
from engine.on_sale import standing
from engine.ports import free_port
from engine.waiting_room import hash_secret
from engine.words import OnSaleId
from tests.integration.books import Books
from tests.integration.commands import HOUSE, LATER, Parvis, put_on_sale
from tests.town import Town, small_plan


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    """Two houses of this module's own: their books are audited."""
    running = Town((HOUSE, "zuid")).start()
    try:
        asyncio.run(running.until_ready())
        yield running
    finally:
        running.stop()


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


async def fields_of(town: Town, on_sale: str) -> dict[str, str]:
    """What Redis knows of an on-sale."""
    async with at_house(town.network_file, HOUSE) as (cell, _):
        return await standing(cell, OnSaleId(on_sale))


def test_a_manager_puts_a_hall_on_sale_from_a_shell(town: Town, parvis: Parvis, at: list[str], plan_file: Path) -> None:
    assert "50 seats in 5 rows" in parvis("plan", "check", str(plan_file)).out
    more = ("--burst-percent", "50", "--turn-seconds", "90", "--seats-a-place", "4")
    put_on_sale(at, plan_file, "journey", "--rate-per-minute", "60", "--cap", "7", *more)
    now = status_of(town, "journey")
    assert (now.phase, now.rate_per_minute, now.cap) == ("prequeue", 60, 7)
    fields = asyncio.run(fields_of(town, "journey"))
    assert (fields["burst_ms"], fields["turn_ms"]) == ("30000", "90000")
    prices = ("--price.Rang 1", "3200", "--price.Rang 2", "2400")
    show = ("performance", "create", "late", "--hall", "journey", "--title", "Late", "--starts-at", LATER)
    assert parvis(*show, *prices, *at).code == 0
    windows = ("on-sale", "create", "late", "--title", "Late", "--performance", "late", "--fair-window", "20")
    said = parvis(*windows, "--prequeue-at", "2026-01-01T00:00:00Z", "--opens-at", "2030-01-01T00:00:00Z", *at)
    assert said.code != 0
    assert "1500 windows at most lie before opens_at" in said.words
    soon = ("--prequeue-at", "2030-01-01T00:00:00Z", "--opens-at", "2030-01-01T01:00:00Z")
    assert parvis(*windows, *soon, *at).code == 0
    assert asyncio.run(fields_of(town, "late"))["fair_window_ms"] == "20000"
    for verb, phase in (
        *(("open", "open"), ("pause", "paused"), ("resume", "open"), ("drain", "open"), ("stop", "paused")),
        ("resume", "open"),
    ):
        said = parvis("on-sale", verb, "journey", *at, "--why", "because")
        assert said.out.strip() == f"✓ journey is {phase}"
        assert status_of(town, "journey").phase == phase
    assert parvis("on-sale", "rate", "journey", *at, "--per-minute", "90", "--cap", "30", "--why", "calm").code == 0
    step = "2031-01-10T20:00:00+01:00=300"
    said = parvis("on-sale", "schedule", "journey", step, *at, "--why", "the second hour")
    assert said.out.strip() == "✓ journey lets in 2031-01-10T19:00:00.000Z=300"
    assert status_of(town, "journey").rates == "1925838000000 300"
    assert parvis("on-sale", "schedule", "journey", *at, "--why", "no").out.strip() == "✓ journey keeps its rate"
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


# -- the draw


def open_with_a_queue(town: Town, parvis: Parvis, at: list[str], plan_file: Path, name: str) -> list[dict[str, Any]]:
    """An on-sale that nine people queued for before it opened; their places as the API gave them."""
    put_on_sale(at, plan_file, name)

    async def join() -> list[dict[str, Any]]:
        url = f"{town.url}/v1/houses/{HOUSE}/on-sales/{name}/places"
        joined: list[dict[str, Any]] = []
        async with aiohttp.ClientSession() as session:
            while len(joined) < 9:
                body = {"secret_hash": hash_secret(f"secret {len(joined)}")}
                headers = {"Idempotency-Key": f"{name}-{len(joined)}"}
                async with session.post(url, json=body, headers=headers) as response:
                    if response.status == 404:  # every API process learns of a sale within a moment
                        await asyncio.sleep(0.05)
                        continue
                    assert response.status == 201, await response.text()
                    joined.append(await response.json())
        return joined

    places = asyncio.run(asyncio.wait_for(join(), 20))
    assert parvis("on-sale", "open", name, *at, "--why", "it is time").code == 0
    return places


async def saved_status(town: Town, on_sale: str, *, is_drawn: bool) -> bytes:
    url = f"{town.url}/v1/houses/{HOUSE}/on-sales/{on_sale}/status"
    async with aiohttp.ClientSession() as session, asyncio.timeout(20):
        while True:
            async with session.get(url) as response:
                body = await response.read()
            if ("seed" in json.loads(body)["draw"]) is is_drawn:
                return body
            await asyncio.sleep(0.05)


def test_anybody_can_check_a_draw_from_the_public_status(
    town: Town, parvis: Parvis, at: list[str], plan_file: Path, tmp_path: Path
) -> None:
    file = tmp_path / "draw.json"
    put_on_sale(at, plan_file, "before")

    async def before() -> bytes:
        while get_now := await asyncio.to_thread(get, town, "/on-sales/before/status"):
            if get_now[0] == 200:
                return get_now[1]
            await asyncio.sleep(0.05)
        raise AssertionError

    file.write_bytes(asyncio.run(asyncio.wait_for(before(), 20)))
    (tmp_path / "before.json").write_bytes(file.read_bytes())
    kept = json.loads(file.read_bytes())["draw"]["commitment"]
    said = parvis("draw", "verify", str(file))
    assert said.code == 2
    assert f"has not been made yet; keep its commitment, to compare: {kept}" in said.words

    places = open_with_a_queue(town, parvis, at, plan_file, "drawn")
    file.write_bytes(asyncio.run(saved_status(town, "drawn", is_drawn=True)))
    drawn = json.loads(file.read_bytes())["draw"]
    said = parvis("draw", "verify", str(file))
    assert said.code == 0
    assert f"9 entrants were drawn as committed to: {drawn['commitment']}" in said.words
    assert "Did you keep a status from before the draw" in said.words
    assert parvis("draw", "verify", str(file), "--commitment", drawn["commitment"]).code == 0
    said = parvis("draw", "verify", str(file), "--commitment", kept)
    assert said.code == 1
    assert f"the commitment is {drawn['commitment']}, and was {kept}" in said.words
    said = parvis("draw", "verify", str(file), "--before", str(tmp_path / "before.json"))
    assert said.code == 1
    assert f"the commitment, {kept} then, {drawn['commitment']} now" in said.words
    said = parvis("draw", "verify", str(file), "--keys", "zuid=none.json")
    assert said.code == 2
    assert "zuid has signed nothing in this file" in said.words
    index = places[4]["index"]
    assert f"Index {index} has position " in parvis("draw", "verify", str(file), "--index", str(index)).words
    file.write_bytes(file.read_bytes().replace(drawn["seed"].encode(), drawn["commitment"].encode()))
    said = parvis("draw", "verify", str(file))
    assert said.code == 1
    assert "this is not the draw that was committed to" in said.words


def test_a_house_can_publish_the_whole_transcript(
    town: Town, parvis: Parvis, at: list[str], plan_file: Path, tmp_path: Path
) -> None:
    open_with_a_queue(town, parvis, at, plan_file, "published")
    assert parvis("audit", *at).code == 0  # waits until the entrants are recorded
    said = parvis("draw", "transcript", "published", *at)
    transcript = json.loads(said.out)
    assert transcript["secret_hashes"] == [hash_secret(f"secret {number}") for number in range(9)]
    file = tmp_path / "transcript.json"
    file.write_text(said.out)
    assert parvis("draw", "verify", str(file)).code == 0
    assert json.loads(get(town, "/on-sales/published/draw")[1]) == transcript
    hashes = transcript["secret_hashes"]
    hashes[0], hashes[1] = hashes[1], hashes[0]
    file.write_text(json.dumps(transcript))
    said = parvis("draw", "verify", str(file))
    assert said.code == 1
    assert "the list is not the one of the root" in said.words


# -- the books, and the installation


def test_an_audit_tells_of_faults_and_ends_with_one(town: Town, parvis: Parvis, at: list[str], plan_file: Path) -> None:
    put_on_sale(at, plan_file, "books")
    said = parvis("audit", *at, "--json")
    told = json.loads(said.out)
    assert (said.code, told["clean"], told["faults"]) == (0, True, [])
    assert {"seats", "sold", "orders_confirmed", "orders_recorded", "double_sold", "lost", "stranded_holds"} <= set(
        told
    )
    assert set(told) == {*Audit.__struct_fields__, "clean"}
    assert "the books balance" in parvis("audit", *at).words
    with Books(town, HOUSE) as books:
        books.redis.hincrby(f"{{{HOUSE}}}:sale:books", "takings", 5)
        try:
            said = parvis("audit", *at)
            assert said.code == 1
            assert "the books do NOT balance" in said.words
            assert "✗ books: takings of 5 in Redis, 0 in the ledger" in said.words
            said = parvis("audit", *at, "--json")
            assert (said.code, json.loads(said.out)["clean"]) == (1, False)
        finally:
            books.redis.hincrby(f"{{{HOUSE}}}:sale:books", "takings", -5)


def test_the_doctor_finds_nothing_where_nothing_is_wrong(town: Town, parvis: Parvis) -> None:
    said = parvis("doctor", "--network", str(town.network_file))
    assert said.code == 0
    for slug in town.slugs:
        assert f"✓ {slug}: open, Redis and Postgres answer" in said.words
    assert "nothing is wrong here" in said.words
    assert "houses were not looked at" in parvis("doctor").words


def test_the_doctor_asks_for_the_proxies_before_a_house(town: Town, parvis: Parvis, tmp_path: Path) -> None:
    document, file = tomllib.loads(town.network_file.read_text()), tmp_path / "network.toml"
    for count, address, is_asked in (
        (0, "https://tickets.example.org", True),
        (1, "https://tickets.example.org", False),
    ):
        document["trusted_proxies"] = count
        next(house for house in document["houses"] if house["slug"] == HOUSE)["address"] = address
        file.write_text(tomli_w.dumps(document))
        said = parvis("doctor", "--network", str(file))
        assert ("trusted_proxies = 0, and a proxy stands before noord" in said.words) is is_asked
        assert said.code == 0, "it is a question"


def test_the_doctor_says_which_server_of_which_house_is_away(town: Town, parvis: Parvis, tmp_path: Path) -> None:
    document = tomllib.loads(town.network_file.read_text())
    noord = next(house for house in document["houses"] if house["slug"] == HOUSE)
    noord["redis_url"] = noord["redis_owner_url"] = f"redis://u:secret-password@127.0.0.1:{free_port()}"
    noord["postgres_dsn"] = f"postgresql://r:secret-password@127.0.0.1:{free_port()}/d"
    file = tmp_path / "network.toml"
    file.write_text(tomli_w.dumps(document))
    said = parvis("doctor", "--network", str(file))
    assert said.code == 1
    assert "✗ noord: its Redis does not answer as it should" in said.words
    assert "✗ noord: its Postgres does not answer" in said.words
    assert "✓ zuid: open" in said.words
    assert "secret-password" not in said.words


def test_a_commitment_that_begins_with_a_dash_is_no_option(parvis: Parvis, tmp_path: Path) -> None:
    file = tmp_path / "draw.json"
    file.write_text("{}")
    assert "neither a draw's transcript" in parvis("draw", "verify", str(file), "--commitment", "-Yd1").words
