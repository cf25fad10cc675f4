"""An on-sale's lines from a shell: declared when it is created, and the invitations to them. The API does the same."""

import csv
import sys
from typing import Final

import uvloop
from cyclopts import App

from engine.catalogue import Line
from engine.cli.options import House, Network
from engine.cli.sales import at_house
from engine.errors import BadInput
from engine.instants import from_rfc3339
from engine.line_codes import invitations, link_of
from engine.words import LineName

app: Final = App(name="invitation", help="Signed invitations to a queue of an on-sale.")
PARTS: Final = (5, 6)


def parse_line(text: str) -> Line:
    """A line as `--line` declares it. Raises `BadInput`."""
    parts = [part.strip() for part in text.split(",")]
    if len(parts) not in PARTS or not parts[3].isdecimal():
        raise BadInput(f"{text!r} is not name,title,code|invitation,share,opens[,closes]")
    name, title, by, share, opens_at, *closes_at = parts
    closes_at_ms = from_rfc3339(closes_at[0]) if closes_at else 0
    return Line(LineName(name), title, by, int(share), from_rfc3339(opens_at), closes_at_ms)


@app.command(name="make")
def make(
    on_sale: str,
    *,
    network: Network,
    house: House,
    line: str,
    count: int,
    first: int = 1,
    until: str = "",
    site: str = "",
) -> None:
    """Print invitations as CSV: number, code and link, a line each. Made again they are the same.

    Parameters
    ----------
    on_sale
        The on-sale.
    network
        The network file.
    house
        The house's slug.
    line
        The queue that they open.
    count
        How many.
    first
        The number of the first; whoever makes more later goes on behind the last.
    until
        When they end; left out, when the queue closes.
    site
        Where the house's pages are, such as https://tickets.example.
    """

    async def run() -> None:
        until_ms = from_rfc3339(until) if until else 0
        numbers = range(first, first + count)
        async with at_house(network, house) as (cell, _):
            made = invitations(cell, cell.on_sale(on_sale), line, numbers, until_ms)
        rows = csv.writer(sys.stdout, lineterminator="\n")
        rows.writerow(("number", "code", "link"))
        rows.writerows(
            (number, code, site.rstrip("/") + link_of(house, on_sale, line, code))
            for number, code in zip(numbers, made, strict=True)
        )

    uvloop.run(run())
