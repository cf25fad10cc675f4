"""Queue-it's KnownUser, version 3: a token on the return link that the connector of a house's own site checks.

For a site that has that connector already: it goes on as it is, with our address in place of theirs. The secret key is
the house's file `known-user.key`: the one that the connector has, put there by the house, or one made on first use.
Format: the connector's own source, `QueueParameterHelper` and `UserInQueueService.validateToken`.
"""

import hmac
import re
import secrets
from functools import lru_cache
from pathlib import Path
from typing import Final

import msgspec

from engine.catalogue import OnSale
from engine.cell import Cell
from engine.errors import BadInput, Refused
from engine.instants import now_ms
from engine.key_files import read_or_create
from engine.waiting_room import newest

PARAMETER: Final = "queueittoken"
EVENT: Final = re.compile(r"[A-Za-z0-9-]{1,64}")
"""`_` and `~` separate what a token says."""
TOKEN_SECONDS: Final = 180
"""To get from one page to the next: it stands in an address, where logs keep it."""
FILE: Final = "known-user.key"


class KnownUser(msgspec.Struct, frozen=True):
    """The token for a return link, and the instant from which on no connector takes it."""

    token: str
    expires_at_ms: int


def check_event(event: str) -> None:
    """Raises `BadInput` for an event id that a token cannot carry; an empty one is none."""
    if event and not EVENT.fullmatch(event):
        raise BadInput("known_user_event is made of letters, digits and hyphens, at most 64")


@lru_cache
def secret_key(folder: Path) -> str:
    """The key that a house shares with its site's connector; made on first use. Raises `OSError`."""
    return read_or_create(folder / FILE, lambda: secrets.token_hex(36).encode()).decode().strip()


def spell(key: str, event: str, visitor: str, now_s: int, pass_ends_s: int, kind: str) -> KnownUser:
    """A token: for `event`, for this visitor, good for three minutes and never beyond the pass.

    The site's own session, which the connector makes of it, ends with the pass (`cv`, whole minutes) and is not
    extended (`ce`).
    """
    until_s = min(now_s + TOKEN_SECONDS, pass_ends_s)
    minutes = max(1, (pass_ends_s - now_s) // 60)
    said = f"e_{event}~q_{visitor}~ts_{until_s}~ce_false~cv_{minutes}~rt_{kind}"
    mac = hmac.new(key.encode(), said.encode(), "sha256").hexdigest()
    return KnownUser(f"{said}~h_{mac}", until_s * 1000)


async def known_user(cell: Cell, on_sale: OnSale, token: str) -> KnownUser:
    """The token for whoever has this pass, as long as it opens the shop.

    Raises `ForgedToken`, and `Refused` for another on-sale's, one that has ended, was stopped, or was taken over.
    """
    verified = cell.signer.read_pass(token)
    if verified.on_sale != on_sale.on_sale:
        raise Refused("not-your-place", "this pass is of another on-sale")
    if not on_sale.known_user_event:
        raise Refused("not-found", "this on-sale has no KnownUser event")
    open_until_ms = await newest(cell, verified.on_sale, f"{verified.index} {verified.generation}")
    ends_s = min(verified.ends_at_ms, open_until_ms) // 1000
    now_s = now_ms() // 1000
    if ends_s <= now_s:
        raise Refused("pass-ended", "this pass has ended; whose turn it is claims it again")
    kind = "safetynet" if on_sale.safety_net_per_minute else "queue"
    key = secret_key(cell.house.secrets_path)
    return spell(key, on_sale.known_user_event, verified.owner, now_s, ends_s, kind)
