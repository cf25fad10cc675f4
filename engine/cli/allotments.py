"""What a house sets aside, from a shell: made, listed, ended. The API does the same."""

from typing import Final

import msgspec
import uvloop
from cyclopts import App

from engine.allotments import Standing, Wanted, give_back, set_aside, standings
from engine.cli.options import House, Network, Why
from engine.cli.sales import at_house, change_of
from engine.cli.speech import good, say, so_many
from engine.instants import from_rfc3339, to_rfc3339
from engine.words import AreaId, PerformanceId

app: Final = App(name="allotment", help="Seats and places that are set aside, or not for sale at all.")


@app.command(name="make")
def make(
    name: str,
    *,
    network: Network,
    house: House,
    performance: str,
    purpose: str,
    reason: Why,
    for_: str = "",
    seats: str = "",
    quantity: int = 0,
    category: str = "",
    area: dict[str, int] | None = None,
    release_at: str = "",
) -> None:
    """Set seats and standing places aside, all of them or nothing. The same again changes nothing.

    Parameters
    ----------
    name
        What it is called: a-z, 0-9 and hyphens.
    network
        The network file.
    house
        The house's slug.
    performance
        Of which performance.
    purpose
        block (not for sale), house (for its staff), partner, channel or code.
    reason
        Why, for the log of what staff did.
    for_
        The id of the partner's key, the channel (counter or api), or the batch of codes.
    seats
        Which seats, as you would write them: "A1-A4, B7", where it matters with the part of the hall: "Balcony B1-6".
    quantity
        How many of the best open seats instead.
    category
        Of which category these are; left out, of any.
    area
        How many places of a standing area, by its id: --area.floor 20.
    release_at
        From when on what is left is everybody's (RFC 3339); left out, until you end it.
    """

    async def run() -> None:
        wanted = Wanted(
            performance=PerformanceId(performance),
            name=name,
            purpose=purpose,
            for_=for_,
            seat_list=seats,
            quantity=quantity,
            category=category,
            areas={AreaId(each): count for each, count in (area or {}).items()},
            release_at_ms=from_rfc3339(release_at) if release_at else 0,
        )
        async with at_house(network, house) as (cell, ledger):
            made = await set_aside(cell, ledger, wanted, change_of(reason))
        good(f"{name} of {performance}: {_count(len(made.seats), sum(made.areas.values()))} set aside")

    uvloop.run(run())


@app.command(name="list")
def list_allotments(performance: str, *, network: Network, house: House, json: bool = False) -> None:
    """Say what is set aside of a performance: for whom, why, by whom, and what is left of it."""

    async def run() -> None:
        async with at_house(network, house) as (cell, ledger):
            found = await standings(cell, ledger, PerformanceId(performance))
        if json:
            print(msgspec.json.encode(found).decode())
            return
        if not found:
            good(f"nothing of {performance} is set aside")
        for each in found:
            _say(each)

    uvloop.run(run())


@app.command(name="end")
def end(performance: str, name: str, *, network: Network, house: House, reason: Why) -> None:
    """Give back what is left of it: it is everybody's from now on. What was sold of it stays sold."""

    async def run() -> None:
        async with at_house(network, house) as (cell, ledger):
            await give_back(cell, ledger, PerformanceId(performance), name, change_of(reason))
        good(f"{name} of {performance} is ended: what was left of it is everybody's")

    uvloop.run(run())


def _count(seats: int, places: int) -> str:
    words = [so_many(count, what) for count, what in ((seats, "seat"), (places, "place")) if count]
    return " and ".join(words) or "nothing"


def _say(found: Standing) -> None:
    made = found.allotment
    for_ = f" {made.for_}" if made.for_ else ""
    until = f", until {to_rfc3339(made.release_at_ms)}" if made.release_at_ms else ""
    left = _count(len(found.seats), sum(found.areas.values()))
    say(f"{made.name}  {made.purpose}{for_}: {left} left of {_count(len(made.seats), sum(made.areas.values()))}{until}")
    say(f"      {made.who}: {made.why}")
