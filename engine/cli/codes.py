"""A house's codes from a shell: made in batches, listed with their uses, ended by the batch. The API does the same."""

from typing import Final

import msgspec
import uvloop
from cyclopts import App

from engine import codes
from engine.cli.options import House, Network, Why
from engine.cli.sales import at_house, change_of
from engine.cli.speech import good, say, so_many
from engine.codes import NewBatch
from engine.words import PerformanceId

app: Final = App(name="code", help="Codes that unlock a price, or say who somebody is.")


@app.command(name="create")
def create(
    batch: str,
    *,
    network: Network,
    house: House,
    title: str,
    reason: Why,
    code: tuple[str, ...] = (),
    count: int = 0,
    uses: int = 1,
    price_type: str = "",
    performance: tuple[str, ...] = (),
    on_sale: str = "",
    line: str = "",
) -> None:
    """Make a batch of codes and print them, a line each, this once.

    Parameters
    ----------
    batch
        The batch's name: a-z, 0-9 and hyphens.
    network
        The network file.
    house
        The house's slug.
    title
        What it is, in the house's words.
    reason
        Why, for the log of what staff did.
    code
        A code by name; may be given several times.
    count
        How many are made up instead.
    uses
        How many seats one code is good for.
    price_type
        The price that it unlocks; left out, it only says who somebody is.
    performance
        Where it counts; may be given several times. Left out, everywhere in the house.
    on_sale
        With `--line`: the on-sale whose line it opens; each code gives one place in it, and no price.
    line
        That line.
    """

    async def run() -> None:
        new = NewBatch(
            batch=batch,
            title=title,
            codes=code,
            count=count,
            uses=uses,
            price_type=price_type,
            performances=tuple(map(PerformanceId, performance)),
            on_sale=on_sale,
            line=line,
        )
        async with at_house(network, house) as (cell, ledger):
            _, texts = await codes.add_codes(cell, ledger, new, change_of(reason))
        print("\n".join(texts))

    uvloop.run(run())


@app.command(name="list")
def list_codes(*, network: Network, house: House, json: bool = False) -> None:
    """Say which batches there are, and how often they are used."""

    async def run() -> None:
        async with at_house(network, house) as (cell, _):
            found = [(each, await codes.uses(cell, each)) for each in cell.catalogue.code_batches.values()]
        if json:
            print(msgspec.json.encode([{"batch": batch, "used": used} for batch, used in found]).decode())
            return
        if not found:
            good("there is no batch of codes")
        for batch, used in found:
            state = ", ended" if batch.is_disabled else ""
            say(f"{batch.batch}  {batch.title}  {batch.price_type or 'no price'}{state}")
            say(f"      {so_many(len(batch.codes), 'code')} of {batch.uses}, used for {used}")

    uvloop.run(run())


@app.command(name="disable")
def disable(batch: str, *, network: Network, house: House, reason: Why) -> None:
    """End a batch: its codes unlock nothing more. What is held or was sold by them stays."""

    async def run() -> None:
        async with at_house(network, house) as (cell, ledger):
            await codes.disable_codes(cell, ledger, batch, change_of(reason))
        good(f"batch {batch} is ended")

    uvloop.run(run())
