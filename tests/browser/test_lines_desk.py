"""A house declares queues of a sale, watches them, and makes what opens them: on a phone."""

import csv
from pathlib import Path

import pytest
from playwright.async_api import expect

from engine.catalogue import Line
from engine.instants import now_ms
from engine.words import LineName
from tests.browser.person import PHONE, People
from tests.browser.test_accessibility import has_no_barrier
from tests.browser.test_staff import at_control, fills
from tests.integration.test_lines import join
from tests.town import Town

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_sale_is_put_on_with_queues_for_members_and_press(town: Town, people: People) -> None:
    async with await town.open_sale("zeewind") as sale, people.arrive(PHONE) as manager:
        title = f"Recital {now_ms()}"
        made = {"performance": f"recital-{now_ms()}", "hall": sale.hall, "title": title}
        prices = {"Rang 1": {"full": 2000}, "Rang 2": {"full": 1000}}
        more = {"starts_at": "2031-06-01T20:00:00+02:00", "prices": prices}
        assert (await sale.post("/manage/performances", made | more, token=sale.manage_key)).status == 201
        await at_control(manager, sale)
        page = manager.page
        await manager.press("Put performances on sale")
        await page.get_by_role("checkbox", name=title).check()
        await fills(manager, Title=title, Sales_start_at="2031-05-01T10:00", The_queue_opens_at="2031-05-01T09:00")
        await page.get_by_text("More queues (optional)").click()
        await manager.press("Add a queue")
        await fills(manager, Name_of_the_queue="Members", It_closes_at="2031-04-01T08:00")
        await expect(page.get_by_label("Sales to this queue start at")).to_have_value("2031-05-01T10:00")
        await manager.press("Check it")
        await manager.sees("A queue cannot close before its sales start.")
        await fills(manager, Sales_to_this_queue_start_at="2031-03-01T09:00")
        await manager.press("Add a queue")
        press = page.get_by_role("group").filter(has=page.get_by_label("Name of the queue")).last
        await press.get_by_label("Name of the queue").fill("Press & guests")
        await press.get_by_label("Who may join").select_option("invitation")
        await press.get_by_label("Share of those who come in").fill("80")
        await manager.press("Check it")
        await manager.sees("Together these queues have at most 99 per cent")
        await press.get_by_label("Share of those who come in").fill("10")
        await has_no_barrier(manager, "queues of a new sale")
        assert await manager.overflow() == 0
        await manager.press("Check it")
        await manager.sees("Queue Members: Whoever has a code, 20 per cent, sales Saturday, 1 March 2031")
        await manager.press("Put on sale")
        await manager.sees(f"{title} is ready at", "Press & guests (", "Members (")
        listed = (await sale.get("")).json["on_sales"]
        found = next(each["on_sale"] for each in listed if each["title"] == title)
        lines = (await sale.get(f"/on-sales/{found}")).json["lines"]
        assert [(each["line"], each["by"]) for each in lines] == [("members", "code"), ("press-guests", "invitation")]
        # In the house's zone.
        assert lines[0]["opens_at"] == "2031-03-01T08:00:00.000Z"
        assert (lines[0]["closes_at"], lines[1]["closes_at"]) == ("2031-04-01T06:00:00.000Z", None)


async def test_codes_and_invitations_are_made_as_a_file_and_open_their_queue(
    town: Town, people: People, tmp_path: Path
) -> None:
    now = now_ms()
    lines = (
        Line(LineName("members"), "Members", "code", 40, now - 60_000),
        Line(LineName("press"), "Press", "invitation", 20, now - 60_000, now + 86_400_000),
    )
    async with await town.open_sale("zeewind", lines=lines) as sale, people.arrive(PHONE) as manager:
        page = manager.page
        await at_control(manager, sale)
        await manager.sees("Members (On sale)", "Press (On sale)")
        await manager.press("Codes and invitations for a queue")

        async def download(line: str) -> list[dict[str, str]]:
            await page.get_by_label("For which queue").select_option(line)
            await fills(manager, How_many="3")
            async with page.expect_download() as coming:
                await manager.press("Make them, as a file (CSV)")
            path = tmp_path / f"{line}.csv"
            await (await coming.value).save_as(path)
            return list(csv.DictReader(path.read_text().splitlines()))

        codes = await download("members")
        await expect(page.get_by_label("Numbered from")).to_be_hidden()
        await manager.sees("3 made, each good for one number")
        invitations = await download("press")
        await fills(manager, Numbered_from="2")
        again = await download("press")
        assert [row["number"] for row in again] == ["2", "3", "4"]
        assert [row["code"] for row in again[:2]] == [row["code"] for row in invitations[1:]]
        assert codes[0]["link"].startswith(f"{town.url}/h/zeewind/{sale.on_sale}#line=members&code=")
        assert (await join(sale, "members", codes[0]["code"])).status == 201
        assert (await join(sale, "press", again[2]["code"], "another")).status == 201
        await page.get_by_label("For which queue").select_option("members")
        await manager.sees("1 of 3 codes have given a number.")
        tiles = page.locator("h3", has_text="Members (").locator("xpath=following-sibling::dl[1]")
        await expect(tiles.locator("dd").first).to_have_text("1")
        await has_no_barrier(manager, "codes for a queue")
        assert await manager.overflow() == 0
