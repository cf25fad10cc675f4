"""The history of a performance's seats, for its house: as a file, and the hall as it was at an instant."""

from collections.abc import AsyncIterator
from typing import Any

from litestar import Request, get
from litestar.response import Stream

from api.guards import allows, caller_of
from engine.history_export import Form, Hall, Plan, export, hall_at, plan_of
from engine.instants import from_rfc3339, now_ms
from engine.words import PerformanceId

Call = Request[Any, Any, Any]


def _plan(request: Call, performance: str) -> tuple[PerformanceId, Plan]:
    """Raises `Refused` (`unknown-performance`)."""
    cell = caller_of(request).cell
    name = cell.performance(performance).performance
    return name, plan_of(cell.catalogue, name)


async def _file(request: Call, performance: str, until: str, form: Form) -> Stream:
    name, plan = _plan(request, performance)
    caller = caller_of(request)
    parts = export(caller.ledger, name, plan, form, from_rfc3339(until) if until else None)
    # Read before anything is sent: a ledger that is away is a 503, not half a file.
    head = await anext(parts)
    first = await anext(parts, "")

    async def rest() -> AsyncIterator[str]:
        yield head + first
        async for part in parts:
            yield part

    kind = "text/csv" if form == "csv" else "application/jsonl"
    shown = f"attachment; filename={caller.cell.house.slug}-{name}-history.{form}"
    return Stream(rest(), media_type=f"{kind}; charset=utf-8", headers={"content-disposition": shown})


@get(
    "/performances/{performance:str}/history.csv",
    guards=[allows("orders:read")],
    summary="What became of every seat of a performance as CSV, a seat or an area a row",
    media_type="text/csv",
)
async def export_history_csv(request: Call, performance: str, until: str = "") -> Stream:
    """CSV (RFC 4180) in UTF-8, oldest first; with `until` (RFC 3339) up to that instant."""
    return await _file(request, performance, until, "csv")


@get(
    "/performances/{performance:str}/history.jsonl",
    guards=[allows("orders:read")],
    summary="What became of every seat of a performance as JSON, a change a line",
    media_type="application/jsonl",
)
async def export_history_json(request: Call, performance: str, until: str = "") -> Stream:
    """JSON lines in UTF-8, oldest first; with `until` (RFC 3339) up to that instant."""
    return await _file(request, performance, until, "jsonl")


@get(
    "/performances/{performance:str}/seats",
    guards=[allows("orders:read")],
    summary="Every seat of a performance as it was at an instant, by its history",
)
async def read_hall_at(request: Call, performance: str, at: str = "") -> Hall:
    """`at`: RFC 3339; now, without."""
    name, plan = _plan(request, performance)
    return await hall_at(caller_of(request).ledger, name, plan, from_rfc3339(at) if at else now_ms())


HISTORY = (export_history_csv, export_history_json, read_hall_at)
