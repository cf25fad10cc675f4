"""What other houses contribute to a draw: committed to beforehand, revealed from its start on, left out when late."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from aiohttp import web

from engine import verifier
from engine.catalogue import Contributor, OnSale
from engine.cell import Cell
from engine.contributions import ADDRESS_VARIABLE, Contributions, commitment_of
from engine.drawing import transcript_of
from engine.errors import BadInput, CellUnavailable
from engine.instants import now_ms
from engine.network import Neighbour
from engine.waiting_room import PUBLIC
from engine.words import HouseSlug, OnSaleId
from tests.backstage import Backstage, until
from tests.town import Town

SECRETS = {"klinker": "a" * 42 + "A", "mirage": "b" * 42 + "A"}


class Others:
    """The API of two other houses, which do as the test says."""

    def __init__(self) -> None:
        self.withholding: set[str] = set()
        self.lying: set[str] = set()

    async def answer(self, request: web.Request) -> web.Response:
        contributor, house, on_sale, planned = (
            request.match_info[name] for name in ("contributor", "house", "on_sale", "planned")
        )
        secret = SECRETS[contributor]
        of = HouseSlug(house), OnSaleId(on_sale), PUBLIC, int(planned)
        told = {"commitment": commitment_of(contributor, *of, secret)}
        if now_ms() >= int(planned) and contributor not in self.withholding:
            told["secret"] = SECRETS["mirage"] if contributor in self.lying else secret
        return web.json_response(told)


@pytest.fixture
async def others(stage: Backstage) -> AsyncIterator[Others]:
    found = Others()
    app = web.Application()
    path = "/v1/houses/{contributor}/draw-contributions/{house}/{on_sale}/public/{planned}"
    app.router.add_get(path, found.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    near = tuple(Neighbour(HouseSlug(name), name, address) for name in SECRETS)
    stage.cell.house = stage.house = msgspec.structs.replace(stage.house, neighbours=near)
    await stage.open()
    yield found
    await runner.cleanup()


async def put_on(stage: Backstage, opens_in_ms: int = 1_000) -> OnSale:
    made = tuple(Contributor(name, "") for name in SECRETS)
    return await stage.put_on(opens_at_ms=now_ms() + opens_in_ms, contributors=made)


async def drawn(stage: Backstage, on_sale: OnSale) -> dict[str, Any]:
    """The draw, made while a keeper's collector looks again and again."""
    cell = Cell(stage.house, is_owner=True)
    await cell.look()
    contributions = Contributions(cell, stage.ledger)

    async def is_made() -> bool:
        await contributions.look()
        return (await stage.status(on_sale)).draw.is_made

    try:
        await until(is_made, "the draw is made")
        await contributions.look()
    finally:
        await cell.close()
    told = transcript_of(stage.slug, on_sale, PUBLIC, (await stage.status(on_sale)).draw)
    assert verifier.faults(verifier.read(msgspec.json.encode(told))) == []
    return told


async def test_what_others_reveal_in_time_is_mixed_in(stage: Backstage, others: Others) -> None:
    on_sale = await put_on(stage)
    assert others
    assert [each.commitment for each in on_sale.contributors] == [
        commitment_of(name, stage.slug, on_sale.on_sale, PUBLIC, on_sale.opens_at_ms, secret)
        for name, secret in SECRETS.items()
    ]
    told = await drawn(stage, on_sale)
    assert [each["secret"] for each in told["contributors"]] == list(SECRETS.values())
    assert told["rule"]["after_ms"] == 2_000
    assert await stage.alarms() == []


@pytest.mark.parametrize("how", ["withholding", "lying"])
async def test_what_is_not_revealed_is_left_out_at_the_published_instant_and_said(
    stage: Backstage, others: Others, how: str
) -> None:
    on_sale = await put_on(stage)
    getattr(others, how).add("klinker")
    told = await drawn(stage, on_sale)
    assert verifier.withheld(told) == ["klinker"]
    assert told["contributors"][1]["secret"] == SECRETS["mirage"]
    wanted = ("draw-withheld", {"on_sale": on_sale.on_sale, "houses": "klinker"})
    assert await stage.alarms() == [wanted]
    await drawn(stage, on_sale)  # another keeper raises no other alarm
    assert await stage.alarms() == [wanted]


async def test_a_sale_that_is_opened_by_hand_is_drawn_without_what_nobody_reveals_yet(
    stage: Backstage, others: Others
) -> None:
    on_sale = await put_on(stage, 10**9)
    assert others
    opened = now_ms()
    await stage.tell(on_sale, "open")
    assert verifier.withheld(await drawn(stage, on_sale)) == list(SECRETS)
    assert (await stage.status(on_sale)).draw.due_at_ms >= opened + 2_000


async def test_an_on_sale_names_other_houses_that_answer_each_once(stage: Backstage, others: Others) -> None:
    assert others
    for names in (("nobody",), ("klinker", "klinker"), tuple(f"h{n}" for n in range(9)), (stage.slug,)):
        with pytest.raises(BadInput):
            await stage.put_on(contributors=tuple(Contributor(name, "") for name in names))
    away = Neighbour(HouseSlug("away"), "Away", "http://127.0.0.1:9")
    stage.cell.house = msgspec.structs.replace(stage.house, neighbours=(away,))
    with pytest.raises(CellUnavailable):
        await stage.put_on(contributors=(Contributor("away", ""),))


async def test_two_houses_of_a_network_contribute_to_each_others_draws(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ADDRESS_VARIABLE, town.url)
    named = (Contributor("zuid", ""),)
    async with await town.open_sale("noord", opens_at_ms=now_ms() + 6_000, contributors=named) as sale:
        before = (await sale.status())["draw"]["contributors"]
        assert [each["house"] for each in before] == ["zuid"]
        found: Any = {}

        async def is_drawn() -> bool:
            nonlocal found
            found = await sale.status()
            return "seed" in found["draw"]

        await until(is_drawn, "the draw is made", seconds=30)
        told = verifier.read(msgspec.json.encode(found))
        assert (verifier.faults(told), verifier.withheld(told)) == ([], [])
        assert told["contributors"][0]["commitment"] == before[0]["commitment"]


async def test_a_manager_names_who_contributes(town: Town) -> None:
    async with await town.open_sale("noord") as sale:
        near = (await sale.get("/manage/neighbours", token=sale.manage_key)).json
        assert near == {"houses": [{"house": "zuid", "name": "House zuid"}]}
        show = f"show-{now_ms()}"
        made = {"performance": show, "hall": sale.hall, "title": "Show", "starts_at": "2031-06-01T20:00:00Z"}
        prices = {"Rang 1": {"full": 1}, "Rang 2": {"full": 1}}
        await sale.post("/manage/performances", made | {"prices": prices}, token=sale.manage_key)
        body = {"on_sale": show, "title": "Sale", "performances": [show]}
        body |= {"prequeue_at": "2031-01-01T00:00:00Z", "opens_at": "2031-01-02T00:00:00Z"}
        for wrong in ("noord", "nobody"):
            refused = await sale.post("/manage/on-sales", body | {"contributors": [wrong]}, token=sale.manage_key)
            assert (refused.status, refused.slug) == (422, "bad-input")
        answer = await sale.post("/manage/on-sales", body | {"contributors": ["zuid"]}, token=sale.manage_key)
        assert answer.status == 201, answer.json
        told = (await sale.get(f"/on-sales/{show}")).json["draw"]
        assert [each["house"] for each in told["contributors"]] == ["zuid"]
        assert told["rule"]["after_ms"] == 2_000


async def test_a_house_reveals_nothing_before_the_planned_start_and_to_no_stranger(town: Town) -> None:
    async with await town.open_sale("noord") as sale:
        at = "/draw-contributions/zuid/spring/public"
        ahead = (await sale.get(f"{at}/{now_ms() + 10**7}")).json
        assert ahead.keys() == {"commitment"}
        past = now_ms() - 1_000
        found = (await sale.get(f"{at}/{past}")).json
        of = HouseSlug("zuid"), OnSaleId("spring"), PUBLIC, past
        assert commitment_of("noord", *of, found["secret"]) == found["commitment"] != ahead["commitment"]
        for wrong in (
            "/draw-contributions/nobody/spring/public/1",
            "/draw-contributions/noord/spring/public/1",
            f"{at}/x",
            f"{at}/0",
            f"{at}/{'9' * 30}",
            "/draw-contributions/zuid/spring/A%0Ab/1",
        ):
            assert (await sale.get(wrong)).slug == "not-found", wrong
