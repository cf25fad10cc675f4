"""What operators ask: is it alive, can it sell, how is it doing."""

import asyncio
import hashlib
import hmac
import os
from importlib.metadata import version
from typing import Any, Final

import msgspec
from litestar import Request, Response, get
from litestar.datastructures import CacheControlHeader, State
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api.hot import Answer, Call, Headers, hot
from api.metrics import REGISTRY, doors, houses_seen
from api.tallies import add, quantile
from api.wire_house import OperatedHouse, OperatedHousesReply, OpsReply
from engine.errors import Refused
from engine.figures import FRESH_MS
from engine.instants import now_ms, to_rfc3339
from engine.network import Network
from engine.sight import HouseSight, OnSaleSight

NO_STORE: Final[Headers] = [(b"cache-control", b"no-store")]
PHASES: Final = ("open", "paused", "prequeue", "sold_out")
"""What a house is said to do is what the first of these says that one of its on-sales does."""
encode: Final = msgspec.json.Encoder().encode


def check_operator(network: Network, bearer: str) -> None:
    """Raises `Refused` unless this is the key of one of the network's operators. No house's key is."""
    found = hashlib.sha256(bearer.encode()).hexdigest()
    if not any([hmac.compare_digest(found, each) for each in network.operator_keys]):  # noqa: C419 - all, each time
        raise Refused("key-required", "an operator's key of the network is needed here")


@get("/healthz", summary="This process is alive; names its event loop")
async def healthz() -> dict[str, Any]:
    """Always 200 from a living process."""
    loop = asyncio.get_running_loop()
    return {
        "status": "ok",
        "loop": f"{type(loop).__module__}.{type(loop).__qualname__}",
        "pid": os.getpid(),
        "version": version("parvis"),
    }


@get("/readyz", summary="Which cells can sell")
async def readyz(state: State) -> Response[dict[str, Any]]:
    """200 where at least one cell is open; each cell's own state beside it."""
    cells = {
        slug: "open" if cell.is_open and cell.client.breaker.is_closed else "closed"
        for slug, cell in state.cells.items()
    }
    is_ready = "open" in cells.values()
    return Response({"ready": is_ready, "cells": cells}, status_code=200 if is_ready else 503)


@get("/metrics", summary="Prometheus metrics", media_type=CONTENT_TYPE_LATEST)
async def metrics() -> bytes:
    """In the text format."""
    return generate_latest(REGISTRY)


@get(
    "/v1/operated-houses",
    summary="The network's houses, for its operators",
    cache_control=CacheControlHeader(no_store=True),
)
async def operated_houses(request: Request[None, None, State]) -> OperatedHousesReply:
    """Every house of the network, whether this process serves it or not: each is asked at its own address."""
    kind, _, key = request.headers.get("authorization", "").partition(" ")
    network: Network = request.app.state.network
    check_operator(network, key.strip() if kind.lower() == "bearer" else "")
    houses = tuple(OperatedHouse(house=house.slug, name=house.name) for house in network.houses)
    return OperatedHousesReply(network=network.name, houses=houses)


@hot(
    "GET",
    "/ops",
    summary="How the house is doing, for the network's operators",
    answers={200: OpsReply},
    bearer=("operator_key",),
)
async def read_ops(call: Call) -> Answer:
    """Numbers and the names of on-sales: nothing of anybody."""
    app = call.scope["litestar_app"]
    check_operator(app.state.network, call.bearer())
    house = call.cell.house
    age_ms, houses = houses_seen(app.state.figures)
    seen = houses.get(house.slug)
    is_told = seen is not None and age_ms < FRESH_MS
    now = seen if seen is not None and is_told else HouseSight()
    _, alive = doors(app.state.door, app.state.figures)
    minutes = [each.last_minute[house.slug] for each in alive if house.slug in each.last_minute]
    buckets = minutes[0] if minutes else []
    for each in minutes[1:]:
        buckets = add(buckets, each)
    p99_s = quantile(0.99, buckets)
    reply = OpsReply(
        house=house.slug,
        name=house.name,
        state=_state(now, is_told=is_told),
        read_at=to_rfc3339(now.read_at_ms) if now.read_at_ms else None,
        server_time=to_rfc3339(now_ms()),
        redis_up=now.is_redis_up,
        postgres_up=now.is_postgres_up,
        gate_open=now.is_open,
        epoch=now.epoch,
        waiting=sum(each.waiting for each in now.on_sales),
        admitted_last_minute=sum(each.admitted_last_minute for each in now.on_sales),
        seats_open=sum(sum(each.seats_open.values()) for each in now.on_sales),
        holds=now.holds,
        requests_last_minute=sum(buckets),
        p99_ms=None if p99_s is None else round(p99_s * 1000),
        unrecorded=now.outbox_entries,
        writer_lag_ms=round(now.writer_lag_s * 1000),
        alarms=sum(now.counts.alarms.values()),
        dead_letters=now.counts.dead_letters,
        refunds_due=now.counts.refunds_due,
        pressure=now.pressure,
        on_sales=now.on_sales,
    )
    return Answer(200, encode(reply), NO_STORE)


def _state(now: HouseSight, *, is_told: bool) -> str:
    """The house's state in one word, what is worst first."""
    if not is_told or not now.is_redis_up:
        return "down"
    if not now.is_open:
        return "recovering"
    if not now.is_postgres_up:
        return "unrecorded"
    return _phase(now.on_sales) if not now.pressure else "strained"


def _phase(on_sales: tuple[OnSaleSight, ...]) -> str:
    phases = {each.phase for each in on_sales}
    return next((phase for phase in PHASES if phase in phases), "quiet")
