"""The counter gives whoever phones the next number, sees what is ahead of them, lets them in and sells."""

import pytest
from playwright.async_api import expect

from tests.browser.person import PHONE, People, Person
from tests.browser.test_staff import ON_EVERY_SCREEN, signs_in
from tests.browser.test_tabs import SLOW
from tests.browser.test_waiting import manage
from tests.town import Sale, Town

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def adds(staff: Person, sale: Sale) -> None:
    """To this sale's queue, of all that the house has on sale by now."""
    await staff.page.get_by_text("Add someone to the queue").click()
    which = staff.page.get_by_label("Sale", exact=True)
    if await which.count():
        await which.select_option(sale.on_sale)
    await staff.press("Give the next number")


@ON_EVERY_SCREEN
async def test_somebody_who_phones_is_called_like_everybody_and_sold_to(
    town: Town, people: People, device: dict[str, object]
) -> None:
    async with await town.open_sale("zeewind", **SLOW) as sale, people.arrive(device, refused=[404]) as staff:
        page = staff.page
        for _ in range(3):
            await sale.join()
        await signs_in(staff, sale, "counter", sale.counter_key)
        await adds(staff, sale)
        await staff.sees("Number 4:")
        await expect(staff.button("Let them in and sell")).to_be_hidden()
        await page.reload()
        await staff.sees("Number 4:")
        assert await staff.overflow() == 0
        await manage(sale, "rate", rate_per_minute=60_000)
        await staff.sees("It is number 4’s turn.")
        before = (await sale.get(f"/manage/on-sales/{sale.on_sale}", token=sale.manage_key)).json["admitted"]
        await staff.press("Let them in and sell")
        await expect(staff.button("Find the best seats")).to_be_visible()
        after = (await sale.get(f"/manage/on-sales/{sale.on_sale}", token=sale.manage_key)).json["admitted"]
        assert after == before + 1
        await expect(page.get_by_text("Number 4")).to_be_hidden()


async def test_the_number_goes_on_on_the_customers_own_phone(town: Town, people: People) -> None:
    async with (
        await town.open_sale("zeewind", **SLOW) as sale,
        people.arrive(refused=[404]) as staff,
        people.arrive(PHONE) as customer,
    ):
        await sale.join()
        await signs_in(staff, sale, "counter", sale.counter_key)
        await adds(staff, sale)
        await staff.sees("Number 2:")
        await staff.page.get_by_text("Personal link", exact=True).first.click()
        await customer.open(await staff.page.locator("input.address").input_value())
        await expect(customer.page.locator(".number")).to_have_text("2")
        assert "secret" not in customer.page.url
