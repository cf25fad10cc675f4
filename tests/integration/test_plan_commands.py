"""A house's plans by its commands and its API: in, out, corrected, and changed while on sale."""

import asyncio
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.catalogue import Performance
from engine.cli.sales import at_house
from tests.integration.commands import HOUSE, LATER, Parvis, put_on_sale
from tests.integration.test_manage import manage
from tests.town import Town, small_plan


@pytest.fixture
def at(town: Town) -> list[str]:
    return ["--network", str(town.network_file), "--house", HOUSE]


def saved(folder: Path, name: str, plan: Any) -> str:
    path = folder / name
    path.write_text(plan if isinstance(plan, str) else json.dumps(plan))
    return str(path)


def performance_of(at: list[str], name: str) -> Performance:
    """A performance as the house's catalogue has it."""

    async def read() -> Performance:
        async with at_house(Path(at[1]), HOUSE) as (cell, _):
            return cell.performance(name)

    return asyncio.run(read())


def longer() -> dict[str, Any]:
    return small_plan(rows=6)


def test_a_plan_comes_out_as_it_went_in(parvis: Parvis, at: list[str], tmp_path: Path) -> None:
    assert parvis("plan", "import", saved(tmp_path, "a.json", small_plan()), "--hall", "out", *at).code == 0
    first = json.loads(parvis("plan", "export", "out", *at).out)
    assert parvis("plan", "import", saved(tmp_path, "b.json", first), "--hall", "out-again", *at).code == 0
    assert json.loads(parvis("plan", "export", "out-again", *at).out) == first
    plain = json.loads(parvis("plan", "export", "out", "--plain", *at).out)
    assert plain == {name: part for name, part in small_plan().items() if name != "parvis"}
    assert "there is no such hall here" in parvis("plan", "export", "none", *at).words


def test_aisles_are_shown_corrected_and_kept(parvis: Parvis, at: list[str], tmp_path: Path) -> None:
    file = saved(tmp_path, "a.json", small_plan())
    sheet = parvis("plan", "aisles", file).out
    assert "Zaal, row C: 1 2 3 4 5 6 7 8 9 10\n" in sheet
    better = saved(tmp_path, "aisles.txt", sheet.replace("row C: 1 2 3 4 5", "row C: | 1 2 3 4 5 |"))
    assert parvis("plan", "import", file, "--hall", "aisled", "--aisles", better, *at).code == 0
    told = json.loads(parvis("plan", "export", "aisled", *at).out)["parvis"]
    assert (told["aisles_before"], told["aisles_after"]) == (["zaal-C-1"], ["zaal-C-5"])
    wrong = saved(tmp_path, "wrong.txt", "Zaal, row Z: 1 2")
    said = parvis("plan", "import", file, "--hall", "wrong", "--aisles", wrong, *at)
    assert said.code == 2
    assert "line 1: the plan has no row 'Zaal, row Z'" in said.words


def test_a_bad_plan_is_explained(parvis: Parvis, at: list[str], tmp_path: Path) -> None:
    plan = small_plan()
    plan["zones"][0]["rows"][1]["seats"][0]["category"] = "Loge"
    said = parvis("plan", "import", saved(tmp_path, "bad.json", plan), "--hall", "bad", *at)
    assert said.code == 2
    assert "zone Zaal, row B, seat 1: its category 'Loge' is not among the plan's categories" in said.words


def test_a_performance_changes_its_plan_from_a_shell(parvis: Parvis, at: list[str], tmp_path: Path) -> None:
    put_on_sale(at, Path(saved(tmp_path, "a.json", small_plan())), "replanned")
    assert parvis("plan", "import", saved(tmp_path, "b.json", longer()), "--hall", "replanned-2", *at).code == 0
    words = ("performance", "plan", "replanned", "--hall", "replanned-2", "--why", "a row more")
    said = parvis(*words, *at)
    assert (said.code, "it has changed 1 times" in said.words) == (0, True), said
    assert parvis(*words, *at).code == 0
    refused = parvis("performance", "plan", "replanned", "--hall", "nowhere", "--why", "x", *at)
    assert "there is no such hall here" in refused.words
    wrong = parvis(*words, "--price.Loge", "1", *at)
    assert "the hall has no category 'Loge'" in wrong.words


def test_a_performance_has_price_types_and_vat_from_a_shell(parvis: Parvis, at: list[str], tmp_path: Path) -> None:
    assert parvis("plan", "import", saved(tmp_path, "a.json", small_plan()), "--hall", "priced", *at).code == 0
    kinds = {
        "member": {"share": 7500, "needs": "number", "at_most": 2},
        "companion": {"share": 0, "fee": 0, "needs": "companion"},
    }
    file = saved(tmp_path, "kinds.json", kinds)
    words = ("performance", "create", "priced", "--hall", "priced", "--title", "Show", "--starts-at", LATER)
    costs = ("--price.Rang 1", "3200", "--price.Rang 2", "2400", "--fee", "150", "--vat-rate", "600")
    assert parvis(*words, *costs, "--price-types", file, *at).code == 0
    made = performance_of(at, "priced")
    assert made.vat_rate == 600
    assert made.prices["Rang 1"] == {"standard": 3200, "member": 2400, "companion": 0}
    assert {name: msgspec.to_builtins(kind) for name, kind in made.price_types.items()} == kinds
    for wrong, why in (
        ({"member": {"shares": 1}}, "unknown field `shares`"),
        ({"member": {"share": "half"}}, "Expected `int"),
        ([], "Expected `object`"),
        ({"member": {"share": 7500, "needs": "luck"}}, "needs is one of code, number"),
        ("{", "is not JSON"),
    ):
        said = parvis(*words, *costs, "--price-types", saved(tmp_path, "wrong.json", wrong), *at)
        assert (said.code, why in said.words) == (2, True), said
    # Another plan may bring other prices along.
    assert parvis("plan", "import", saved(tmp_path, "b.json", longer()), "--hall", "priced-2", *at).code == 0
    only = saved(tmp_path, "only.json", {"youth": {"share": 5000}})
    again = ("performance", "plan", "priced", "--hall", "priced-2", "--why", "a row more")
    moved = ("--price.Rang 1", "3000", "--price.Rang 2", "2000", "--price-types", only)
    assert parvis(*again, *moved, *at).code == 0
    made = performance_of(at, "priced")
    assert (made.hall, made.prices["Rang 2"]) == ("priced-2", {"standard": 2000, "youth": 1000})


def test_when_bays_are_released_is_changed_from_a_shell(parvis: Parvis, at: list[str], tmp_path: Path) -> None:
    put_on_sale(at, Path(saved(tmp_path, "a.json", small_plan())), "released")
    words = ("performance", "access-release", "released")
    said = parvis(*words, "2098-12-01T10:00:00+01:00=50", "2098-12-24T10:00:00Z=100", "--why", "rules", *at)
    assert "released releases 50 % from 2098-12-01T09:00:00.000Z on, 100 % from 2098-12-24" in said.words
    assert "releases no places for wheelchairs" in parvis(*words, "--why", "others", *at).words
    for wrong, why in (
        ("2020-01-01T10:00:00Z=50", "has passed: only what is to come can be changed"),
        ("2098-12-01T10:00:00Z", "is not an instant and a percentage such as"),
        ("2098-12-01T10:00:00Z=101", "each step has between 1 and 100 percent"),
        ("soon=50", "'soon' is not an instant"),
    ):
        refused = parvis(*words, wrong, "--why", "x", *at)
        assert (refused.code, why in refused.words) == (2, True), refused


async def test_when_bays_are_released_is_changed_over_http(town: Town) -> None:
    async with await town.open_sale(HOUSE, plan=small_plan()) as sale:
        steps = [{"at": "2098-12-01T09:00:00.000Z", "percent": 50}]
        where = f"/performances/{sale.performance}/access-release"
        changed = await manage(sale, where, {"access_release": steps, "reason": "the season's rules"})
        assert (changed.status, changed.json["access_release"]) == (200, steps)
        (listed,) = [
            each
            for each in (await sale.get("/manage/performances", sale.manage_key)).json["performances"]
            if each["performance"] == sale.performance
        ]
        assert listed["access_release"] == steps
        late = [{"at": "2020-12-01T09:00:00Z", "percent": 50}]
        assert (await manage(sale, where, {"access_release": late, "reason": "late"})).status == 422


async def test_a_sale_goes_on_over_http_and_clients_see_the_whole_map_again(town: Town) -> None:
    async with await town.open_sale(HOUSE, plan=small_plan()) as sale:
        token = await sale.enter()
        held = await sale.hold(token, "zaal-C-3", "zaal-C-4")
        show = sale.performance
        before = (await sale.get(f"/performances/{show}/seats")).json
        assert (len(before["seats"]), before["plan_change"]) == (50, 0)
        made = await manage(sale, "/halls", {"hall": f"{sale.hall}-2", "name": "De zaal", "plan": longer()})
        assert made.status == 201
        body = {"hall": f"{sale.hall}-2", "reason": "a row more"}
        changed = await manage(sale, f"/performances/{show}/plan", body)
        assert (changed.status, changed.json["hall"], changed.json["plan_change"]) == (200, f"{sale.hall}-2", 1)
        assert (await sale.order(token, held.json["hold"])).status == 202
        await sale.until_seats("s", "zaal-C-3", "zaal-C-4")
        after = (await sale.get(f"/performances/{show}/seats")).json
        assert (len(after["seats"]), after["plan_change"]) == (60, 1)
        assert after["version"] > before["version"]
        for change, rows in ((0, 5), (1, 6)):
            plan = await sale.get(f"/performances/{show}/plan/{change}")
            assert len(plan.json["zones"][0]["rows"]) == rows
            assert "immutable" in plan.headers["cache-control"]
        assert (await sale.get(f"/performances/{show}/plan/2")).slug == "not-found"
        assert len((await sale.get(f"/performances/{show}/plan")).json["zones"][0]["rows"]) == 6
        made = await manage(sale, "/halls", {"hall": f"{sale.hall}-3", "name": "De zaal", "plan": small_plan(rows=2)})
        refused = await manage(sale, f"/performances/{show}/plan", body | {"hall": f"{sale.hall}-3"})
        assert (refused.status, refused.slug) == (409, "seats-missing")
        assert refused.json["seats"] == ["zaal-C-3", "zaal-C-4"]
        out = await sale.get(f"/manage/halls/{sale.hall}-2/plan", token=sale.manage_key)
        assert len(out.json["zones"][0]["rows"]) == 6
        sheet = await sale.get(f"/manage/halls/{sale.hall}-2/aisles", token=sale.manage_key)
        assert "Zaal, row A: 1 2 3" in sheet.body.decode()
