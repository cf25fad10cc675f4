"""A visitor stands before the plan while the house changes it."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from engine.instants import now_ms
from tests.browser.person import DESK, PHONE, People
from tests.browser.test_accessibility import has_no_barrier
from tests.browser.test_staff import at_control, fills
from tests.integration.test_manage import manage
from tests.town import Town, small_plan

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_the_hall_is_drawn_anew_and_what_was_picked_stays_picked(town: Town, people: People) -> None:
    async with await town.open_sale("zeewind", hold_seconds=300) as sale, people.arrive(PHONE) as visitor:
        await visitor.comes_in(sale)
        await visitor.shows("open", "zaal-C-5")
        await visitor.picks("zaal-C-5", "zaal-E-1")
        await expect(visitor.page.locator(".picked li")).to_have_count(2)
        plan = small_plan(rows=6)
        del plan["zones"][0]["rows"][4]["seats"][0]
        made = await manage(sale, "/halls", {"hall": f"{sale.hall}-2", "name": "De zaal", "plan": plan})
        assert made.status == 201
        body = {"hall": f"{sale.hall}-2", "reason": "a row more"}
        assert (await manage(sale, f"/performances/{sale.performance}/plan", body)).status == 200
        await visitor.shows("open", "zaal-F-3", "zaal-A-1")
        await visitor.shows("picked", "zaal-C-5")
        await expect(visitor.page.locator(".picked li")).to_have_count(1)
        await visitor.press("Reserve this seat")
        await visitor.finds(sale, "h", 1)


async def test_a_manager_changes_the_plan_of_what_is_on_sale(town: Town, people: People, tmp_path: Path) -> None:
    async with (
        await town.open_sale("zeewind", hold_seconds=300, show_title=f"Recital {now_ms()}") as sale,
        people.arrive(DESK, refused=[409]) as manager,
    ):
        held = await sale.hold(await sale.enter(), "zaal-E-1", "zaal-E-2")
        assert held.status == 201
        await sale.until_seats("h", "zaal-E-1")
        aside = {"performance": sale.performance, "name": "press", "purpose": "house", "seats": ["zaal-D-1"]}
        set_aside = await manage(sale, "/allotments", aside | {"reason": "a test"})
        assert set_aside.status == 201, set_aside.json
        await at_control(manager, sale)
        await manager.press("Change the seating plan")
        part = manager.page.locator(".unfolded", has=manager.page.get_by_label("File of the new plan"))

        async def chooses(plan: Any) -> None:
            file = tmp_path / "plan.json"
            file.write_text(plan if isinstance(plan, str) else json.dumps(plan))
            await part.get_by_label("File of the new plan").set_input_files(file)
            await part.get_by_role("button", name="Check it").click()

        await part.get_by_label("Why?").fill("the mixing desk moves")
        await chooses("no plan")
        await manager.sees("This file is not a seating plan.")
        without = small_plan(rows=6, standing=25)
        rows = without["zones"][0]["rows"]
        rows[4]["seats"] = rows[4]["seats"][2:]
        await chooses(without)
        await manager.sees("Zaal, row E, seats 1, 2. Put them into it")
        # What is set aside only the house's own see: the server names it.
        plan = small_plan(rows=6, standing=25)
        rows = plan["zones"][0]["rows"]
        rows[3]["seats"] = rows[3]["seats"][1:]
        await chooses(plan)
        await manager.sees("1 seat is gone: Zaal, row D, seat 1", "10 new seats: Zaal, row F, seats 1, 2")
        await part.get_by_role("button", name="Change the plan").click()
        await manager.sees("the new plan does not have them: Zaal, row D, seat 1.")
        await manager.press("Change something")
        plan = small_plan(rows=6, standing=25)
        rows = plan["zones"][0]["rows"]
        rows[2]["seats"] = rows[2]["seats"][1:]
        rows[1]["seats"][0]["position"]["y"] += 30
        await chooses(plan)
        await manager.sees(
            "10 new seats", "1 seat is gone: Zaal, row C, seat 1", "1 seat in another place: Zaal, row B"
        )
        await manager.sees("Standing – Vloer: 25 places instead of 20")
        await has_no_barrier(manager, "a plan to be changed")
        assert await manager.overflow() == 0
        await part.get_by_role("button", name="Change the plan").click()
        await manager.sees("is sold from its new plan.")
        for _ in range(200):  # the public map is a moment old
            after = (await sale.get(f"/performances/{sale.performance}/seats")).json
            if after["plan_change"]:
                break
            await asyncio.sleep(0.05)
        assert (len(after["seats"]), after["plan_change"]) == (59, 1)
        await manager.sees("Seating plan changed:", "the mixing desk moves")


async def test_a_manager_makes_a_hall_from_a_file_while_making_a_performance(
    town: Town, people: People, tmp_path: Path
) -> None:
    async with await town.open_sale("zeewind") as sale, people.arrive(PHONE, refused=[422]) as manager:
        page, name, file = manager.page, f"Foyer {now_ms()}", tmp_path / "plan.json"
        await at_control(manager, sale)
        await manager.press("Put performances on sale")
        await manager.press("Make a performance")
        await fills(manager, Name_of_the_performance="Matinee")
        await manager.press("Make a hall")
        part = page.locator(".unfolded", has=page.get_by_label("File of the seating plan")).last

        async def chooses(text: str) -> None:
            file.write_text(text)
            await part.get_by_label("File of the seating plan").set_input_files(file)
            await part.get_by_role("button", name="Check it").click()

        await fills(manager, Name_of_the_hall=name)
        await chooses("no plan")
        await manager.sees("This file is not a seating plan.")
        plan = small_plan(rows=3)
        plan["zones"][0]["rows"][2]["seats"][0]["category"] = "Rang 9"
        await chooses(json.dumps(plan))
        await part.get_by_role("button", name="Make it").click()
        await manager.sees("What has to be mended in it, in English: ", "Rang 9")
        await manager.press("Change something")
        await chooses(json.dumps(small_plan(rows=3)))
        await manager.sees("Rang 1: 20", "Rang 2: 10", "Standing – Vloer: 20")
        await has_no_barrier(manager, "a hall to be made")
        assert await manager.overflow() == 0
        await part.get_by_role("button", name="Make it").click()
        await manager.sees(f"{name} is there. Choose it for a performance.")
        await expect(page.get_by_label("Name of the performance")).to_have_value("Matinee")
        await expect(page.get_by_role("combobox", name="Hall", exact=True).locator("option:checked")).to_have_text(name)
        await expect(page.get_by_label("Full price")).to_have_count(2)
        halls = (await sale.get("/manage/halls", token=sale.manage_key)).json["halls"]
        made = next(each for each in halls if each["name"] == name)
        assert (made["seats"], made["standing"], made["categories"]) == (30, 20, ["Rang 1", "Rang 2"])
