"""What everybody may read of a house: the public status, on-sales, seating plans, seats, keys."""

import asyncio
from typing import Any, Final

import msgspec
from litestar import Request, asgi, get
from litestar.datastructures import State
from litestar.types import Receive, Scope, Send

from api.boards import Boards
from api.hot import (
    HOUSE_PATH,
    ROUTES,
    Answer,
    Call,
    Headers,
    Route,
    answer_problem,
    cors_headers,
    hot,
    not_allowed,
    preflight,
    send_answer,
    unknown_house,
)
from api.problems import problem, problem_of
from api.wire import (
    CategoryReply,
    DirectoryReply,
    DrawReply,
    HouseReply,
    KeySet,
    LimitsReply,
    ListedOnSale,
    OnSaleReply,
    PerformanceReply,
    SeatChanges,
    SeatsReply,
    StatusReply,
    UnavailableHouse,
)
from engine import waiting_room
from engine.catalogue import Performance
from engine.cell import Cell
from engine.draw import ALGORITHM
from engine.errors import CellUnavailable, Refused
from engine.instants import to_rfc3339
from engine.words import PerformanceId

encode: Final = msgspec.json.Encoder().encode
STATUS_CACHE: Final = (b"cache-control", b"public, max-age=1, stale-while-revalidate=5, stale-if-error=60")
SEATS_CACHE: Final = (b"cache-control", b"public, max-age=1, stale-while-revalidate=2")
PLAN_CACHE: Final = (b"cache-control", b"public, max-age=31536000, immutable")
SHORT_CACHE: Final = (b"cache-control", b"public, max-age=10")
LOOK_SECONDS: Final = 0.5
HEARTBEAT_SECONDS: Final = 15.0
LONGEST_VERSION: Final = 18


def _boards(call: Call) -> Boards:
    boards: Boards = call.scope["litestar_app"].state.boards[call.cell.house.slug]
    return boards


def _cached(call: Call, body: bytes, etag: str, cache: tuple[bytes, bytes]) -> Answer:
    """A cacheable document, or 304 for whoever has it already."""
    headers: Headers = [cache, (b"etag", etag.encode())]
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
    """The public status."""
    found = await _boards(call).status(call.parameters["on_sale"])
    return _cached(call, found.body, found.etag, STATUS_CACHE)


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
        limits=LimitsReply(seats_a_hold=on_sale.seats_a_hold, seats_a_place=on_sale.seats_a_place),
        hold_seconds=on_sale.hold_seconds,
        pass_seconds=on_sale.pass_seconds,
        turn_seconds=on_sale.turn_seconds,
        performances=tuple(_performance_reply(cell, performance) for performance in performances),
        policies=cell.house.policy,
        draw=DrawReply(algorithm=ALGORITHM, commitment=on_sale.commitment),
    )
    return Answer(200, encode(reply), [SHORT_CACHE])


async def _listed(cell: Cell) -> tuple[ListedOnSale, ...]:
    """The house's on-sales that are not over. Raises `CellUnavailable`."""
    listed = []
    # Before the first look nothing is known, and a house that is down would pass for one with nothing to sell.
    await cell.look()
    for on_sale in sorted(cell.catalogue.on_sales.values(), key=lambda each: each.opens_at_ms):
        now = await waiting_room.status(cell, on_sale.on_sale)
        if now.phase != "closed":
            starts_at_ms = min(cell.performance(name).starts_at_ms for name in on_sale.performances)
            listed.append(
                ListedOnSale(
                    house=cell.house.slug,
                    house_name=cell.house.name,
                    on_sale=on_sale.on_sale,
                    title=on_sale.title,
                    phase=now.phase,
                    prequeue_at=to_rfc3339(now.prequeue_at_ms),
                    opens_at=to_rfc3339(now.opens_at_ms),
                    starts_at=to_rfc3339(starts_at_ms),
                    page=f"/h/{cell.house.slug}/{on_sale.on_sale}",
                )
            )
    return tuple(listed)


@hot("GET", "", summary="A house and its coming on-sales", answers={200: HouseReply})
async def read_house(call: Call) -> Answer:
    """Name, languages, colours, on-sales."""
    house = call.cell.house
    try:
        on_sales = await _listed(call.cell)
    except CellUnavailable:
        # The pages need the house's name and colours to say that it cannot answer now.
        on_sales = ()
    reply = HouseReply(
        house=house.slug,
        name=house.name,
        languages=tuple(house.languages),
        colours=house.colours,
        operator_contact=house.operator_contact,
        on_sales=on_sales,
    )
    return Answer(200, encode(reply), [STATUS_CACHE])


@get("/v1/on-sales", summary="Coming and open on-sales of the houses that choose to be listed", cache=1)
async def directory(state: State) -> DirectoryReply:
    """The one-stop directory; a house that cannot answer is missing and said to be."""
    cells: list[Cell] = [cell for cell in state.cells.values() if cell.house.listed]

    async def ask(cell: Cell) -> tuple[ListedOnSale, ...] | None:
        try:
            return await _listed(cell)
        except CellUnavailable:
            return None

    found = await asyncio.gather(*map(ask, cells))
    return DirectoryReply(
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
    """The plan in pretix's format, with our extension."""
    performance = call.cell.performance(call.parameters["performance"])
    hall = call.cell.catalogue.halls[performance.hall]
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
    """The keys that verify a pass (RFC 7517)."""
    return Answer(200, encode(call.cell.signer.jwks), [(b"cache-control", b"public, max-age=300")])


def _since(scope: Scope) -> int:
    """The version after which changes are wanted: `Last-Event-ID` on a reconnect, else `since`."""
    request: Request[None, None, State] = Request(scope)
    text = request.headers.get("last-event-id") or str(request.query_params.get("since", ""))
    return int(text) if text.isdecimal() and len(text) <= LONGEST_VERSION else 0


CHANGES: Final = HOUSE_PATH + "/performances/{performance:str}/seats/changes"
ROUTES.append(
    Route(
        "GET",
        CHANGES,
        "Changes of seats as they happen, as server-sent events",
        {200: SeatChanges},
        media_type="text/event-stream",
        query=("since",),
    )
)


@asgi(CHANGES)
async def seat_changes(scope: Scope, receive: Receive, send: Send) -> None:
    """Server-sent events of `SeatChanges`; `reload` when `since` is too long ago."""
    state = scope["litestar_app"].state
    parameters = scope["path_params"]
    cell: Cell | None = state.cells.get(parameters["house"])
    cors = cors_headers(cell, "", is_public=True)
    method = scope.get("method")
    if method == "OPTIONS":
        await send_answer(send, preflight(cell, "", is_public=True))
        return
    if cell is None or method != "GET":
        answer = unknown_house() if cell is None else not_allowed(("GET",))
        await send_answer(send, msgspec.structs.replace(answer, headers=[*answer.headers, *cors]))
        return
    try:
        board = state.boards[cell.house.slug].seats(parameters["performance"])
        seen = await board.now()
    except (Refused, CellUnavailable) as error:
        await send_answer(send, answer_problem(problem_of(error) or problem("internal", ""), *cors))
        return
    headers = [
        (b"content-type", b"text/event-stream"),
        (b"cache-control", b"no-store"),
        (b"x-accel-buffering", b"no"),
        *cors,
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    since = _since(scope) or seen.version
    gone = asyncio.create_task(_until_gone(receive))
    clock = asyncio.get_running_loop().time
    next_heartbeat = clock() + HEARTBEAT_SECONDS
    try:
        while not gone.done() and not state.stopping.is_set():
            try:
                await board.now()
            except CellUnavailable:
                await asyncio.sleep(1)
                continue
            changed = board.changes(since)
            text = b""
            if changed is None:
                text, since = b"event: reload\ndata: {}\n\n", (await board.now()).version
            elif changed[0] != since:
                since = changed[0]
                data = encode(SeatChanges(version=since, changes=changed[1], areas=changed[2]))
                text = b"id: %d\ndata: %b\n\n" % (since, data)
            elif clock() >= next_heartbeat:
                text, next_heartbeat = b": still here\n\n", clock() + HEARTBEAT_SECONDS
            if text:
                await send({"type": "http.response.body", "body": text, "more_body": True})
            await asyncio.wait([gone], timeout=LOOK_SECONDS)
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    finally:
        gone.cancel()


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
