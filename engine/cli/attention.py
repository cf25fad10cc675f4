"""What a person has to look at, from a shell: alarms, money that goes back, and what recoveries found."""

import getpass
from pathlib import Path

import msgspec

from engine.cli.sales import at_ledger
from engine.cli.speech import good, say
from engine.errors import BadInput
from engine.ledger import attention
from engine.ledger.recoveries import Recovery
from engine.ledger.recoveries import recoveries as read_recoveries
from engine.losses import Loss

LISTED = 200


def _who() -> str:
    return f"shell: {getpass.getuser()}"


def in_words(recovery: Recovery) -> str:
    """What a recovery found, and how long it took where that was measured."""
    found, seconds = str(msgspec.convert(recovery.detail, Loss)), recovery.detail.get("seconds")
    return found if seconds is None else f"{found}; it took {seconds:g} s"


async def list_alarms(network: Path, slug: str, *, with_seen: bool, is_json: bool) -> None:
    """Prints a house's alarms. Raises `BadInput`, `LedgerUnavailable`."""
    async with at_ledger(network, slug) as (_, ledger):
        found = await attention.alarms(ledger, LISTED, with_seen=with_seen)
    if is_json:
        print(msgspec.json.encode(found).decode())
        return
    if not found:
        good("there is nothing that nobody has seen to")
        return
    for each in found:
        seen = f"; seen to by {each.seen_by}" if each.seen_by else ""
        say(f"{each.at}  alarm {each.id}, {each.kind}: {each.words}{seen}")
        say(f"      {msgspec.json.encode(each.detail).decode()}")


async def see_alarm(network: Path, slug: str, alarm: int, why: str) -> None:
    """Notes that an alarm was seen to. Raises `BadInput` for one that is not there or was seen before."""
    async with at_ledger(network, slug) as (_, ledger):
        is_new = await attention.see(ledger, alarm, _who(), why)
    if not is_new:
        raise BadInput(f"{slug} has no alarm {alarm} that nobody has seen to")
    good(f"alarm {alarm} is seen to")


async def list_refunds(network: Path, slug: str, *, with_done: bool, is_json: bool) -> None:
    """Prints the money that a house has to give back. Raises `BadInput`, `LedgerUnavailable`."""
    async with at_ledger(network, slug) as (_, ledger):
        found = await attention.refunds(ledger, LISTED, with_done=with_done)
    if is_json:
        print(msgspec.json.encode(found).decode())
        return
    if not found:
        good("no money has to go back")
        return
    for each in found:
        amount = f"{each.amount / 100:.2f} {each.currency}" if each.amount is not None else "what was paid"
        until = f"went back at {each.refunded_at}" if each.refunded_at else "is due"
        say(f"{each.requested_at}  {each.provider} {each.reference}: {amount} {until}; {each.why}")
        say(f"      order {each.order}, refund {each.refund}" if each.order else "      no order")


async def mark_paid(network: Path, slug: str, refund: int, why: str) -> None:
    """Notes that one refund's money went back. Raises `BadInput` where it was not due, `Refused`."""
    async with at_ledger(network, slug) as (_, ledger):
        is_new = await attention.mark_paid(ledger, refund, _who(), why)
    if not is_new:
        raise BadInput(f"refund {refund} of {slug} was paid before")
    good(f"the money of refund {refund} went back")


async def mark_refunded(network: Path, slug: str, provider: str, reference: str, why: str) -> None:
    """Notes that all of a payment's money went back. Raises `BadInput` where none was due."""
    async with at_ledger(network, slug) as (_, ledger):
        is_new = await attention.mark_refunded(ledger, provider, reference, _who(), why)
    if not is_new:
        raise BadInput(f"{slug} owes nothing for the payment {reference!r} of {provider!r}")
    good(f"the money of {reference} went back")


async def list_recoveries(network: Path, slug: str, *, is_json: bool) -> None:
    """Prints what each recovery of a house's cell found. Raises `BadInput`, `LedgerUnavailable`."""
    async with at_ledger(network, slug) as (_, ledger):
        found = await read_recoveries(ledger, LISTED)
    if is_json:
        print(msgspec.json.encode(found).decode())
        return
    for each in reversed(found):
        say(f"{each.at}  epoch {each.epoch}: {in_words(each)}")
