"""Where each address has one place, the page asks for it, for the code that came, and then gives the number."""

from typing import Any

import pytest
from playwright.async_api import expect

from engine.cli.sales import at_house
from engine.contacts import contact_secret
from tests.browser.person import DESK, PHONE, People
from tests.browser.test_accessibility import has_no_barrier
from tests.integration.test_contacts import taken
from tests.receiver import Receiver
from tests.town import Town

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_an_address_is_shown_and_another_device_gets_the_same_number(town: Town, people: People) -> None:
    async with at_house(town.network_file, "zeewind") as (cell, _):
        secret = contact_secret(cell.signer)
    async with Receiver(town.certificate) as receiver:
        receiver.secrets["/hook"] = secret
        hook: dict[str, Any] = {"one_place_per": "email", "contact_url": receiver.url()}
        async with await town.open_sale("zeewind", proof_of_work="always", **hook) as sale:
            devices: tuple[dict[str, Any], ...] = (PHONE, DESK)
            for count, device in enumerate(devices, 1):
                async with people.arrive(device, refused=[409, 422]) as visitor:
                    await visitor.open(f"/h/{sale.slug}/{sale.on_sale}")
                    await visitor.page.get_by_label("E-mail address").fill("somebody@example.org")
                    await has_no_barrier(visitor, "the address")
                    await visitor.press("Send me a code")
                    await visitor.sees("on its way to somebody@example.org")
                    await taken(receiver, count)
                    code = visitor.page.get_by_label("Code")
                    form = visitor.page.locator("form").filter(has=code)
                    await code.fill("1234")
                    await form.get_by_role("button", name="Join the queue").click()
                    await visitor.sees("This code is not right")
                    assert await visitor.overflow() == 0
                    await code.fill(receiver.received[-1].says["code"])
                    await form.get_by_role("button", name="Join the queue").click()
                    await expect(visitor.button("Choose my seats")).to_be_visible()
                    await expect(code).to_be_hidden()
            assert (await sale.status())["lines"]["public"]["joined"] == 1
