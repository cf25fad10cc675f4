"""An on-sale while it runs: put it up, open, pause, drain, stop, resume, close it, set pace, message and guard.

Beside `lua/on_sale/`.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from engine import lines
from engine.catalogue import FAILS, PUBLIC_LINE, OnSale, RateStep
from engine.cell import Cell, broken, digest, pack
from engine.drawing import starts_as
from engine.entries import Action, encode_action
from engine.errors import BadInput, Refused
from engine.instants import to_rfc3339
from engine.ledger.standings import as_text
from engine.schedule import check_future, check_steps, plan_of
from engine.words import OnSaleId

VERBS: Final = ("open", "pause", "resume", "drain", "stop", "rate", "schedule", "message", "guard", "close")
FASTEST_PER_MINUTE: Final = 100_000
LARGEST_CAP: Final = 1_000_000
LONGEST_MESSAGE: Final = 500


def fields(on_sale: OnSale) -> list[str | int]:
    """The on-sale's hash in Redis as it starts, as field, value, …."""
    values: dict[str, str | int] = {
        "phase": "scheduled",
        "prequeue_at_ms": on_sale.prequeue_at_ms,
        "opens_at_ms": on_sale.opens_at_ms,
        "rate": on_sale.rate_per_minute,
        "rates": plan_of(on_sale.rates),
        "cap": on_sale.cap,
        "burst_ms": on_sale.burst_percent * 600,
        "turn_ms": on_sale.turn_seconds * 1000,
        "pass_ms": on_sale.longest_slot_ms,
        "joined": 0,
        "now_serving": 0,
        "entrants": 0,
        "mark": 0,
        "mark_at_ms": 0,
        "gone": 0,
        "served_at_ms": on_sale.opens_at_ms,
        "watched_at_ms": on_sale.opens_at_ms,
        "seed": on_sale.seed,
        "commitment": on_sale.commitment,
        "net_per_minute": on_sale.safety_net_per_minute,
        "fails": on_sale.fails,
        **starts_as(on_sale),
    }
    return [part for pair in (values | lines.fields(on_sale)).items() for part in pair]


def check_pace(rate_per_minute: int, cap: int) -> None:
    """Raises `BadInput` for a pace that no house can mean."""
    if not 0 <= rate_per_minute <= FASTEST_PER_MINUTE:
        raise BadInput(f"rate_per_minute lies between 0 and {FASTEST_PER_MINUTE}")
    if not 0 <= cap <= LARGEST_CAP:
        raise BadInput(f"cap lies between 0 and {LARGEST_CAP}")


def check_guard(safety_net_per_minute: int, fails: str) -> None:
    """Raises `BadInput` for what no guard can be told."""
    if not 0 <= safety_net_per_minute <= FASTEST_PER_MINUTE:
        raise BadInput(f"safety_net_per_minute lies between 0 and {FASTEST_PER_MINUTE}")
    if fails not in FAILS:
        raise BadInput(f"fails is one of {', '.join(FAILS)}")


def _check_opening(on_sale: OnSale) -> None:
    """Raises `Refused` where others have promised a contribution for another instant."""
    if on_sale.contributors:
        at, names = to_rfc3339(on_sale.opens_at_ms), [each.house for each in on_sale.contributors]
        raise Refused(
            "draw-has-contributors",
            f"other houses contribute to this draw, and reveal that at its planned start: it opens by itself at {at}",
            opens_at=at,
            contributors=names,
        )


async def _change(cell: Cell, action: Action, verb: str, value: str | int, key: str) -> str:
    keys, on_sale = cell.keys, OnSaleId(action.subject)
    reply = await cell.call(
        "on_sale/change",
        (
            keys.cell,
            keys.operation(digest("change", on_sale, action.who, verb, key)),
            keys.sale(on_sale),
            keys.live(on_sale),
            keys.outbox,
            keys.stays(on_sale),
        ),
        (digest(verb, str(value)), verb, value, encode_action(action)),
    )
    match reply[0]:
        case b"changed":
            return str(reply[1].decode())
        case b"wrong_phase":
            phase = reply[1].decode()
            raise Refused("wrong-phase", f"{verb!r} is not possible while the sale is {phase!r}", phase=phase)
        case b"unknown_on_sale":
            raise Refused("unknown-on-sale", "there is no such on-sale here")
    raise broken("on_sale/change", reply)


async def _change_each(cell: Cell, action: Action, values: Mapping[str, str | int | None], key: str) -> str:
    phase = ""
    for name, value in values.items():
        if value is not None:
            phase = await _change(cell, action, name, value, key)
    return phase


async def change(
    cell: Cell,
    action: Action,
    key: str,
    *,
    rate_per_minute: int | None = None,
    cap: int | None = None,
    message: str | None = None,
    safety_net_per_minute: int | None = None,
    fails: str | None = None,
    rates: Sequence[RateStep] | None = None,
) -> str:
    """Does what `action.what` says to the on-sale `action.subject`. Answers its phase. Raises `BadInput`, `Refused`.

    `rate` takes `rate_per_minute`, `cap` or both; `message` takes `message` (empty takes it away);
    `guard` takes `safety_net_per_minute` (0: the room always shows), `fails` or both;
    `schedule` takes `rates`, all that is planned from now on (none: the rate stays as it is).
    """
    verb = action.what
    if verb == "rate":
        if rate_per_minute is None and cap is None:
            raise BadInput("rate needs rate_per_minute, cap, or both")
        check_pace(rate_per_minute or 0, cap or 0)
        return await _change_each(cell, action, {"rate": rate_per_minute, "cap": cap}, key)
    if verb == "guard":
        if safety_net_per_minute is None and fails is None:
            raise BadInput("guard needs safety_net_per_minute, fails, or both")
        check_guard(safety_net_per_minute or 0, fails or FAILS[0])
        if safety_net_per_minute and cell.on_sale(action.subject).fair_window_seconds:
            raise BadInput("this on-sale draws by windows of time, which make everybody wait: it has no safety net")
        return await _change_each(cell, action, {"net_per_minute": safety_net_per_minute, "fails": fails}, key)
    if verb == "schedule":
        if rates is None:
            raise BadInput("schedule needs rates")
        check_steps(rates, FASTEST_PER_MINUTE)
        check_future(rates)
        return await _change(cell, action, verb, plan_of(rates), key)
    if verb == "message":
        if message is None or len(message) > LONGEST_MESSAGE or not message.isprintable():
            raise BadInput(f"message needs a message of at most {LONGEST_MESSAGE} plain characters")
        return await _change(cell, action, verb, message, key)
    if verb == "open":
        _check_opening(cell.on_sale(action.subject))
    if verb not in (*VERBS, "sell_out"):
        raise Refused("unknown-action", f"an on-sale can be told to {', '.join(VERBS)}", actions=list(VERBS))
    return await _change(cell, action, verb, "", key)


async def put_up(
    cell: Cell, on_sale: OnSale, stood: Mapping[str, str | int | bytes] | None, *, is_anew: bool = False
) -> None:
    """Creates the on-sale in Redis, where it is not there already: as it starts, or as it `stood` before a loss.

    `is_anew`: what is there is from the past, and gives way.
    """
    keys = cell.keys
    flat = [*fields(on_sale), *(part for pair in (stood or {}).items() for part in pair)]
    reply = await cell.call("on_sale/create", (keys.cell, keys.sale(on_sale.on_sale)), (pack(flat), int(is_anew)))
    match reply[0]:
        case b"created" | b"exists":
            return
    raise broken("on_sale/create", reply)


async def restore(cell: Cell, on_sale: OnSaleId, joined: int, line: str = PUBLIC_LINE) -> None:
    """Lets a line go on behind the `joined` that the ledger knows. Raises `Refused` (`unknown-on-sale`)."""
    reply = await cell.call("on_sale/restore", (cell.keys.cell, cell.keys.sale(on_sale)), (line, joined))
    match reply[0]:
        case b"restored":
            return
        case b"unknown_on_sale":
            raise Refused("unknown-on-sale", "there is no such on-sale here")
    raise broken("on_sale/restore", reply)


async def standing(cell: Cell, on_sale: OnSaleId) -> dict[str, str]:
    """Every field of the on-sale in an open cell, as the ledger keeps them.

    Raises `Refused` (`unknown-on-sale`), `GateClosed`.
    """
    reply = await cell.call("on_sale/standing", (cell.keys.cell, cell.keys.sale(on_sale)))
    match reply[0]:
        case b"standing":
            flat = [as_text(part) for part in reply[1]]
            return dict(zip(flat[::2], flat[1::2], strict=True))
        case b"unknown_on_sale":
            raise Refused("unknown-on-sale", "there is no such on-sale here")
    raise broken("on_sale/standing", reply)
