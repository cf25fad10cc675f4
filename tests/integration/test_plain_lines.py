"""A line by code, for whoever has no JavaScript: chosen in a form, told of as one's own, up to the seats."""

from api.forms.kept import unpack_kept
from engine.instants import now_ms
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
        assert "Early birds" not in page.text, "its window is over"
        refused = await visitor.send(page, JOIN, line="press", code="not an invitation")
        assert "We do not know this code" in refused.text
        page = await visitor.send(page, JOIN, line="press", code=invitation)
        kept = unpack_kept(visitor.cookie(sale))
        assert kept is not None
        assert kept.place
        late = await another.send(await another.open(room(sale)), JOIN, line="press", code=invitation)
        assert "has given somebody a number already" in late.text
        page = await visitor.until(page, "Choose my seats")
        page = await visitor.send(page, "Choose my seats")
        page = await visitor.send(page, "Find the best seats", q_full="1")
        assert "Reserved for you until" in page.text

        async def is_counted() -> bool:
            told = (await sale.status())["lines"]
            return bool((told["press"]["joined"], told["public"]["joined"]) == (1, 0))

        await until(is_counted, "the press's line has one, the public one nobody")
