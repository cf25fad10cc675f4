"""The end of the demo: the books of every house, what happened, and both as tables."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from rich.box import SIMPLE_HEAD
from rich.table import Table

from engine.audit import Audit, audit
from engine.cli.programme import RUSH
from engine.cli.rush import Told
from engine.cli.sales import at_house
from engine.cli.stage import console
from engine.words import HouseSlug, OrderId

SWEPT_WITHIN_SECONDS: Final = 0.5
SHOWN_FAULTS: Final = 10


async def balance(network_file: Path, slugs: Sequence[HouseSlug]) -> dict[HouseSlug, Audit]:
    """Every house's audit, at rest: the keeper gets a moment to end what is due."""
    audits = {}
    await asyncio.sleep(SWEPT_WITHIN_SECONDS)
    for slug in slugs:
        async with at_house(network_file, slug) as (cell, ledger):
            audits[slug] = await audit(cell, ledger)
    return audits


async def lost_orders(network_file: Path, log: Path) -> int:
    """Orders that a visitor was told are confirmed, and that the ledger does not have."""
    told: set[str] = set()
    for line in log.read_bytes().splitlines():
        entry = msgspec.json.decode(line)
        if entry.get("told") == "ordered" and entry.get("state") in {"confirmed", "recorded"}:
            told.add(entry["order"])
    lost = 0
    async with at_house(network_file, RUSH) as (_, ledger):
        for order in told:
            lost += await ledger.order(OrderId(order)) is None
    return lost


def _p99(values: Sequence[float]) -> float:
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))], 1) if ordered else 0.0


def _house(slug: HouseSlug, found: Audit, told: Told) -> dict[str, Any]:
    """One house of the result: times of holds in ms, before the rush and during it."""
    if slug == RUSH:
        errors, before, during = told.summary["errors"], _p99(told.quiet_ms), told.summary["hold_ms"][1]
    else:
        samples = told.samples[slug]
        errors = sum(bool(each["slug"]) for each in samples)
        before = _p99([each["hold_ms"] for each in samples if each["at_ms"] < told.opens_at_ms])
        during = _p99([each["hold_ms"] for each in samples if each["at_ms"] >= told.opens_at_ms])
    return {
        "slug": slug,
        "seats_sold": found.sold,
        "errors": errors,
        "hold_ms_p99": during,
        "hold_ms_p99_quiet": before,
    }


def result_of(told: Told, audits: dict[HouseSlug, Audit], lost: int) -> dict[str, Any]:
    """What `--json` prints. Times in ms, money in minor units."""
    rush, summary = audits[RUSH], told.summary
    return {
        "visitors": summary["visitors"],
        "admitted": summary["admitted"],
        "holds": summary["holds"],
        "orders_confirmed": rush.orders_confirmed,
        "orders_recorded": rush.orders_recorded,
        "seats_sold": rush.sold,
        "capacity": rush.seats,
        "double_sold": sum(found.double_sold for found in audits.values()),
        "lost": lost + sum(found.lost for found in audits.values()),
        "stranded_holds": sum(found.stranded_holds for found in audits.values()),
        "wait_ms_p50": summary["wait_ms"][0],
        "wait_ms_p95": summary["wait_ms"][1],
        "refusals": summary["refusals"],
        "asked_again": summary["asked_again"],
        "takings": rush.takings,
        "recorded_takings": rush.recorded_takings,
        "houses": [_house(slug, found, told) for slug, found in audits.items()],
    }


def show_what_happened(result: dict[str, Any], told: Told) -> None:
    """The rush in numbers."""
    table = Table(title="What happened", title_justify="left", show_header=False)
    refusals = ", ".join(f"{slug} {count}" for slug, count in sorted(result["refusals"].items())) or "none"
    for what, value in (
        ("visitors · let in", f"{result['visitors']} · {result['admitted']}"),
        ("wait, half · 95 %", f"{result['wait_ms_p50'] / 1000:.1f} s · {result['wait_ms_p95'] / 1000:.1f} s"),
        ("holds", str(result["holds"])),
        ("refusals", refusals),
        ("asked to try again", str(sum(result["asked_again"].values()))),
        ("orders confirmed · recorded", f"{result['orders_confirmed']} · {result['orders_recorded']}"),
        ("seats sold of capacity", f"{result['seats_sold']} of {result['capacity']}"),
    ):
        table.add_row(what, value)
    console.print(table)
    if told.summary["failures"]:
        console.print(f"[red]✗[/] {told.summary['failures']} answers said that something is broken", highlight=False)
    for broken in told.summary["broken"][:SHOWN_FAULTS]:
        console.print(f"[red]✗[/] a visitor was promised something else: {broken}", highlight=False)


def show_books(result: dict[str, Any], audits: dict[HouseSlug, Audit]) -> None:
    """The balance of every house, and what its holds took before and during the rush."""
    title = "Balance: seats = ledger items = money, €; hold p99 before → in the rush, ms"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for column in ("house", "sold", "twice", "lost", "takings = ledger", "hold p99"):
        table.add_column(column, justify="left" if column == "house" else "right", no_wrap=True)
    for house in result["houses"]:
        found = audits[house["slug"]]
        sign = "=" if found.takings == found.recorded_takings else "≠"
        table.add_row(
            found.house,
            f"{found.sold}/{found.seats}",
            str(found.double_sold),
            str(found.lost),
            f"{found.takings / 100:,.2f} {sign} {found.recorded_takings / 100:,.2f}",
            f"{house['hold_ms_p99_quiet']:.1f} → {house['hold_ms_p99']:.1f}",
        )
    console.print(table)
    for found in audits.values():
        for fault in found.faults[:SHOWN_FAULTS]:
            console.print(f"[red]✗[/] {found.house}: {fault}", highlight=False)
