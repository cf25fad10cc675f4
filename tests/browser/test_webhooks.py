"""A manager has the house's own website told of sales, tries that, and sees what became of it."""

import re

import pytest
from playwright.async_api import expect

from engine.instants import now_ms
from engine.webhooks import TYPES
from tests.browser.person import DESK, PHONE, People
from tests.browser.test_accessibility import has_no_barrier
from tests.browser.test_staff import signs_in
from tests.receiver import Receiver
from tests.town import Town

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@pytest.mark.parametrize("device", [PHONE, DESK], ids=["phone", "desk"])
async def test_a_manager_sets_notices_up_tries_them_and_takes_them_away(
    town: Town, people: People, device: "dict[str, object]"
) -> None:
    async with (
        # Its start is not told while the test is counted.
        await town.open_sale("zeewind", opens_at_ms=now_ms() + 86_400_000) as sale,
        Receiver(town.certificate) as receiver,
        people.arrive(device, refused=[400, 422]) as manager,
    ):
        page = manager.page
        await signs_in(manager, sale, "control", sale.manage_key)
        part = page.locator("details.action", has=page.locator("summary", has_text="Notices to your own systems"))
        await part.locator("summary").first.click()
        await expect(part.get_by_role("checkbox")).to_have_count(len(TYPES))

        async def adds(address: str) -> None:
            await part.get_by_label("Address").fill(address)
            await part.get_by_label("Which system").fill("Our website")
            await part.get_by_label("Why?").last.fill("it shows what is sold out")
            await part.get_by_role("button", name="Add this address").click()

        await adds("https://10.0.0.1/hook")
        await manager.sees("This address cannot be used.")
        await adds(receiver.url())
        await expect(part.locator("code")).to_have_text(re.compile(r"^whsec_\S{43}=$"))
        receiver.secrets["/hook"] = await part.locator("code").inner_text()
        line = part.locator("li.webhook", has_text=receiver.url())
        await expect(line).to_contain_text("Our website")
        await expect(line).to_contain_text("takes notices")
        why = line.get_by_label("Why?")
        await why.fill("to be sure")
        await line.get_by_role("button", name="Send a test").click()
        await manager.sees("A test is on its way.")
        (came,) = await receiver.until(1)
        assert (came.type, came.is_right) == ("webhook.test", True)

        async def opens_again() -> None:
            await line.locator("summary").click()
            await line.locator("summary").click()

        await expect(line.locator("ul li")).to_contain_text("Test")
        await opens_again()
        await expect(line.locator("ul li")).to_contain_text("arrived")
        await why.fill("once more")
        await line.get_by_role("button", name="Send again").click()
        assert [each.event for each in await receiver.until(2)] == [came.event] * 2
        await has_no_barrier(manager, "control")
        assert await manager.overflow() == 0
        await why.fill("who knew it has left")
        await line.get_by_role("button", name="New secret").click()
        await line.get_by_role("button", name="Really make a new one?").click()
        await expect(part.locator("code")).not_to_have_text(receiver.secrets["/hook"])
        await why.fill("repairs")
        await line.get_by_role("button", name="Turn off").click()
        await expect(line).to_contain_text("turned off")
        await expect(line.get_by_role("button", name="Send a test")).to_have_count(0)
        await why.fill("repaired")
        await line.get_by_role("button", name="Turn on").click()
        await expect(line).to_contain_text("takes notices")
        await why.fill("a new website")
        await line.get_by_role("button", name="Remove").click()
        await line.get_by_role("button", name="Really remove?").click()
        await expect(line).to_have_count(0)
        await manager.sees("Notices removed:")
