"""What everybody may read of a house: the public status, on-sales, seating plans, seats, keys."""

import asyncio
from typing import Any, Final

import msgspec
from litestar import get
from litestar.datastructures import State

from api.boards import Boards, Fresh
from api.draws import draw_reply
from api.hot import Answer, Call, Headers, hot
from api.lines import declared_lines
from api.wire import SeatsReply
from api.wire_house import (
    CategoryReply,
    DirectoryReply,
    HouseReply,
    KeySet,
    LimitsReply,
    ListedHouse,
    ListedOnSale,
    LogoReply,
    OnSaleReply,
    PerformanceReply,
    PriceTypeReply,
    UnavailableHouse,
)
from api.wire_status import StatusReply
from engine import waiting_room
from engine.catalogue import Performance
from engine.cell import Cell
from engine.drawing import not_drawn
from engine.errors import CellUnavailable, Refused
from engine.instants import now_ms, to_rfc3339
from engine.pass_keys import KEYS_CACHED_SECONDS
from engine.theme import Logo, Theme, look_of
from engine.theming import previewed
from engine.words import PerformanceId

encode: Final = msgspec.json.Encoder().encode
STATUS_CACHE: Final = (b"cache-control", b"public, max-age=1, stale-while-revalidate=5, stale-if-error=60")
SEATS_CACHE: Final = (b"cache-control", b"public, max-age=1, stale-while-revalidate=2")
PLAN_CACHE: Final = (b"cache-control", b"public, max-age=31536000, immutable")
SHORT_CACHE: Final = (b"cache-control", b"public, max-age=10")
LONGEST_CHANGE: Final = 6
DIRECTORY_SECONDS: Final = 1.0
"""However it is asked for, the directory is worked out no more often, and kept once."""


def _boards(call: Call) -> Boards:
    boards: Boards = call.scope["litestar_app"].state.boards[call.cell.house.slug]
    return boards


def _cached(call: Call, body: bytes, etag: str, cache: tuple[bytes, bytes], *more: tuple[bytes, bytes]) -> Answer:
    """A cacheable document, or 304 for whoever has it already."""
    headers: Headers = [cache, (b"etag", etag.encode()), *more]
    if etag in call.header(b"if-none-match"):
        return Answer(304, b"", headers)
    return Answer(200, body, headers)


@hot(
    "GET",
    "/on-sales/{on_sale:str}/status",
    summary="Where an on-sale stands: the same bytes for everybody",
    answers={200: StatusReply},
    is_public=True,
)
async def read_status(call: Call) -> Answer:
    """The public status, with a detached JWS of its bytes: any mirror may serve it, and nobody can change it."""
    boards, on_sale = _boards(call), call.parameters["on_sale"]
    found = boards.known_status(on_sale) or await boards.status(on_sale)
    return _cached(call, found.body, found.etag, STATUS_CACHE, (b"parvis-signature", found.signature))


def _performance_reply(cell: Cell, performance: Performance) -> PerformanceReply:
    hall = cell.catalogue.halls[performance.hall]
    return PerformanceReply(
        performance=performance.performance,
        title=performance.title,
        starts_at=to_rfc3339(performance.starts_at_ms),
        hall=hall.hall.name,
        categories=tuple(
            CategoryReply(name=category["name"], color=category.get("color", ""))
            for category in hall.hall.plan["categories"]
        ),
        prices=performance.prices,
        fee=performance.fee,
        vat_rate=performance.vat_rate,
        price_types={
            name: PriceTypeReply(
                needs=kind.needs,
                at_least=kind.at_least,
                at_most=kind.at_most,
                fee=kind.fee,
                vat_rate=kind.vat_rate,
                series=kind.series,
            )
            for name, kind in performance.price_types.items()
        },
        plan_change=performance.plan_change,
    )


@hot("GET", "/on-sales/{on_sale:str}", summary="An on-sale", answers={200: OnSaleReply})
async def read_on_sale(call: Call) -> Answer:
    """What, where, when, prices, policies, performances."""
    cell = call.cell
    on_sale = cell.on_sale(call.parameters["on_sale"])
    performances = [cell.performance(name) for name in on_sale.performances]
    reply = OnSaleReply(
        house=cell.house.slug,
        on_sale=on_sale.on_sale,
        title=on_sale.title,
        prequeue_at=to_rfc3339(on_sale.prequeue_at_ms),
        opens_at=to_rfc3339(on_sale.opens_at_ms),
        currency=performances[0].currency,
        limits=LimitsReply(
            seats_a_hold=on_sale.seats_a_hold,
            seats_a_place=on_sale.seats_a_place,
            holds_an_order=cell.house.limits.holds_an_order,
            lone_seats=on_sale.lone_seats,
            unpaid_holds=on_sale.unpaid_holds,
            cool_down_seconds=on_sale.cool_down_seconds,
            longest_hold_seconds=max(on_sale.hold_seconds, on_sale.longest_hold_seconds),
            seats_a_customer=on_sale.seats_a_customer,
        ),
        one_place_per=on_sale.one_place_per,
        hold_seconds=on_sale.hold_seconds,
        pass_seconds=on_sale.pass_seconds,
        longest_stay_seconds=on_sale.stay_seconds,
        more_time_percent=on_sale.more_time_percent,
        turn_seconds=on_sale.turn_seconds,
        performances=tuple(_performance_reply(cell, performance) for performance in performances),
        policies=cell.house.policy,
        draw=draw_reply(on_sale, not_drawn(on_sale)),
        known_user=bool(on_sale.known_user_event),
        lines=declared_lines(on_sale),
    )
    return Answer(200, encode(reply), [SHORT_CACHE])


async def list_on_sales(cell: Cell) -> tuple[ListedOnSale, ...]:
    """The house's on-sales that are not over. Raises `CellUnavailable`."""
    listed = []
    # Before the first look nothing is known, and a house that is down would pass for one with nothing to sell.
    await cell.look()
    for on_sale in sorted(cell.catalogue.on_sales.values(), key=lambda each: each.opens_at_ms):
        now = await waiting_room.status(cell, on_sale.on_sale)
        if now.phase != "closed":
            performances = [cell.performance(name) for name in on_sale.performances]
            dates = tuple(to_rfc3339(starts) for starts in sorted(each.starts_at_ms for each in performances))
            listed.append(
                ListedOnSale(
                    house=cell.house.slug,
                    house_name=cell.house.name,
                    time_zone=cell.house.time_zone,
                    on_sale=on_sale.on_sale,
                    title=on_sale.title,
                    phase=now.phase,
                    prequeue_at=to_rfc3339(now.prequeue_at_ms),
                    opens_at=to_rfc3339(now.opens_at_ms),
                    starts_at=dates[0],
                    dates=dates,
                    page=f"/h/{cell.house.slug}/{on_sale.on_sale}",
                )
            )
    return tuple(listed)


def logo_reply(cell: Cell, logo: Logo | None) -> LogoReply | None:
    """Where a logo is, and what it shows."""
    if logo is None:
        return None
    picture = logo.picture
    address = f"/v1/houses/{cell.house.slug}/logos/{logo.name}"
    return LogoReply(address=address, alt=logo.alt, width=picture.width, height=picture.height)


async def try_on_sales(cell: Cell) -> tuple[ListedOnSale, ...] | None:
    """None where the house cannot answer now: its pages still need its name and colours to say so."""
    try:
        return await list_on_sales(cell)
    except CellUnavailable:
        return None


async def _house_reply(call: Call, theme: Theme) -> bytes:
    house, look = call.cell.house, look_of(call.cell.house, theme)
    on_sales = await try_on_sales(call.cell)
    reply = HouseReply(
        house=house.slug,
        name=house.name,
        languages=look.languages,
        time_zone=house.time_zone,
        colours=look.colours,
        logo=logo_reply(call.cell, look.logo),
        words=look.words,
        operator_contact=house.operator_contact,
        return_addresses=house.return_addresses,
        available=on_sales is not None,
        on_sales=on_sales or (),
    )
    return encode(reply)


@hot("GET", "", summary="A house and its coming on-sales", answers={200: HouseReply})
async def read_house(call: Call) -> Answer:
    """Name, languages, colours, logo, own words, on-sales."""
    return Answer(200, await _house_reply(call, call.cell.catalogue.themes.published), [STATUS_CACHE])


@hot("GET", "/previews/{preview:str}", summary="A house as a draft of its theme shows it", answers={200: HouseReply})
async def read_preview(call: Call) -> Answer:
    """The same, for whoever has the link; kept by nobody on the way."""
    theme = previewed(call.cell, call.parameters["preview"])
    return Answer(200, await _house_reply(call, theme), [(b"cache-control", b"no-store")])


@hot("GET", "/logos/{logo:str}", summary="A logo of the house", answers={200: bytes}, is_public=True)
async def read_logo(call: Call) -> Answer:
    """The picture, under an address that is its own; nothing in it could run."""
    logo = call.cell.catalogue.themes.logo(call.parameters["logo"])
    if logo is None:
        raise Refused("not-found", "there is no such logo here")
    headers: Headers = [
        PLAN_CACHE,
        (b"x-content-type-options", b"nosniff"),
        (b"content-security-policy", b"default-src 'none'; sandbox"),
    ]
    return Answer(200, logo.image, headers, logo.picture.media_type.encode())


@get("/v1/on-sales", summary="Coming and open on-sales of the houses that choose to be listed")
async def directory(state: State) -> DirectoryReply:
    """The one-stop directory; a house that cannot answer is missing and said to be."""
    fresh: Fresh[DirectoryReply] = state.directory
    return await fresh.get()


def listed_cells(state: State) -> list[Cell]:
    """The houses of this process that choose to be listed: of another, a page of all houses says nothing at all."""
    return [cell for cell in state.cells.values() if cell.house.listed]


async def find_directory(state: State) -> DirectoryReply:
    """What every listed house of this process puts on sale, and which of them does not answer."""
    cells = listed_cells(state)
    found = await asyncio.gather(*map(try_on_sales, cells))
    return DirectoryReply(
        houses=tuple(
            ListedHouse(
                house=cell.house.slug,
                name=cell.house.name,
                colours=look_of(cell.house, cell.catalogue.themes.published).colours,
            )
            for cell in cells
        ),
        on_sales=tuple(each for listed in found for each in listed or ()),
        unavailable=tuple(
            UnavailableHouse(house=cell.house.slug, name=cell.house.name)
            for cell, listed in zip(cells, found, strict=True)
            if listed is None
        ),
    )


@hot(
    "GET",
    "/performances/{performance:str}/plan",
    summary="The seating plan, immutable",
    answers={200: dict[str, Any]},
    is_public=True,
)
async def read_plan(call: Call) -> Answer:
    """The plan in pretix's format, with our extension; once it has changed, each has an address of its own."""
    performance = call.cell.performance(call.parameters["performance"])
    hall = call.cell.catalogue.halls[performance.hall]
    return _cached(call, hall.plan, hall.etag, SHORT_CACHE if performance.plan_change else PLAN_CACHE)


@hot(
    "GET",
    "/performances/{performance:str}/plan/{change:str}",
    summary="The seating plan after so many changes, immutable",
    answers={200: dict[str, Any]},
    is_public=True,
)
async def read_plan_at(call: Call) -> Answer:
    """The same, of the seats that have this `plan_change`."""
    cell, text = call.cell, call.parameters["change"]
    change = int(text) if text.isdecimal() and len(text) <= LONGEST_CHANGE else -1
    performance = cell.performance(call.parameters["performance"])
    if change == performance.plan_change + 1:  # it may have changed this very moment
        await cell.look()
        performance = cell.performance(performance.performance)
    if not 0 <= change <= performance.plan_change:
        raise Refused("not-found", "there is no such plan here")
    hall = cell.catalogue.halls[performance.hall_at(change)]
    return _cached(call, hall.plan, hall.etag, PLAN_CACHE)


@hot(
    "GET",
    "/performances/{performance:str}/seats",
    summary="The state of every seat",
    answers={200: SeatsReply},
    is_public=True,
)
async def read_seats(call: Call) -> Answer:
    """One letter a seat, in plan order, half a second old at most."""
    found = await _boards(call).seats(PerformanceId(call.parameters["performance"])).document()
    return _cached(call, found.body, found.etag, SEATS_CACHE)


@hot("GET", "/.well-known/jwks.json", summary="The house's public keys", answers={200: KeySet})
async def read_jwks(call: Call) -> Answer:
    """The keys that verify a pass (RFC 7517): the next before it signs, the former until its last pass has ended."""
    cell = call.cell
    longest_ms = max((each.longest_slot_ms for each in cell.catalogue.on_sales.values()), default=0)
    cache = b"public, max-age=%d" % KEYS_CACHED_SECONDS
    return Answer(200, encode(cell.signer.jwks(now_ms(), longest_ms)), [(b"cache-control", cache)])
