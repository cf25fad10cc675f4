"""What other houses of the network contribute to a draw: a secret each, committed to beforehand.

One honest house is enough to keep a draw fair: nobody knows the seed before all have revealed, and that is not before
the list of entrants is closed. A contribution is derived from the house's own key, so that nothing is kept.
"""

import asyncio
import contextlib
import hashlib
import os
from typing import Final

import aiohttp
import msgspec

from engine.catalogue import PUBLIC_LINE, Contributor, OnSale
from engine.cell import Cell, broken
from engine.draw import encode
from engine.drawing import MISSING
from engine.errors import BadInput, CellUnavailable, Refused
from engine.instants import now_ms, to_rfc3339
from engine.ledger.attention import alarm_once
from engine.ledger.ledger import Ledger
from engine.network import House
from engine.signing import Signer
from engine.waiting_room import serve, status
from engine.words import HouseSlug, LineName, OnSaleId

MOST_CONTRIBUTORS: Final = 8
ADDRESS_VARIABLE: Final = "PARVIS_ADDRESS"
"""Where this installation answers: the address of a house of which the network file does not say another."""
ASKED_SECONDS: Final = 5.0
LONGEST_ASK_SECONDS: Final = 0.5
"""Who does not answer is asked again while there is time."""
LOOK_SECONDS: Final = 0.2
ANSWER_BYTES: Final = 1_024


def contribution(signer: Signer, house: HouseSlug, on_sale: OnSaleId, line: LineName, planned_ms: int) -> str:
    """What a house (the signer's) contributes to another's draw: base64url of 32 bytes."""
    return signer.derive("draw-contribution", f"{house}/{on_sale}/{line} {planned_ms}")


def commitment_of(
    contributor: str, house: HouseSlug, on_sale: OnSaleId, line: LineName, planned_ms: int, secret: str
) -> str:
    """What is published beforehand of a contribution."""
    lines = ("parvis-contribution", contributor, f"{house}/{on_sale}/{line}", to_rfc3339(planned_ms), secret)
    return encode(hashlib.sha256("\n".join(lines).encode()).digest())


def own_address(host: str, port: int) -> str:
    """Where an installation that listens so reaches itself."""
    here = "127.0.0.1" if host in {"0.0.0.0", "::", ""} else f"[{host}]" if ":" in host else host
    return f"http://{here}:{port}"


class Told(msgspec.Struct, frozen=True):
    """What a house says of its contribution; `secret` is empty before the planned start."""

    commitment: str
    secret: str = ""


def told(signer: Signer, house: HouseSlug, on_sale: OnSaleId, line: LineName, planned_ms: int) -> Told:
    """What the signer's house says now of its contribution to another's draw."""
    of = house, on_sale, line, planned_ms
    secret = contribution(signer, *of)
    return Told(commitment_of(signer.house, *of, secret), secret if now_ms() >= planned_ms else "")


async def ask(house: House, contributor: str, on_sale: OnSale, seconds: float) -> Told:
    """What another house says of its contribution to the draw of a house's on-sale.

    Raises `BadInput` for a house of which the network does not say where it answers, `CellUnavailable` where it says
    nothing of use in time.
    """
    near = {each.slug: each for each in house.neighbours}.get(HouseSlug(contributor))
    if near is None:
        raise BadInput(f"{contributor!r} is no other house of this network")
    base = near.address or os.environ.get(ADDRESS_VARIABLE, "")
    if not base:
        raise BadInput(f"the network file does not say the address of {contributor}")
    path = f"/v1/houses/{contributor}/draw-contributions/{house.slug}/{on_sale.on_sale}/{PUBLIC_LINE}"
    try:
        timeout = aiohttp.ClientTimeout(total=seconds)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(f"{base}{path}/{on_sale.opens_at_ms}", allow_redirects=False) as answer,
        ):
            body = await answer.content.read(ANSWER_BYTES)
            if answer.status != 200:
                raise CellUnavailable(f"{contributor} answers {answer.status} when asked for its contribution")
        return msgspec.json.decode(body, type=Told)
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError, msgspec.MsgspecError) as error:
        why = str(error) or type(error).__name__
        raise CellUnavailable(f"{contributor} does not say what it contributes: {why}") from error


async def committed(house: House, on_sale: OnSale) -> OnSale:
    """The on-sale with what each contributor commits itself to. Raises `BadInput`, `CellUnavailable`."""
    names = [each.house for each in on_sale.contributors]
    if len(names) > MOST_CONTRIBUTORS or len(set(names)) < len(names):
        raise BadInput(f"at most {MOST_CONTRIBUTORS} houses contribute to a draw, each once")
    found = await asyncio.gather(*(ask(house, name, on_sale, ASKED_SECONDS) for name in names))
    made = tuple(Contributor(name, each.commitment) for name, each in zip(names, found, strict=True))
    return msgspec.structs.replace(on_sale, contributors=made)


class Contributions:
    """Collects for one cell what other houses reveal, from the start of a sale until its draw is due; no later."""

    def __init__(self, cell: Cell, ledger: Ledger) -> None:
        self._cell = cell
        self._ledger = ledger
        self._settled: set[OnSaleId] = set()
        self._revealed: set[tuple[OnSaleId, str]] = set()

    async def look(self) -> None:
        """Asks those who have not revealed yet, and raises an alarm where a draw was made without one of them.

        Raises `CellUnavailable`'s kind, `LedgerUnavailable`.
        """
        for on_sale in list(self._cell.catalogue.on_sales.values()):
            if on_sale.contributors and on_sale.on_sale not in self._settled:
                with contextlib.suppress(Refused):  # put up a moment from now
                    await self._look_at(on_sale)

    async def _look_at(self, on_sale: OnSale) -> None:
        cell, name = self._cell, on_sale.on_sale
        await serve(cell, name)
        now = await status(cell, name)
        if now.draw.is_made:
            withheld = [
                each.house
                for each, secret in zip(on_sale.contributors, now.draw.contributions.split(" "), strict=True)
                if secret == MISSING
            ]
            if withheld:
                await alarm_once(self._ledger, "draw-withheld", {"on_sale": name, "houses": ", ".join(withheld)})
            self._settled.add(name)
        elif now.draw.is_closed and now.now_ms < now.draw.due_at_ms:
            left_s = (now.draw.due_at_ms - now.now_ms) / 1000
            missing = [each for each in on_sale.contributors if (name, each.house) not in self._revealed]
            await asyncio.gather(*(self._ask(on_sale, each, min(LONGEST_ASK_SECONDS, left_s)) for each in missing))

    async def _ask(self, on_sale: OnSale, contributor: Contributor, seconds: float) -> None:
        cell, name, line = self._cell, on_sale.on_sale, LineName(PUBLIC_LINE)
        try:
            secret = (await ask(cell.house, contributor.house, on_sale, seconds)).secret
        except (BadInput, CellUnavailable):
            return
        of = cell.house.slug, name, line, on_sale.opens_at_ms
        if not secret or commitment_of(contributor.house, *of, secret) != contributor.commitment:
            return
        reply = await cell.call(
            "waiting_room/reveal", (cell.keys.cell, cell.keys.sale(name)), (line, contributor.house, secret)
        )
        match reply[0]:
            case b"revealed":
                self._revealed.add((name, contributor.house))
            case b"untimely" | b"unknown_on_sale":
                return
            case _:
                raise broken("waiting_room/reveal", reply)
