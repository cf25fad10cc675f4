"""All houses' on-sales in one place, and a house's own, without JavaScript."""

from datetime import date, datetime
from typing import Any, Final

import msgspec
from litestar import MediaType, Request, Response, get
from litestar.datastructures import State

from api.boards import Fresh
from api.forms.door import Fields, query_of, tell_people
from api.forms.frame import Frame, page
from api.forms.words import Words
from api.hot import Answer, Call, lay
from api.public import listed_cells, try_on_sales
from api.wire_house import DirectoryReply, ListedOnSale
from engine.colours import palette, spell
from engine.instants import from_rfc3339
from engine.theme import look_of
from engine.words import PHASES

ORDER: Final = ("open", "paused", "prequeue", "scheduled", "sold_out", "closed")
"""What is coming first comes first; what has ended comes last."""
FILLS: Final = ("--primary", "--on-primary", "--accent", "--on-accent")
HOUSE: Final = "/h/{house:str}/plain"
Page = Request[Any, Any, State]


class Card(msgspec.Struct, frozen=True):
    """An on-sale in a list, with the words for its house's zone."""

    on_sale: ListedOnSale
    words: Words

    @property
    def starts_at_ms(self) -> int:
        """The first of its performances."""
        return from_rfc3339(self.on_sale.starts_at)

    @property
    def when(self) -> str:
        """When its queue and its sales open, as long as that lies ahead."""
        name, on_sale = f"when.{self.on_sale.phase}", self.on_sale
        if not self.words.has(name):
            return ""
        queue, start = (self.words.moment(from_rfc3339(at)) for at in (on_sale.prequeue_at, on_sale.opens_at))
        return self.words.say(name, queue=queue, start=start)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def cards_of(on_sales: "tuple[ListedOnSale, ...]", language: str) -> list[Card]:
    """A card for each, in order."""
    ordered = sorted(on_sales, key=lambda each: (ORDER.index(each.phase), each.opens_at))
    return [Card(each, Words(language, each.time_zone)) for each in ordered]


def chosen(cards: "list[Card]", query: Fields) -> list[Card]:
    """Those that the filters let through: by house, phase, words of the title or the house, and from a day on."""
    house, phase, text, day = (query.get(name) for name in ("house", "phase", "text", "from"))
    wanted, first = text.casefold().split(), _day(day)

    def is_wanted(card: Card) -> bool:
        each = card.on_sale
        about = f"{each.title} {each.house_name}".casefold()
        starts_at = datetime.fromtimestamp(card.starts_at_ms / 1000, card.words.zone).date()
        return (
            house in {"", each.house}
            and phase in {"", each.phase}
            and all(word in about for word in wanted)
            and (first is None or starts_at >= first)
        )

    return [card for card in cards if is_wanted(card)]


def _respond(answer: Answer) -> Response[bytes]:
    headers = {key.decode(): value.decode() for key, value in answer.headers}
    return Response(answer.body, status_code=answer.status, headers=headers, media_type=MediaType.HTML)


@get("/plain", include_in_schema=False)
async def plain_one_stop(request: Page) -> Response[bytes]:
    """Every listed on-sale of the network, with filters as a form."""
    frame, query = Frame(request.scope, None), query_of(request.scope)
    fresh: Fresh[DirectoryReply] = request.app.state.directory
    found = await fresh.get()
    cards = cards_of(found.on_sales, frame.words.language)
    shown = chosen(cards, query)
    return _respond(
        page(
            frame,
            "onestop.html",
            full="/",
            cards=shown,
            houses=sorted({(each.house, each.house_name) for each in found.on_sales}, key=lambda each: each[1]),
            is_filtered=any(query.get(name) for name in ("house", "phase", "text", "from")),
            phases=[phase for phase in PHASES if any(each.phase == phase for each in found.on_sales)],
            query=query,
            unavailable=[each.name for each in found.unavailable],
        )
    )


@get("/plain/houses.css", include_in_schema=False)
async def houses_style(request: Page) -> Response[str]:
    """What each listed house fills its cards with, for a page that shows those of many."""
    rules = []
    for cell in listed_cells(request.app.state):
        colours = look_of(cell.house, cell.catalogue.themes.published).colours
        by_day, by_night = (
            ";".join(f"{name}:{spell(palette(colours, is_dark=is_dark)[name])}" for name in FILLS)
            for is_dark in (False, True)
        )
        house = f".of-{cell.house.slug}"
        rules.append(f"{house}{{{by_day}}}@media (prefers-color-scheme:dark){{{house}{{{by_night}}}}}")
    headers = {"cache-control": "public, max-age=10", "x-content-type-options": "nosniff"}
    return Response("\n".join(rules), media_type="text/css", headers=headers)


async def show_house(call: Call) -> Answer:
    """A house's on-sales."""
    frame = Frame(call.scope, call.cell)
    on_sales = await try_on_sales(call.cell)
    full, cards = f"/h/{call.cell.house.slug}", cards_of(on_sales or (), frame.words.language)
    return page(frame, "house.html", full=full, cards=cards, is_down=on_sales is None)


lay(HOUSE, "plain_house", {"GET": (show_house, None)}, tell=tell_people, is_public=None)
PLAIN_PAGES: Final = (plain_one_stop, houses_style)
