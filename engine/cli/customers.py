"""A customer's data from a shell: all of it as JSON, or taken out. The API does the same."""

import getpass
from pathlib import Path

import msgspec

from engine.cli.sales import at_ledger
from engine.cli.speech import good, say
from engine.ledger import customers
from engine.ledger.customers import By
from engine.orders import new_order_id
from engine.signing import Signer


def _by(why: str) -> By:
    return By(who=f"shell: {getpass.getuser()}", why=why, operation=f"shell {new_order_id()}")


async def export(network: Path, house: str, email: str, why: str) -> None:
    """Prints all that a house holds of a customer, as JSON. Raises `BadInput`, `LedgerUnavailable`."""
    async with at_ledger(network, house) as (files, ledger):
        found = await customers.export(ledger, Signer(files.slug, files.secrets_path), email, _by(why))
    print(msgspec.json.format(msgspec.json.encode(found)).decode())


async def erase(network: Path, house: str, email: str, why: str) -> None:
    """Takes a customer out of a house's data. Raises `BadInput`, `LedgerUnavailable`."""
    async with at_ledger(network, house) as (files, ledger):
        erased = await customers.erase(ledger, Signer(files.slug, files.secrets_path), email, _by(why))
    good(f"{erased.orders} orders were anonymised, and {erased.unrecorded} that are not recorded")
    say(f"  {erased.not_here}")
