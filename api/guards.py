"""Who may manage a house: its API keys, by scope. A route without a guard fails a test."""

from typing import Any

from litestar import Request

from engine.catalogue import ApiKey
from engine.cell import Cell
from engine.errors import Refused
from engine.house import Change, find_key

LONGEST_KEY = 200


def cell_of(request: Request[Any, Any, Any]) -> Cell:
    """The cell of the path's house. Raises `Refused` (`unknown-house`)."""
    cell: Cell | None = request.app.state.cells.get(request.path_params["house"])
    if cell is None:
        raise Refused("unknown-house", "there is no such house here")
    return cell


def staff(request: Request[Any, Any, Any], *scopes: str) -> tuple[Cell, ApiKey]:
    """The cell, and the key that may do one of the scopes there. Raises `Refused`; the scope `manage` may do all."""
    cell = cell_of(request)
    kind, _, secret = request.headers.get("authorization", "").partition(" ")
    key = find_key(cell, secret.strip()) if kind.lower() == "bearer" else None
    if key is None:
        raise Refused("key-required", "one of the house's keys is needed here")
    if not {"manage", *scopes} & set(key.scopes):
        raise Refused("scope-missing", "this key may not do that", scopes=list(scopes))
    return cell, key


def idempotency_key(request: Request[Any, Any, Any]) -> str:
    """The request's Idempotency-Key. Raises `Refused`."""
    key: str = request.headers.get("idempotency-key", "")
    if not 1 <= len(key) <= LONGEST_KEY or not key.isprintable():
        raise Refused("idempotency-key-missing", f"an Idempotency-Key has 1 to {LONGEST_KEY} printable characters")
    return key


def change_by(key: ApiKey, why: str) -> Change:
    """Who does it, as the action log keeps it: the key's name and id."""
    return Change(who=f"{key.name} ({key.key_id})", why=why)
