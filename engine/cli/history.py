"""The history of a performance's seats from a shell: as a file, and the hall as it was at an instant."""

import sys
from pathlib import Path

import msgspec

from engine.catalogue import Catalogue, build
from engine.cli.sales import at_ledger
from engine.errors import BadInput
from engine.history_export import Form, Plan, export, hall_at, plan_of
from engine.instants import from_rfc3339
from engine.ledger.ledger import Ledger
from engine.words import PerformanceId


async def _plan(ledger: Ledger, performance: str) -> tuple[PerformanceId, Plan]:
    """By the ledger's documents: Redis may be away. Raises `BadInput` for an unknown performance."""
    bodies = {f"{each.kind}:{each.id}": each.body for each in await ledger.documents()}
    catalogue = build(Catalogue(), 0, bodies)
    name = PerformanceId(performance)
    if name not in catalogue.performances:
        raise BadInput(f"there is no performance {performance!r} here")
    return name, plan_of(catalogue, name)


async def print_history(network: Path, house: str, performance: str, form: Form, until: str) -> None:
    """Prints what became of every seat, oldest first. Raises `BadInput`, `LedgerUnavailable`."""
    until_ms = from_rfc3339(until) if until else None
    async with at_ledger(network, house) as (_, ledger):
        name, plan = await _plan(ledger, performance)
        async for part in export(ledger, name, plan, form, until_ms):
            sys.stdout.write(part)


async def print_hall(network: Path, house: str, performance: str, at: str) -> None:
    """Prints what every seat was at an instant, as JSON. Raises `BadInput`, `LedgerUnavailable`."""
    at_ms = from_rfc3339(at)
    async with at_ledger(network, house) as (_, ledger):
        name, plan = await _plan(ledger, performance)
        print(msgspec.json.format(msgspec.json.encode(await hall_at(ledger, name, plan, at_ms))).decode())
