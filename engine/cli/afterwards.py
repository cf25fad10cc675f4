"""An on-sale when it is over, from a shell: by the ledger alone, for its Redis may be away by then."""

import sys
from pathlib import Path

import msgspec

from engine.afterwards import curve_csv, summary
from engine.catalogue import OnSale
from engine.cli.sales import at_ledger
from engine.errors import BadInput
from engine.ledger.ledger import Ledger


async def _on_sale(ledger: Ledger, name: str) -> OnSale:
    """Raises `BadInput` for an unknown one."""
    for each in await ledger.documents():
        if (each.kind, each.id) == ("on_sale", name):
            return msgspec.json.decode(each.body, type=OnSale)
    raise BadInput(f"there is no on-sale {name!r} here")


async def print_curve(network: Path, house: str, on_sale: str) -> None:
    """Prints what each minute brought. Raises `BadInput`, `LedgerUnavailable`."""
    async with at_ledger(network, house) as (_, ledger):
        sys.stdout.write(await curve_csv(ledger, (await _on_sale(ledger, on_sale)).on_sale))


async def print_summary(network: Path, house: str, on_sale: str) -> None:
    """Prints the summary. Raises `BadInput`, `Refused`, `LedgerUnavailable`."""
    async with at_ledger(network, house) as (kept, ledger):
        found = await summary(ledger, kept.slug, await _on_sale(ledger, on_sale))
    print(msgspec.json.format(msgspec.json.encode(found)).decode())
