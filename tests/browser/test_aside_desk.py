"""A house's ticketing manager sets seats and places aside on the control page, with no instruction beyond the page."""

from typing import Any

import pytest
from playwright.async_api import Locator, expect

from engine.instants import now_ms
from tests.browser.person import PHONE, People, Person
from tests.browser.test_accessibility import has_no_barrier
from tests.browser.test_staff import ON_EVERY_SCREEN, at_control, fills, line_of
from tests.town import Sale, Town

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def opens_desk(manager: Person, sale: Sale) -> None:
    """The part about what is set aside, of the sale's performance."""
    await at_control(manager, sale)
    await manager.press("What is set aside")
    await manager.page.get_by_label("Performance", exact=True).select_option(sale.performance)


def line(manager: Person, name: str) -> Locator:
    """What is set aside under a name."""
    return manager.page.locator(".log li").filter(has=manager.page.get_by_text(name, exact=True))


BEST = "Or so many of the best free seats"


async def makes(manager: Person, purpose: str, which: str = "", **fields: str) -> None:
    """Fills the form and presses its button."""
    if not await manager.page.get_by_label("What for?").is_visible():
        await manager.press("Set something aside")
    await manager.page.get_by_label("What for?").select_option(label=purpose)
    if which:
        await manager.page.get_by_role("combobox", name="Which").select_option(label=which)
    for label in ("Seats", "Places: Standing – Vloer"):
        await manager.page.get_by_label(label, exact=True).fill(fields.pop(label.split(":")[0], ""))
    await manager.page.get_by_label("Why?", exact=True).locator("visible=true").fill(fields.pop("Why", "the season"))
    await fills(manager, **fields)
    await manager.page.get_by_role("button", name="Set aside", exact=True).click()


@ON_EVERY_SCREEN
async def test_someone_new_sets_seats_aside_and_ends_it(town: Town, people: People, device: dict[str, Any]) -> None:
    async with (
        await town.open_sale("zeewind", show_title=f"Nachtmuziek {now_ms()}") as sale,
        people.arrive(device, refused=[409, 422]) as manager,
    ):
        partner = f"Het Poortje {now_ms()}"
        key = {"name": partner, "scopes": ["allotment"], "reason": "a partner"}
        assert (await sale.post("/manage/keys", key, token=sale.manage_key)).status == 201
        await opens_desk(manager, sale)
        await manager.sees("Nothing of this performance is set aside.")
        await makes(manager, "For the house’s own staff", Name="Press & friends", Seats="A1-A4, Z7", Why="critics")
        await manager.sees("We cannot find these seats, or there are several: Z7.")
        await makes(manager, "For the house’s own staff", Seats="A1-A4, B7", Places="3", Why="critics")
        await manager.sees("press-friends is set aside: 8.")
        await expect(line(manager, "press-friends")).to_contain_text("Still set aside: 8 of 8")
        for words in ("For the house’s own staff", "Until you end it", "critics", "Manager", "Zaal, row B, seat 7"):
            await expect(line(manager, "press-friends")).to_contain_text(words)
        await manager.finds(sale, "b", 5)
        assert await manager.overflow() == 0

        await makes(manager, "For a partner", partner, Name="Partner", Seats="A4, A5")
        await manager.sees("Not free any more: Zaal, row A, seat 4.")
        await makes(manager, "For a partner", partner, Seats="A5-6", Everybody="2001-01-01T10:00")
        await manager.sees("That time lies in the past.")
        await makes(manager, "For a partner", partner, Seats="A5-6", Everybody="2100-01-01T10:00")
        await manager.sees("That time lies after the performance has begun.")
        await makes(manager, "For a partner", partner, Seats="", Everybody="")
        await manager.sees("Say which seats, or how many places.")
        await makes(manager, "For a partner", partner, Seats="A5-6")
        await manager.sees("partner is set aside: 2.")
        await expect(line(manager, "partner")).to_contain_text(f"For a partner: {partner}")
        await manager.press("Undo")
        await manager.sees("Undone: Set aside.")
        await expect(line(manager, "partner")).to_have_count(0)

        # One of the house's seats is sold: what is left is counted.
        desk = sale.counter_key
        seats = {"items": [{"performance": sale.performance, "seats": ["zaal-A-1"]}], "price_types": ["full"]}
        held = await sale.post("/holds", seats, token=desk)
        assert held.status == 201, held.json
        await manager.page.get_by_label("Performance", exact=True).select_option(sale.performance)
        await manager.page.get_by_label("Performance", exact=True).dispatch_event("change")
        await expect(line(manager, "press-friends")).to_contain_text("Still set aside: 7 of 8")
        ending = line(manager, "press-friends")
        await ending.get_by_role("button", name="End it").click()
        await manager.sees("What is left of it (7) is everybody’s at once.", "This cannot be undone.")
        await has_no_barrier(manager, "what is set aside")
        await ending.get_by_label("Why? (optional)").fill("nobody came")
        await ending.get_by_role("button", name="Yes, end it").click()
        await manager.sees(
            "press-friends is ended. This cannot be undone.", "Nothing of this performance is set aside."
        )
        await manager.finds(sale, "b", 0)
        await expect(line_of(manager, "Not set aside any more:")).to_contain_text("nobody came")
        assert await manager.overflow() == 0


async def test_what_is_not_for_sale_and_what_ends_by_itself(town: Town, people: People) -> None:
    async with (
        await town.open_sale("zeewind", show_title=f"Ochtendmuziek {now_ms()}") as sale,
        people.arrive(PHONE, timezone_id="Asia/Tokyo") as manager,
    ):
        found = (await sale.get("/manage/performances", sale.manage_key)).json["performances"]
        (begins,) = (each["starts_at"] for each in found if each["performance"] == sale.performance)
        await opens_desk(manager, sale)
        await makes(manager, "Not for sale", Name="desk", Seats="A1-2", Places="20", Everybody=begins[:16])
        await manager.sees("desk is set aside: 22.", "Everybody’s from ")
        await makes(manager, "For a way of selling", "The counter", Name="door", Seats="B1")
        await expect(line(manager, "door")).to_contain_text("For a way of selling: The counter")
        await manager.finds(sale, "b", 3)
        listed = await sale.get(f"/manage/performances/{sale.performance}/allotments", token=sale.manage_key)
        desk, door = listed.json["allotments"]
        assert (desk["purpose"], desk["places_left"], door["for"]) == ("block", {"vloer": 20}, "counter")
        # Typed where the house is, whatever zone the device is in.
        assert desk["release_at"] < begins


async def test_so_many_of_the_best_seats_of_a_category_are_set_aside(town: Town, people: People) -> None:
    async with (
        await town.open_sale("zeewind", show_title=f"Nachtmuziek {now_ms()}") as sale,
        people.arrive(PHONE, refused=[409]) as manager,
    ):
        await opens_desk(manager, sale)
        await makes(manager, "For the house’s own staff", Name="Party", Seats="A1", **{BEST: "12"})
        await manager.sees("Say which seats or how many of the best, not both.")
        await manager.page.get_by_label("Category of these").select_option("Rang 2")
        await makes(manager, "For the house’s own staff", Name="Party", **{BEST: "12"})
        await manager.sees("party is set aside: 12.")
        await expect(line(manager, "party")).to_contain_text("Still set aside: 12 of 12")
        await sale.until_seats("b", *(f"zaal-C-{number}" for number in range(1, 11)))
        await manager.finds(sale, "b", 12)
        assert await manager.overflow() == 0
        await makes(manager, "For the house’s own staff", Name="Choir", **{BEST: "39"})
        await manager.sees("So many are not free any more; at most 38.")
        await manager.finds(sale, "b", 12)
