"""What a house has, asked of its servers themselves."""

from engine.audit import audit
from engine.cli.sales import at_house
from tests.town import Town


async def clean(town: Town, *slugs: str) -> None:
    """The auditor finds nothing wrong in these houses."""
    for slug in slugs:
        async with at_house(town.network_file, slug, is_owner=True) as (cell, ledger):
            found = await audit(cell, ledger)
        assert found.is_clean, found.faults
        assert (found.double_sold, found.lost, found.stranded_holds, found.dead_letters) == (0, 0, 0, 0)


async def backlog_of(town: Town, slug: str) -> int:
    """How many entries of the house's outbox wait to be recorded."""
    async with at_house(town.network_file, slug) as (cell, _):
        return cell.backlog


async def recorded(town: Town, slug: str) -> set[tuple[str, int]]:
    """Every order that the house's ledger has, with how many items: an order's id stands there once."""
    async with at_house(town.network_file, slug) as (_, ledger), ledger.connection() as postgres:
        rows = await postgres.fetch(
            "SELECT order_id::text AS order, count(*) AS items FROM order_items WHERE live GROUP BY order_id"
        )
    return {(row["order"], row["items"]) for row in rows}
