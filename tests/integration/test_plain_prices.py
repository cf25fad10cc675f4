"""Prices without JavaScript: a code and numbers are typed once, and unlock what is chosen and seen before paying."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest

from api.forms.kept import pack_kept, unpack_kept
from tests.integration.test_prices import make_codes, open_sale
from tests.plain import PlainVisitor, Shown, room
from tests.sale import Sale
from tests.town import Town

EVERYBODYS = {"q.full", "q.youth", "q.group"}


@pytest.fixture
async def sale(town: Town) -> AsyncIterator[Sale]:
    async with await open_sale(town) as opened:
        yield opened


def offered(page: Shown) -> set[str]:
    """The price types that the page's forms offer."""
    return {name for form in page.forms for name, _ in form.fields if name.startswith("q.")}


async def test_a_code_unlocks_its_price_and_is_seen_to_the_end(sale: Sale) -> None:
    made = await make_codes(sale, codes=["Plain Spring"], uses=2)
    async with PlainVisitor(sale.town.url) as visitor:
        page = await visitor.comes_in(sale)
        assert offered(page) == EVERYBODYS
        assert "from 3 seats at once" in page.text
        page = await visitor.send(page, "Show my prices", code="plain-spring")
        assert "spring" not in page.url, "what was typed stands in no address"
        assert offered(page) == EVERYBODYS | {"q.promo"}
        assert dict(page.form("Show my prices").fields)["code"] == "plain-spring"
        page = await visitor.send(page, "Find the best seats", q_full="1", q_promo="1")
        assert "Reserved for you until" in page.text, page.text
        assert "of which VAT 6\N{NO-BREAK SPACE}% \N{EURO SIGN}2.15" in page.text
        used = [each["used"] for each in (await sale.get("/manage/codes", token=sale.manage_key)).json["batches"]
                if each["batch"] == made["batch"]]  # fmt: skip
        assert used == [1]
        refused = await visitor.send(page, "Find the best seats", q_full="0", q_promo="2")
        assert "This code has been used as often as it may be." in refused.text
        page = await visitor.open(page.link("To payment"))
        assert "Fee \N{EURO SIGN}2.00" in page.text
        assert "of which VAT 6\N{NO-BREAK SPACE}% \N{EURO SIGN}2.15" in page.text
        page = await visitor.send(page, "Pay \N{EURO SIGN}38.00", email="ada@example.org", name="Ada", payment="yes")
        assert "of which VAT 6\N{NO-BREAK SPACE}% \N{EURO SIGN}2.15" in page.text
        # Whoever has bought is asked anew: what was typed is kept no longer.
        page = await visitor.send(await visitor.open(room(sale)), "Choose my seats")
        assert offered(page) == EVERYBODYS


async def test_a_code_that_nobody_knows_is_said_at_once_and_can_be_mended(sale: Sale) -> None:
    await make_codes(sale, codes=["Plain Winter"])
    async with PlainVisitor(sale.town.url) as visitor:
        page = await visitor.send(await visitor.comes_in(sale), "Show my prices", code="plain wintr")
        assert "We do not know this code, or it counts no more." in page.text
        refused = await visitor.send(page, "Find the best seats", q_full="0", q_promo="1")
        assert "We do not know this code, or it counts no more." in refused.text
        page = await visitor.send(refused, "Show my prices", code="plain winter")
        assert "We do not know this code" not in page.text
        page = await visitor.send(page, "Find the best seats", q_full="0", q_promo="1")
        assert "\N{EURO SIGN}16.00" in page.text
        page = await visitor.send(page, "Show my prices", code="")
        assert offered(page) == EVERYBODYS
        page = await visitor.send(page, "Show my prices", code="x" * 101)
        assert page.status == 200
        assert offered(page) == EVERYBODYS


async def test_whose_turn_it_is_not_is_not_told_which_codes_there_are(sale: Sale) -> None:
    await make_codes(sale, codes=["Plain Autumn"])
    async with PlainVisitor(sale.town.url) as visitor:
        page = await visitor.comes_in(sale)
        own = unpack_kept(visitor.cookie(sale))
        assert own is not None
        cookie = {"Cookie": "parvis=" + pack_kept(msgspec.structs.replace(own, pass_="x"))}
        fields = dict(page.form("Show my prices").fields)
        told = set()
        for code in ("plain autumn", "plain winter"):
            visitor.jar.clear()
            answer = await visitor.ask(
                "POST", room(sale) + "/proofs", headers=cookie, data=fields | {"code": code}, follow=False
            )
            assert answer.status == 303
            told.add(answer.headers["Location"])
        assert [urlsplit(each).query for each in told] == ["problem=forged-token"]


async def test_a_members_number_unlocks_the_members_price_seat_by_seat(sale: Sale) -> None:
    async with PlainVisitor(sale.town.url) as visitor:
        page = await visitor.open((await visitor.comes_in(sale)).link("row C"))
        assert "Member" not in page.body.partition("<select")[2]
        number: dict[str, Any] = {"number.member": "M 7"}
        page = await visitor.send(page, "Show my prices", **number)
        assert "row=" in page.url, "back to the row that was being looked at"
        assert "M" not in page.url.partition("?")[2]
        types: dict[str, Any] = {"type.zaal-C-4": "member", "type.zaal-C-5": "full"}
        page = await visitor.send(page, "Reserve the ticked seats", seat=["zaal-C-4", "zaal-C-5"], **types)
        assert "\N{EURO SIGN}15.00" in page.text, page.text
        too_many = await visitor.send(page, "Find the best seats", q_full="0", q_member="2")
        assert "This code has been used as often as it may be." in too_many.text


async def test_whoever_comes_along_with_a_wheelchair_is_free_without_asking_for_it(sale: Sale) -> None:
    async with PlainVisitor(sale.town.url) as visitor:
        page = await visitor.open((await visitor.comes_in(sale)).link("row A"))
        page = await visitor.send(page, "Reserve the ticked seats", seat=["zaal-A-1", "zaal-A-2"])
        assert "\N{EURO SIGN}0.00" in page.text, page.text
        assert "\N{EURO SIGN}21.00" in page.text
        page = await visitor.open(page.link("row A"))
        both: dict[str, Any] = {"type.zaal-A-19": "companion", "type.zaal-A-20": "companion"}
        page = await visitor.send(page, "Reserve the ticked seats", seat=["zaal-A-19", "zaal-A-20"], **both)
        assert "Companion\N{RIGHT DOUBLE QUOTATION MARK} has a condition: a wheelchair place" in page.text
