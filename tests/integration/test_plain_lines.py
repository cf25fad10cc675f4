"""A line by code, for whoever has no JavaScript: chosen in a form, told of as one's own, up to the seats."""

from api.forms.kept import unpack_kept
from engine.catalogue import Line
from engine.instants import now_ms
from engine.words import LineName
from tests.backstage import until
from tests.integration.test_lines import invited, lines
from tests.plain import PlainVisitor, room
from tests.town import Town

JOIN = "Join with this code"


async def test_an_invited_visitor_joins_their_own_line_and_comes_in(town: Town) -> None:
    async with (
        await town.open_sale("noord", lines=lines(now_ms())) as sale,
        PlainVisitor(town.url) as visitor,
        PlainVisitor(town.url) as another,
    ):
        (invitation,) = await invited(town, sale, 1)
        page = await visitor.open(room(sale))
        assert "Early birds: closed." in page.text
        assert "Press. Open until" in page.text
        refused = await visitor.send(page, JOIN, line="press", code="not an invitation")
        assert "We do not know this code" in refused.text
        page = await visitor.send(page, JOIN, line="press", code=invitation)
        kept = unpack_kept(visitor.cookie(sale))
        assert kept is not None
        assert kept.place
        late = await another.send(await another.open(room(sale)), JOIN, line="press", code=invitation)
        assert "has given somebody a number already" in late.text
        assert "Your queue: Press." in page.text
        page = await visitor.until(page, "Choose my seats")
        whole = page.link("Everything to recompute it with")
        assert whole == f"/v1/houses/noord/on-sales/{sale.on_sale}/lines/press/draw"
        page = await visitor.send(page, "Choose my seats")
        page = await visitor.send(page, "Find the best seats", q_full="1")
        assert "Reserved for you until" in page.text

        async def is_counted() -> bool:
            told = (await sale.status())["lines"]
            return bool((told["press"]["joined"], told["public"]["joined"]) == (1, 0))

        await until(is_counted, "the press's line has one, the public one nobody")


async def test_whose_line_closes_before_their_turn_is_told_so_and_joins_the_public_one(town: Town) -> None:
    closes = now_ms() + 4_000
    brief = Line(LineName("press"), "Press", "invitation", 20, closes - 60_000, closes)
    async with (
        await town.open_sale("noord", lines=(brief,), cap=1) as sale,
        PlainVisitor(town.url) as visitor,
    ):
        await sale.enter()  # nobody else comes in
        (invitation,) = await invited(town, sale, 1)
        page = await visitor.send(await visitor.open(room(sale)), JOIN, line="press", code=invitation)
        assert "Your queue: Press. Open until" in page.text
        page = await visitor.until(page, "Take a new number")
        assert "Your queue has closed" in page.text
        assert "Press: closed." in page.text
        page = await visitor.send(page, "Take a new number")
        assert "Your queue" not in page.text

        async def is_public() -> bool:
            told = (await sale.status())["lines"]
            return bool((told["press"]["joined"], told["public"]["joined"]) == (1, 2))

        await until(is_public, "the public line has both")
