"""A batch of outbox entries, decoded and sorted by what becomes of them."""

from collections.abc import Sequence
from typing import Any, Final

import asyncpg
import msgspec

from engine.entries import (
    Action,
    Customer,
    Order,
    SeatChange,
    decode_action,
    decode_order,
    decode_seat_change,
    without_customer,
)
from engine.keys import performance_of
from engine.ledger.payments import Awaited, arrive_awaited
from engine.sealing import Opener, Unopenable

REFUSED_BY_POSTGRES: Final = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
)
"""What a poison entry raises, as opposed to a server that is away."""
Entry = tuple[str, dict[str, str | bytes]]
"""An outbox entry: its id, and its fields (`data` as bytes, everything else as text)."""


class Arrived(msgspec.Struct, frozen=True):
    """An order as it came. `state`: `recorded` or `conflicted`; `entry`: its outbox id."""

    entry: str
    order: Order
    customer: Customer | None
    state: str
    payload: bytes
    """The order without its customer."""
    paid_with: tuple[str, str]
    """Provider and reference of its payment; empty without one."""

    @property
    def seats(self) -> frozenset[tuple[str, str]]:
        """Performance and seat of each seated item."""
        return frozenset([(item.performance, item.seat) for item in self.order.items if item.seat])


def _arrive(entry: str, data: bytes, state: str, opener: Opener) -> Arrived:
    order = decode_order(data)
    payment = order.payment
    paid_with = (payment.provider, payment.reference) if payment else ("", "")
    return Arrived(entry, order, opener.open(order), state, without_customer(order), paid_with)


def _arrive_exchange(entry: str, data: bytes, opener: Opener) -> tuple[Action, Arrived]:
    """What came back, and the order that somebody got for it."""
    arrived = _arrive(entry, data, "recorded", opener)
    if arrived.order.exchange is None:
        raise ValueError("it does not say what was exchanged")
    return arrived.order.exchange, arrived


def _seat_change(data: bytes) -> SeatChange:
    change = decode_seat_change(data)
    performance_of(change.key)
    if len(change.seats) % 4 or len(change.areas) % 3:
        raise ValueError("its changes are not whole")
    return change


class Batch(msgspec.Struct):
    """Entries sorted by what becomes of them."""

    changes: list[Arrived | Action]
    """Orders, and returns of orders, in the order of the stream."""
    entrants: list[dict[str, Any]]
    actions: list[tuple[str, Action]]
    awaited: list[Awaited]
    poison: list[tuple[str, dict[str, Any], str]]
    history: list[tuple[str, SeatChange]] = []
    documents: list[tuple[str, str]] = []
    """Names (`<kind>:<id>`) and bodies, as they were published in the order of the stream."""
    persons: list[tuple[str, str, int]] = []
    """On-sale, person (a MAC) and index: who has which place, where each person has one."""
    restored: list[dict[str, Any]] = []
    """What was put back into a ledger from the past; see `engine/replay.py`."""


def sort(entries: Sequence[Entry], opener: Opener) -> Batch:
    """Decodes a batch and opens what is sealed; what cannot be becomes poison, for the dead letters."""
    batch = Batch([], [], [], [], [])
    for entry, fields in entries:
        kind = fields.get("kind")
        try:
            match kind:
                case "order" | "conflict":
                    data, state = bytes(fields["data"]), "recorded" if kind == "order" else "conflicted"  # type: ignore[arg-type]
                    batch.changes.append(_arrive(entry, data, state, opener))
                case "exchange":
                    action, arrived = _arrive_exchange(entry, bytes(fields["data"]), opener)  # type: ignore[arg-type]
                    batch.actions.append((entry, action))
                    batch.changes += [action, arrived]
                case "await":
                    batch.awaited.append(arrive_awaited(entry, bytes(fields["data"])))  # type: ignore[arg-type]
                case "join":
                    int(fields["index"])
                    batch.entrants.append({name: fields[name] for name in ("on_sale", "line", "index", "secret_hash")})
                case "person":
                    batch.persons.append((str(fields["on_sale"]), str(fields["person"]), int(fields["index"])))
                case "action" | "return":
                    action = decode_action(bytes(fields["data"]))  # type: ignore[arg-type]
                    batch.actions.append((entry, action))
                    batch.changes += [action] if kind == "return" else []
                case "document":
                    batch.actions.append((entry, decode_action(bytes(fields["data"]))))  # type: ignore[arg-type]
                    batch.documents.append((str(fields["name"]), str(fields["body"])))
                case "seats":
                    batch.history.append((entry, _seat_change(bytes(fields["data"]))))  # type: ignore[arg-type]
                case "restored":
                    batch.restored.append(msgspec.json.decode(bytes(fields["data"]), type=dict[str, Any]))  # type: ignore[arg-type]
                case _:
                    batch.poison.append((entry, dict(fields), f"unknown kind {kind!r}"))
        except (KeyError, TypeError, ValueError, msgspec.MsgspecError, Unopenable) as error:
            batch.poison.append((entry, dict(fields), f"{type(error).__name__}: {error}"))
    return batch
