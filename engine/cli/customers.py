"""A customer's data from a shell: all of it as JSON, or taken out. The API does the same."""

import getpass
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from engine.cli.speech import good, say
from engine.ledger import customers
from engine.ledger.customers import By
from engine.ledger.ledger import Ledger
from engine.network import load
from engine.orders import new_order_id
from engine.signing import Signer


@asynccontextmanager
async def _files(network: Path, slug: str) -> AsyncIterator[tuple[Ledger, Signer]]:
    """A house's ledger and keys; its Redis may be away."""
    house = load(network).house(slug)
    ledger = Ledger(house.postgres_dsn, pool=1, timeout_ms=house.limits.postgres_timeout_ms)
    try:
        yield ledger, Signer(house.slug, house.secrets_path)
    finally:
        await ledger.close()


def _by(why: str) -> By:
    return By(who=f"shell: {getpass.getuser()}", why=why, operation=f"shell {new_order_id()}")


async def export(network: Path, house: str, email: str, why: str) -> None:
    """Prints all that a house holds of a customer, as JSON. Raises `BadInput`, `LedgerUnavailable`."""
    async with _files(network, house) as (ledger, signer):
        found = await customers.export(ledger, signer, email, _by(why))
    print(msgspec.json.format(msgspec.json.encode(found)).decode())


async def erase(network: Path, house: str, email: str, why: str) -> None:
    """Takes a customer out of a house's data. Raises `BadInput`, `LedgerUnavailable`."""
    async with _files(network, house) as (ledger, signer):
        erased = await customers.erase(ledger, signer, email, _by(why))
    good(f"{erased.orders} orders were anonymised, and {erased.unrecorded} that are not recorded")
    say(f"  {erased.not_here}")
