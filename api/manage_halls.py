"""A house's halls and performances, and which other houses there are."""

from collections.abc import Sequence
from typing import Any, Final

from litestar import Request, get, post

from api.guards import SHOWN, allows, caller_of, change, changing
from api.manage_wire import (
    AccessRelease,
    AccessReleaseRequest,
    HallReply,
    HallRequest,
    HallsReply,
    NeighbourReply,
    NeighboursReply,
    PerformanceRequest,
    PerformancesReply,
    PlanChangeRequest,
    SetUpPerformance,
)
from engine import house
from engine.access_release import change_release
from engine.catalogue import OpenHall, Performance, Release
from engine.errors import BadInput, Refused
from engine.halls.pretix import import_plan
from engine.halls.sheet import write_sheet
from engine.instants import from_rfc3339, to_rfc3339
from engine.plan_change import NewPlan, replan
from engine.words import HallId, PerformanceId

Call = Request[Any, Any, Any]
PLAN_BYTES: Final = 32 * 1024 * 1024


def _hall_reply(opened: OpenHall) -> HallReply:
    layout = opened.layout
    return HallReply(
        hall=opened.hall.hall,
        name=opened.hall.name,
        seats=len(layout.seat_ids),
        standing=sum(area.capacity for area in layout.areas),
        categories=tuple(layout.categories),
    )


@post(
    "/halls",
    guards=[allows(is_plan=True)],
    request_max_body_size=PLAN_BYTES,
    summary="Create a hall from a seating plan",
)
async def create_hall(request: Call, data: HallRequest) -> HallReply:
    """The hall, with what its plan holds."""
    caller = await changing(request)
    if data.ids not in {"guid", "uuid"}:
        raise BadInput("ids is guid or uuid")
    change = caller.change(data.reason)
    opened = await house.add_hall(
        caller.cell, caller.ledger, data.hall, data.name, data.plan, change, ids=data.ids, aisles=data.aisles
    )
    return _hall_reply(opened)


def _hall(request: Call, hall: str) -> OpenHall:
    """The hall that an address names. Raises `Refused` (`not-found`)."""
    found = caller_of(request).cell.catalogue.halls.get(HallId(hall))
    if found is None:
        raise Refused("not-found", "there is no such hall here")
    return found


@get("/halls/{hall:str}/plan", guards=[allows()], summary="A hall's seating plan in pretix's format")
async def read_hall_plan(request: Call, hall: str) -> dict[str, Any]:
    """The plan, with what that format lacks under `parvis`; sent in again it makes the same hall."""
    return _hall(request, hall).hall.plan


@get("/halls/{hall:str}/aisles", guards=[allows()], summary="Where a hall's aisles are", media_type="text/plain")
async def read_aisles(request: Call, hall: str) -> str:
    """A line a row, a bar at each aisle, what is least sure first: to be corrected and sent in with a plan."""
    return write_sheet(import_plan(_hall(request, hall).hall.plan))


@get("/halls", guards=[SHOWN], summary="The house's halls")
async def list_halls(request: Call) -> HallsReply:
    """Every hall."""
    return HallsReply(halls=tuple(map(_hall_reply, caller_of(request).cell.catalogue.halls.values())))


def _performance_reply(performance: Performance) -> SetUpPerformance:
    return SetUpPerformance(
        performance=performance.performance,
        hall=performance.hall,
        title=performance.title,
        starts_at=to_rfc3339(performance.starts_at_ms),
        prices=performance.prices,
        fee=performance.fee,
        currency=performance.currency,
        vat_rate=performance.vat_rate,
        price_types=performance.price_types,
        plan_change=performance.plan_change,
        access_release=tuple(
            AccessRelease(at=to_rfc3339(step.at_ms), percent=step.percent) for step in performance.access_release
        ),
    )


def _releases(steps: Sequence[AccessRelease]) -> tuple[Release, ...]:
    return tuple(Release(from_rfc3339(step.at), step.percent) for step in steps)


@change("/performances", "Create a performance with its prices", status_code=201)
async def create_performance(request: Call, data: PerformanceRequest) -> SetUpPerformance:
    """The performance."""
    caller = await changing(request)
    made = Performance(
        performance=data.performance,
        hall=data.hall,  # type: ignore[arg-type]
        title=data.title,
        starts_at_ms=from_rfc3339(data.starts_at),
        prices=data.prices,
        fee=data.fee,
        currency=data.currency,
        vat_rate=data.vat_rate,
        price_types=data.price_types,
        access_release=_releases(data.access_release),
    )
    return _performance_reply(await house.add_performance(caller.cell, caller.ledger, made, caller.change(data.reason)))


@change("/performances/{performance:str}/plan", "Sell a performance from another hall's plan, while it is on sale too")
async def change_plan(request: Call, performance: str, data: PlanChangeRequest) -> SetUpPerformance:
    """The performance. What is held, sold or set aside is so in its new place, by the seats' ids."""
    caller = await changing(request)
    wanted = NewPlan(hall=data.hall, prices=data.prices, price_types=data.price_types)
    change, name = caller.change(data.reason), PerformanceId(performance)
    return _performance_reply(await replan(caller.cell, caller.ledger, name, wanted, change, caller.operation))


@change(
    "/performances/{performance:str}/access-release",
    "Change when places for wheelchairs that nobody took become general seats, while they are on sale too",
)
async def change_access_release(request: Call, performance: str, data: AccessReleaseRequest) -> SetUpPerformance:
    """The performance. What has passed stays as it was."""
    caller = await changing(request)
    steps, reason = _releases(data.access_release), caller.change(data.reason)
    name = PerformanceId(performance)
    return _performance_reply(await change_release(caller.cell, caller.ledger, name, steps, reason, caller.operation))


@get("/performances", guards=[SHOWN], summary="The house's performances")
async def list_performances(request: Call) -> PerformancesReply:
    """Every performance, by date."""
    found = sorted(caller_of(request).cell.catalogue.performances.values(), key=lambda each: each.starts_at_ms)
    return PerformancesReply(performances=tuple(map(_performance_reply, found)))


@get("/neighbours", guards=[allows()], summary="The other houses of the network, who may contribute to a draw")
async def list_neighbours(request: Call) -> NeighboursReply:
    """As the network file names them."""
    near = caller_of(request).cell.house.neighbours
    return NeighboursReply(houses=tuple(NeighbourReply(house=each.slug, name=each.name) for each in near))


HALLS: Final = (
    create_hall,
    list_halls,
    read_hall_plan,
    read_aisles,
    change_plan,
    create_performance,
    change_access_release,
    list_performances,
    list_neighbours,
)
