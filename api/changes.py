"""Changes of seats as they happen: one stream of server-sent events a page, all fed from the same seat map."""

import asyncio
from typing import Final

import msgspec
from litestar import Request, asgi
from litestar.datastructures import State
from litestar.types import Receive, Scope, Send

from api.hot import (
    HOUSE_PATH,
    ROUTES,
    Route,
    answer_problem,
    cors_headers,
    not_allowed,
    preflight,
    send_answer,
    unknown_house,
)
from api.problems import problem, problem_of
from api.wire import SeatChanges
from engine.cell import Cell
from engine.errors import CellUnavailable, Refused

encode: Final = msgspec.json.Encoder().encode
LOOK_SECONDS: Final = 0.5
HEARTBEAT_SECONDS: Final = 15.0
LONGEST_VERSION: Final = 18


def _since(scope: Scope) -> int | None:
    """The version after which changes are wanted: `Last-Event-ID` on a reconnect, else `since`; None: neither."""
    request: Request[None, None, State] = Request(scope)
    text = request.headers.get("last-event-id") or str(request.query_params.get("since", ""))
    return int(text) if text.isdecimal() and len(text) <= LONGEST_VERSION else None


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
    """Server-sent events of `SeatChanges`; `reload` with the whole `SeatsReply` where `since` is not remembered.

    Whoever asks from 0 gets the whole first: it comes from the same process as the changes, so nothing lies between.
    """
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
    asked = _since(scope)
    since = seen.version if asked is None else asked
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
                since, whole = await board.whole()
                text = b"event: reload\nid: %d\ndata: %b\n\n" % (since, whole.body)
            elif changed[0] != since:
                data = encode(SeatChanges(since=since, version=changed[0], changes=changed[1], areas=changed[2]))
                since = changed[0]
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
