"""An on-sale when it is over: its summary for everybody, signed, and its curve as a file for its house."""

from typing import Any, Final

from litestar import Request, Response, get

from api.boards import Boards, Document, Fresh, document
from api.guards import allows, caller_of
from api.hot import Answer, Call, hot
from engine.afterwards import Summary, curve_csv, summary

SUMMARY_SECONDS: Final = 10.0
CACHE: Final = (b"cache-control", b"public, max-age=10, stale-while-revalidate=60, stale-if-error=600")


async def known_summary(call: Call) -> Document:
    """The signed summary of the on-sale that the path names, at most ten seconds old.

    Raises `Refused` (`unknown-on-sale`, `not-over`), `LedgerUnavailable`.
    """
    cell, name = call.cell, call.cell.on_sale(call.parameters["on_sale"]).on_sale
    boards: Boards = call.scope["litestar_app"].state.boards[cell.house.slug]
    fresh = boards.summaries.get(name)
    if fresh is None:
        ledger = call.ledger

        async def work_out() -> Document:
            return document(await summary(ledger, cell.house.slug, cell.on_sale(name)), cell.signer)

        fresh = boards.summaries[name] = Fresh(SUMMARY_SECONDS, work_out)
    return await fresh.get()


@hot(
    "GET",
    "/on-sales/{on_sale:str}/summary",
    summary="What became of an on-sale, once it is over; signed as the status is",
    answers={200: Summary},
    is_public=True,
)
async def read_summary(call: Call) -> Answer:
    """Counts, waits and instants; the same bytes for everybody."""
    found = await known_summary(call)
    headers = [CACHE, (b"etag", found.etag.encode()), (b"parvis-signature", found.signature)]
    if found.etag in call.header(b"if-none-match"):
        return Answer(304, b"", headers)
    return Answer(200, found.body, headers)


@get(
    "/on-sales/{on_sale:str}/curve",
    guards=[allows("orders:read")],
    summary="Joins, calls, admissions, missed turns and orders of each minute, as CSV",
    media_type="text/csv",
)
async def export_curve(request: Request[Any, Any, Any], on_sale: str) -> Response[str]:
    """CSV (RFC 4180) in UTF-8, oldest first; minutes that brought nothing are left out."""
    caller = caller_of(request)
    name = caller.cell.on_sale(on_sale).on_sale
    shown = f"attachment; filename={caller.cell.house.slug}-{name}-curve.csv"
    text = await curve_csv(caller.ledger, name)
    return Response(text, media_type="text/csv", headers={"content-disposition": shown})


AFTERWARDS: Final = (export_curve,)
