"""One shopper a place, and more time, for whoever has no JavaScript: told in words, and a way on."""

from api.forms.door import MOVED
from api.forms.kept import Kept, unpack_kept
from tests.plain import PlainVisitor, room
from tests.town import Sale, Town

HERE_AGAIN = "You have gone on on another device or in another tab."


def kept_of(visitor: PlainVisitor, sale: Sale) -> Kept:
    """What the cookie says."""
    kept = unpack_kept(visitor.cookie(sale))
    assert kept is not None
    return kept


async def takes_over(visitor: PlainVisitor, sale: Sale) -> None:
    """Claims the turn with another key, as another device does."""
    kept = kept_of(visitor, sale)
    assert (await sale.claim(kept.place, kept.secret)).status == 201


async def test_whoever_went_on_elsewhere_is_told_and_goes_on_here_again(town: Town) -> None:
    async with await town.open_sale("noord") as sale, PlainVisitor(town.url) as visitor:
        page = await visitor.comes_in(sale)
        page = await visitor.send(page, "Find the best seats", q_full="2")
        assert "Reserved for you until" in page.text
        for press in ("Find the best seats", "Give these seats back"):
            page = await visitor.open(f"{room(sale)}/seats")
            await takes_over(visitor, sale)
            told = await visitor.send(page, press)
            assert HERE_AGAIN in told.text, press
            assert f"problem={MOVED}" in told.url
            page = await visitor.send(told, "Choose my seats")
            assert "Reserved for you until" in page.text, "what was chosen is theirs still"
        page = await visitor.open(f"{room(sale)}/pay")
        await takes_over(visitor, sale)
        told = await visitor.send(page, "Pay", email="ada@example.org")
        assert HERE_AGAIN in told.text
        await visitor.send(told, "Choose my seats")
        paid = await visitor.send(await visitor.open(f"{room(sale)}/pay"), "Pay", email="ada@example.org")
        assert paid.orders


async def test_whoever_needs_more_time_asks_for_it_at_the_door(town: Town) -> None:
    async with await town.open_sale("noord", pass_seconds=600, hold_seconds=600) as sale:
        ends: list[tuple[int, int]] = []
        for asked in ([], ["yes"]):
            async with PlainVisitor(town.url) as visitor:
                page = await visitor.send(await visitor.open(room(sale)), "Join the queue")
                page = await visitor.until(page, "Choose my seats")
                assert "I need more time to choose and to pay" in page.text
                page = await visitor.send(page, "Choose my seats", more_time=asked)
                await visitor.send(page, "Find the best seats", q_full="1")
                kept = kept_of(visitor, sale)
                ends.append((kept.pass_ends_at_ms, kept.holds[0].expires_at_ms))
        assert all(longer - usual >= 600_000 for usual, longer in zip(*ends, strict=True)), "twice as long"
