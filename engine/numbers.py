"""Asks whoever knows a house's numbers, of members or of cards, whether one is good: signed, at once, within limits.

The question is a POST, signed as a webhook is (`engine/webhooks.py`): `{house, price_type, number, performances}`, the
last with how many seats of each are asked for. The answer is `{"valid": true}` or `{"valid": false}`; whatever else
comes, or comes late, is none, and the price is not given.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

import aiohttp
import msgspec
import structlog
from yarl import URL

from engine.bodies import read_up_to
from engine.destinations import Gate
from engine.errors import Refused
from engine.instants import now_ms
from engine.network import House
from engine.signing import Signer
from engine.webhooks import secret_of, sign
from engine.words import PerformanceId

ANSWER_SECONDS: Final = 2.0
ANSWER_BYTES: Final = 1024
AT_ONCE: Final = 32
"""Of a house in one process: who is slow to answer keeps nobody else waiting."""
QUESTIONS: Final = "numbers"
log = structlog.get_logger()


class _Answer(msgspec.Struct, frozen=True):
    valid: bool


def number_secret(signer: Signer) -> str:
    """What the questions are signed with, as Standard Webhooks writes it."""
    return secret_of(signer, QUESTIONS, 1)


class Numbers:
    """Asks for one house."""

    def __init__(self, house: House, signer: Signer) -> None:
        self._house = house
        self._signer = signer
        self._session: aiohttp.ClientSession | None = None
        self._under_way = 0

    async def check(self, url: str, price_type: str, number: str, performances: Mapping[PerformanceId, int]) -> None:
        """Raises `Refused`: `number-refused`, or `number-unchecked` where nobody says whether it is good."""
        if self._under_way >= AT_ONCE:
            raise _unchecked(price_type)
        self._under_way += 1
        try:
            is_good = await self._ask(url, price_type, number, performances)
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError, msgspec.MsgspecError) as error:
            log.warning("nobody says whether a number is good", house=self._house.slug, why=type(error).__name__)
            raise _unchecked(price_type) from error
        finally:
            self._under_way -= 1
        if not is_good:
            raise Refused("number-refused", "this number is not good for this price", price_type=price_type)

    async def _ask(self, url: str, price_type: str, number: str, performances: Mapping[PerformanceId, int]) -> bool:
        if self._session is None:
            self._session = Gate(self._house.webhooks_to).session(ANSWER_SECONDS)
        question = {"house": self._house.slug, "price_type": price_type, "number": number}
        body = msgspec.json.encode(question | {"performances": performances}).decode()
        at_ms = now_ms()
        event = f"number-{self._signer.derive('number-question', f'{at_ms}|{body}')[:22]}"
        headers = sign([number_secret(self._signer)], event, body, at_ms)
        async with asyncio.timeout(ANSWER_SECONDS):
            post = self._session.post(URL(url), data=body.encode(), headers=headers, allow_redirects=False)
            async with post as response:
                said = await read_up_to(response.content, ANSWER_BYTES)
                if response.status != 200:
                    raise ValueError(f"it answered {response.status}")
        return msgspec.json.decode(said, type=_Answer).valid

    async def close(self) -> None:
        """Ends its connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()


def _unchecked(price_type: str) -> Refused:
    return Refused(
        "number-unchecked",
        "nobody can say just now whether this number is good",
        price_type=price_type,
        retry_after_s=5,
    )
