"""What the network's operator sees: every house at one glance, by itself, and the one that is down at once."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Locator, expect

from tests.browser.conftest import people_of, ready
from tests.browser.person import DESK, PHONE, People, Person
from tests.browser.test_accessibility import has_no_barrier
from tests.browser.test_sizes import SIZES, TWICE, can_be_hit, fits
from tests.browser.test_staff import signs_in, title_of, tries
from tests.operated import OPERATOR_KEY, Operated, frozen

HOUSES = ("zeewind", "klinker")
DOWN_MS = 15_000
"""A house says so itself within a second or two; a busy machine takes longer."""
pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def operated() -> AsyncIterator[Operated]:
    """Two houses and an operator's key."""
    async with ready(Operated(HOUSES)) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def visitors(operated: Operated) -> AsyncIterator[People]:
    async with people_of(operated) as opened:
        yield opened


async def comes_in(operator: Person, key: str = OPERATOR_KEY) -> None:
    await operator.open("/ops")
    await operator.page.get_by_label("Your key").fill(key)
    await operator.press("Sign in")


def board_of(operator: Person, house: str) -> Locator:
    return operator.page.locator(".house-board", has=operator.page.get_by_text(f"House {house}", exact=True))


def number_of(board: Locator, label: str) -> Locator:
    return board.locator(".tile", has_text=label).first.locator("dd")


async def test_nobody_sees_the_houses_without_an_operators_key(operated: Operated, visitors: People) -> None:
    async with await operated.open_sale("zeewind") as sale, visitors.arrive(PHONE, refused=[401]) as stranger:
        for key in ("po_wrong", sale.manage_key):
            await comes_in(stranger, key)
            await stranger.sees("This key is not accepted here.")
            assert await stranger.page.locator(".house-board").count() == 0
        assert await stranger.page.evaluate("sessionStorage.length") == 0


@pytest.mark.parametrize(
    ("device", "is_twice"),
    [(PHONE, False), (DESK, False), *list(SIZES.values())[:2]],
    ids=["phone", "desk", "narrow", "large"],
)
async def test_an_operator_sees_every_house_live_and_the_one_that_is_down(
    operated: Operated, visitors: People, device: "dict[str, object]", is_twice: bool
) -> None:
    async with await operated.open_sale("zeewind") as sale, visitors.arrive(device) as operator:
        if is_twice:
            await operator.context.add_init_script(TWICE)
        await comes_in(operator)
        sells, other = board_of(operator, "zeewind"), board_of(operator, "klinker")
        await expect(sells).to_contain_text("On sale")
        await expect(sells).to_contain_text("second")
        newest = sells.locator(".sales li").first
        await expect(newest).to_contain_text("Rang 1: 20 free", timeout=DOWN_MS)
        token = await sale.enter()
        assert (await sale.hold(token, "zaal-A-1", "zaal-A-2")).status == 201
        # Nobody touches the page: it looks by itself.
        await expect(newest).to_contain_text("Rang 1: 18 free", timeout=DOWN_MS)
        await expect(number_of(sells, "Let in, last minute")).not_to_have_text("0", timeout=DOWN_MS)
        await expect(other).to_contain_text("Nothing on sale")
        with frozen(operated, "zeewind"):
            await expect(sells).to_contain_text("Out of order", timeout=DOWN_MS)
            await operator.sees("Please look at: House zeewind")
            await expect(sells).to_contain_text("Old numbers", timeout=2 * DOWN_MS)
            await expect(other).to_contain_text("Nothing on sale")
            await expect(other).not_to_contain_text("Old numbers")
            for look in (has_no_barrier, fits, can_be_hit):
                await look(operator, "a house is down")
        await expect(sells).to_contain_text("On sale", timeout=DOWN_MS)
        await has_no_barrier(operator, "all is well")
        await operator.sees("2 houses, and all is well.")
        await fits(operator, "all is well")
        text = await operator.page.inner_text("body")
        assert operated.canaries["zeewind"].customer not in text


async def test_a_counter_whose_house_is_down_says_so_and_not_that_nothing_is_on_sale(
    operated: Operated, visitors: People
) -> None:
    async with await operated.open_sale("klinker") as sale, visitors.arrive(PHONE, refused=[404, 503]) as clerk:
        with frozen(operated, "klinker"):
            await signs_in(clerk, sale, "counter", sale.counter_key)
            await expect(clerk.page.locator(".key-form .notice")).to_be_visible(timeout=DOWN_MS)
            assert "Nothing is on sale" not in await clerk.page.inner_text("main")
        # The key is still there: one press brings the counter back.
        async for _ in tries():
            if await clerk.page.locator(".stage-area").count():
                break
            await clerk.press("Sign in")
        await clerk.sees(await title_of(sale))
