"""What two houses sign before one reveals its contribution to the other's draw: how that draw is fixed.

The house whose draw it is closes its list first and signs what came of it; whoever contributes signs the same in
return, with the secret, and of one draw never another statement. So nobody who knows what others contribute can choose.
"""

import asyncio
import os
import time
from typing import Any, Final

import aiohttp
import msgspec

from engine.bodies import read_up_to
from engine.errors import BadInput, CellUnavailable, ForgedToken
from engine.instants import to_rfc3339
from engine.network import House
from engine.pass_keys import STATEMENT
from engine.signed import verify
from engine.words import HouseSlug, LineName, OnSaleId

ADDRESS_VARIABLE: Final = "PARVIS_ADDRESS"
"""Where this installation answers: the address of a house of which the network file does not say another."""
KEYS_BYTES: Final = 65_536
KEYS_SECONDS: Final = 2.0
AGAIN_SECONDS: Final = 5.0
"""So seldom at most are a house's keys fetched anew for a signature that no known one made."""
RETRY_SECONDS: Final = 0.2
"""After a failure."""


class Statement(msgspec.Struct, frozen=True):
    """How a line's draw is fixed. `planned_ms`: its start as it was published beforehand; `root`: over who is in it;
    `bound`: all of it (`engine.draw.bound`); both base64url.
    """

    house: HouseSlug
    on_sale: OnSaleId
    line: LineName
    planned_ms: int
    entrants: int
    root: str
    bound: str

    @property
    def told(self) -> str:
        """What may be told of one draw once only."""
        return f"{self.entrants} {self.root} {self.bound}"

    def text(self, contributor: str, commitment: str) -> bytes:
        """What both sign. `commitment`: to what the contributor contributes."""
        of = f"{self.house}/{self.on_sale}/{self.line}"
        lines = (STATEMENT, contributor, commitment, of, to_rfc3339(self.planned_ms), self.told)
        return "\n".join(lines).encode()


def api_of(house: House, other: str) -> str:
    """Where another house's API answers, with its path. Raises `BadInput` where the network does not say."""
    near = {each.slug: each for each in house.neighbours}.get(HouseSlug(other))
    if near is None:
        raise BadInput(f"{other!r} is no other house of this network")
    base = near.address or os.environ.get(ADDRESS_VARIABLE, "")
    if not base:
        raise BadInput(f"the network file does not say the address of {other}")
    return f"{base}/v1/houses/{other}"


class KeySet(msgspec.Struct, frozen=True):
    """A house's published keys (RFC 7517)."""

    keys: tuple[dict[str, Any], ...] = ()


class NeighbourKeys:
    """The published keys of the other houses, as one process of a house knows them."""

    def __init__(self) -> None:
        self._known: dict[str, KeySet] = {}
        self._not_before: dict[str, float] = {}
        self._fetching: dict[str, asyncio.Task[None]] = {}

    async def check(self, house: House, other: str, text: bytes, signature: str) -> None:
        """Raises `ForgedToken` unless the other house signed the text; `BadInput`, `CellUnavailable` (no keys)."""
        if other not in self._known:
            await self._fetch(house, other)
        try:
            self._verify(other, text, signature)
        except ForgedToken:
            if time.monotonic() < self._not_before.get(other, 0.0):
                raise
            await self._fetch(house, other)
            self._verify(other, text, signature)

    def _verify(self, other: str, text: bytes, signature: str) -> None:
        verify(text, signature, {"keys": list(self._known[other].keys)}, STATEMENT)

    async def _fetch(self, house: House, other: str) -> None:
        """By one for all who ask at once, and to its end, even if whoever asked for it has no more time."""
        task = self._fetching.get(other)
        if task is None:
            if time.monotonic() < self._not_before.get(other, 0.0):
                raise CellUnavailable(f"the keys of {other} could not be read a moment ago")
            task = self._fetching[other] = asyncio.create_task(self._get(api_of(house, other), other))
            task.add_done_callback(lambda _: self._fetching.pop(other, None))
        await asyncio.shield(task)

    async def _get(self, address: str, other: str) -> None:
        self._not_before[other] = time.monotonic() + RETRY_SECONDS
        try:
            timeout = aiohttp.ClientTimeout(total=KEYS_SECONDS)
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.get(f"{address}/.well-known/jwks.json", allow_redirects=False) as answer,
            ):
                body = await read_up_to(answer.content, KEYS_BYTES)
            self._known[other] = msgspec.json.decode(body, type=KeySet)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError, msgspec.MsgspecError) as error:
            raise CellUnavailable(f"the keys of {other} cannot be read: {error}") from error
        self._not_before[other] = time.monotonic() + AGAIN_SECONDS
