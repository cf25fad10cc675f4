"""A house's plans by its commands and its API: in, out, corrected, and changed while on sale."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.integration.commands import HOUSE, Parvis, put_on_sale
from tests.integration.test_manage import manage
from tests.town import Town, small_plan


@pytest.fixture
def at(town: Town) -> list[str]:
    return ["--network", str(town.network_file), "--house", HOUSE]


def saved(folder: Path, name: str, plan: Any) -> str:
    path = folder / name
    path.write_text(plan if isinstance(plan, str) else json.dumps(plan))
    return str(path)


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
