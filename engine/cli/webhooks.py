"""A house's webhooks from a shell: where it is told of its sales, and what became of that. The API does the same."""

import getpass
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import msgspec
import uvloop
from cyclopts import App
from rich.table import Table

from engine.cli.options import House, Network, Why
from engine.cli.sales import at_ledger
from engine.cli.speech import console, good, say
from engine.destinations import Gate
from engine.endpoints import register
from engine.errors import BadInput
from engine.ledger import webhooks
from engine.ledger.customers import By
from engine.ledger.ledger import Ledger
from engine.ledger.webhooks import Endpoint
from engine.network import House as HouseOfFile
from engine.orders import new_order_id
from engine.signing import Signer
from engine.webhooks import TYPES, secret_of

app: Final = App(name="webhook", help="Where a house's own programs are told of its sales.")


class _Desk(msgspec.Struct, frozen=True):
    """Whose webhooks, where they are kept, who is at it and why."""

    house: HouseOfFile
    ledger: Ledger
    by: By


@asynccontextmanager
async def _desk(network: Path, slug: str, reason: str) -> AsyncIterator[_Desk]:
    """Raises `BadInput` without a reason, and for an unknown house."""
    if not reason.strip():
        raise BadInput("--reason says why")
    async with at_ledger(network, slug) as (house, ledger):
        yield _Desk(house, ledger, By(f"shell: {getpass.getuser()}", reason, f"shell-{new_order_id()}"))


def _tell_secret(house: HouseOfFile, endpoint: Endpoint) -> None:
    good(f"endpoint {endpoint.webhook}. Keep its secret now, it is not shown again:")
    print(secret_of(Signer(house.slug, house.secrets_path), endpoint.webhook, endpoint.secrets[0]))


@app.command(name="list")
def list_webhooks(*, network: Network, house: House, json: bool = False) -> None:
    """Say which endpoints there are, and how they are doing."""

    async def run() -> None:
        async with at_ledger(network, house) as (_, ledger):
            found = await webhooks.webhooks(ledger)
        if json:
            print(msgspec.json.encode(found).decode())
            return
        if not found:
            good("there is no endpoint")
        for each in found:
            state = f"disabled: {each.disabled_why}" if each.disabled_at else "told"
            state += f", fails since {each.failing_since}" if each.failing_since else ""
            say(f"{each.webhook}  {each.url}  {each.description}")
            say(f"      {state}; {', '.join(each.types)}")

    uvloop.run(run())


@app.command(name="create")
def create(
    url: str,
    *,
    network: Network,
    house: House,
    reason: Why,
    type: tuple[str, ...] = tuple(TYPES),  # noqa: A002 - as the API calls it
    description: str = "",
) -> None:
    """Register an endpoint and print its secret, this once.

    Parameters
    ----------
    url
        An https address on the public internet, or one that `webhooks_to` of the house names.
    network
        The network file.
    house
        The house's slug.
    reason
        Why, for the log of what staff did.
    type
        What it is told of; may be given several times. Left out, everything.
    description
        For whom it is, in the house's words.
    """

    async def run() -> None:
        async with _desk(network, house, reason) as at:
            gate, signer = Gate(at.house.webhooks_to), Signer(at.house.slug, at.house.secrets_path)
            made = await register(at.house, signer, at.ledger, gate, url, type, description, at.by)
            _tell_secret(at.house, made)

    uvloop.run(run())


@app.command(name="change")
def change(
    webhook: str,
    *,
    network: Network,
    house: House,
    reason: Why,
    url: str | None = None,
    type: tuple[str, ...] = (),  # noqa: A002
    description: str | None = None,
) -> None:
    """Change an endpoint's address, types or description; what is left out stays."""

    async def run() -> None:
        async with _desk(network, house, reason) as at:
            checked = await Gate(at.house.webhooks_to).check(url) if url is not None else None
            await webhooks.change(at.ledger, webhook, checked, type or None, description, at.by)
        good(f"endpoint {webhook} is changed")

    uvloop.run(run())


@app.command(name="disable")
def disable(webhook: str, *, network: Network, house: House, reason: Why) -> None:
    """Tell an endpoint nothing more, for now. What happens meanwhile is not told there later."""

    async def run() -> None:
        async with _desk(network, house, reason) as at:
            await webhooks.disable(at.ledger, webhook, at.by)
        good(f"endpoint {webhook} is disabled")

    uvloop.run(run())


@app.command(name="enable")
def enable(webhook: str, *, network: Network, house: House, reason: Why) -> None:
    """Tell an endpoint again, what still waits first."""

    async def run() -> None:
        async with _desk(network, house, reason) as at:
            await webhooks.enable(at.ledger, webhook, at.by)
        good(f"endpoint {webhook} is enabled")

    uvloop.run(run())


@app.command(name="remove")
def remove(webhook: str, *, network: Network, house: House, reason: Why) -> None:
    """Remove an endpoint, and what was still to be told there."""

    async def run() -> None:
        async with _desk(network, house, reason) as at:
            await webhooks.remove(at.ledger, webhook, at.by)
        good(f"endpoint {webhook} is removed")

    uvloop.run(run())


@app.command(name="rotate")
def rotate(webhook: str, *, network: Network, house: House, reason: Why, overlap_seconds: int = 86_400) -> None:
    """Give an endpoint another secret and print it, this once; the one before counts for a day more, or as you say."""

    async def run() -> None:
        async with _desk(network, house, reason) as at:
            _tell_secret(at.house, await webhooks.rotate(at.ledger, webhook, overlap_seconds, at.by))

    uvloop.run(run())


@app.command(name="test")
def send_test(webhook: str, *, network: Network, house: House, reason: Why) -> None:
    """Send an endpoint an event that says nothing. `parvis serve` sends it; `deliveries` says what became of it."""

    async def run() -> None:
        async with _desk(network, house, reason) as at:
            good(f"event {await webhooks.send_test(at.ledger, webhook, at.by)} is on its way")

    uvloop.run(run())


@app.command(name="deliveries")
def deliveries(
    webhook: str, *, network: Network, house: House, state: str = "", limit: int = 50, json: bool = False
) -> None:
    """Say what was told at an endpoint, and what became of it; with `--state`, waiting, delivered or given_up alone."""

    async def run() -> None:
        async with at_ledger(network, house) as (_, ledger):
            found = await webhooks.deliveries(ledger, webhook, limit, state)
        if json:
            print(msgspec.json.encode(found).decode())
            return
        table = Table()
        for column in ("event", "state", "made", "tries", "last answer"):
            table.add_column(column, overflow="fold")
        for each in found:
            answer = each.error or (str(each.status) if each.status else "")
            table.add_row(each.event, each.state, each.made_at, str(each.attempts), answer)
        console.print(table)

    uvloop.run(run())


@app.command(name="resend")
def resend(webhook: str, event: str, *, network: Network, house: House, reason: Why) -> None:
    """Tell an endpoint something again, under the id that it has."""

    async def run() -> None:
        async with _desk(network, house, reason) as at:
            await webhooks.resend(at.ledger, webhook, event, at.by)
        good(f"event {event} is on its way again")

    uvloop.run(run())
