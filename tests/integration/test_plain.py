"""The whole way without JavaScript, as forms: what they do, what they refuse, and that a second press is harmless."""

from tests.plain import PlainVisitor, room
from tests.town import Town


async def test_a_visitor_comes_by_forms_from_the_queue_to_the_confirmation(town: Town) -> None:
    async with await town.open_sale("noord", hold_seconds=300) as sale, PlainVisitor(town.url) as visitor:
        page = await visitor.comes_in(sale)
        assert page.path == f"{room(sale)}/seats"
        page = await visitor.send(page, "Find the best seats", q_full="2", q_reduced="1")
        assert "Reserved for you until" in page.text
        page = await visitor.open(page.link("To payment"))
        page = await visitor.send(page, "Pay €58.00", email="ada@example.org", name="Ada", payment="no")
        assert page.status == 402
        assert "The payment was declined" in page.text
        assert dict(page.form("Pay").fields)["email"] == "ada@example.org"
        page = await visitor.send(page, "Pay €58.00", payment="yes")
        assert page.path == f"{room(sale)}/order"
        assert "Your order is confirmed" in page.text
        again = await visitor.open(f"{room(sale)}/order")
        assert "Your order is confirmed" in again.text
