"""What other houses of the network contribute to a draw: a secret each, committed to beforehand.

One honest house is enough to keep a draw fair: nobody knows the seed before all have revealed, and none does that
before the list of entrants is closed, and the house has signed which list that is (`engine/statements.py`). A
contribution is derived from the house's own key, so that nothing secret is kept. `engine/collecting.py` collects them.
"""

import asyncio
import hashlib
from typing import Annotated, Any, Final

import aiohttp
import msgspec

from engine.bodies import read_up_to
from engine.catalogue import PUBLIC_LINE, Contributor, OnSale
from engine.cell import Cell
from engine.draw import encode
from engine.errors import BadInput, CellUnavailable, Refused
from engine.instants import now_ms, to_rfc3339
from engine.ledger.attention import alarm_once
from engine.ledger.ledger import Ledger
from engine.ledger.statements import first_statement
from engine.network import House
from engine.pass_keys import STATEMENT
from engine.signing import Signer
from engine.statements import NeighbourKeys, Statement, api_of
from engine.verifier import SIGNATURE
from engine.waiting_room import SECRET_HASH
from engine.words import HouseSlug, LineName, OnSaleId

MOST_CONTRIBUTORS: Final = 8
ASKED_SECONDS: Final = 5.0
ANSWER_BYTES: Final = 2_048
ANSWERED_MS: Final = 30 * 86_400_000
"""So long after the planned start somebody may still be told what was contributed: whoever holds up a start gets rid of
nobody, and it is well within `KEPT_DAYS`, in which what was signed is remembered.
"""


def contribution(signer: Signer, house: HouseSlug, on_sale: OnSaleId, line: LineName, planned_ms: int) -> str:
    """What a house (the signer's) contributes to another's draw: base64url of 32 bytes."""
    return signer.derive("draw-contribution", f"{house}/{on_sale}/{line} {planned_ms}")


def commitment_of(
    contributor: str, house: HouseSlug, on_sale: OnSaleId, line: LineName, planned_ms: int, secret: str
) -> str:
    """What is published beforehand of a contribution."""
    lines = ("parvis-contribution", contributor, f"{house}/{on_sale}/{line}", to_rfc3339(planned_ms), secret)
    return encode(hashlib.sha256("\n".join(lines).encode()).digest())


def committed_by(signer: Signer, house: HouseSlug, on_sale: OnSaleId, line: LineName, planned_ms: int) -> str:
    """To what the signer's house commits itself for another's draw."""
    of = house, on_sale, line, planned_ms
    return commitment_of(signer.house, *of, contribution(signer, *of))


def own_address(host: str, port: int) -> str:
    """Where an installation that listens so reaches itself."""
    here = "127.0.0.1" if host in {"0.0.0.0", "::", ""} else f"[{host}]" if ":" in host else host
    return f"http://{here}:{port}"


class Said(msgspec.Struct, frozen=True):
    """What the house whose draw it is says and signs of it."""

    entrants: int
    root: str
    bound: str
    signature: str


Hash = Annotated[str, msgspec.Meta(pattern=rf"^{SECRET_HASH.pattern}\Z")]
Signature = Annotated[str, msgspec.Meta(pattern=rf"^{SIGNATURE.pattern}\Z")]
"""As a transcript may hold them, and in one spelling: with a blank or a comma in what one house says, what another one
says could not be read."""


class Committed(msgspec.Struct, frozen=True):
    """To what a house commits itself."""

    commitment: Hash


class Revealed(msgspec.Struct, frozen=True):
    """What a house contributes, and its own signature under the list."""

    secret: Hash
    signature: Signature


async def reveal(cell: Cell, ledger: Ledger, keys: NeighbourKeys, told: Statement, signature: str) -> Revealed:
    """What this house contributes to another's draw, once that has signed its list: to one list a draw, for ever.

    Raises `Refused` (`draw-not-due`, `root-changed`), `ForgedToken`, `BadInput`, `CellUnavailable`,
    `LedgerUnavailable`.
    """
    if not told.planned_ms <= now_ms() < told.planned_ms + ANSWERED_MS:
        raise Refused("draw-not-due", "contributions are revealed from the planned start on, for 30 days")
    of = told.house, told.on_sale, told.line, told.planned_ms
    text = told.text(cell.house.slug, committed_by(cell.signer, *of))
    await keys.check(cell.house, told.house, text, signature)
    first = await first_statement(ledger, of, told.told, signature)
    if first != told.told:
        about = {
            "house": told.house,
            "on_sale": told.on_sale,
            "line": told.line,
            "opens_at": to_rfc3339(told.planned_ms),
        }
        await alarm_once(ledger, "root-changed", about, {"first": first, "then": told.told, "signature": signature})
        raise Refused("root-changed", "this house has signed another list of this draw before, and signs no second one")
    return Revealed(contribution(cell.signer, *of), cell.signer.sign_document(text, STATEMENT))


def _path(on_sale: OnSale, house: House, line: LineName) -> str:
    return f"/draw-contributions/{house.slug}/{on_sale.on_sale}/{line}/{on_sale.opens_at_of(line)}"


async def _ask(contributor: str, method: str, url: str, **how: Any) -> bytes:
    try:
        timeout = aiohttp.ClientTimeout(total=ASKED_SECONDS)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.request(method, url, allow_redirects=False, **how) as answer,
        ):
            body = await read_up_to(answer.content, ANSWER_BYTES)
            if answer.status == 409 and b"/root-changed" in body:
                raise Refused("root-changed", f"{contributor} has signed another list of this draw before")
            if answer.status != 200:
                raise CellUnavailable(f"{contributor} answers {answer.status} when asked for its contribution")
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        why = str(error) or type(error).__name__
        raise CellUnavailable(f"{contributor} does not say what it contributes: {why}") from error
    return body


async def ask_commitment(house: House, contributor: str, on_sale: OnSale, line: LineName) -> str:
    """To what another house commits itself for a draw of this one.

    Raises `BadInput` for a house of which the network does not say where it answers, `CellUnavailable` where it says
    nothing of use in time.
    """
    url = api_of(house, contributor) + _path(on_sale, house, line)
    try:
        return msgspec.json.decode(await _ask(contributor, "GET", url), type=Committed).commitment
    except msgspec.MsgspecError as error:
        raise CellUnavailable(f"{contributor} does not say what it contributes: {error}") from error


async def ask_reveal(cell: Cell, contributor: Contributor, on_sale: OnSale, told: Statement) -> Revealed:
    """What another house contributes, this house's list signed for it. Not checked yet.

    Raises like `ask_commitment`, and `Refused` (`root-changed`) where it has signed another list.
    """
    url = api_of(cell.house, contributor.house) + _path(on_sale, cell.house, told.line) + "/reveal"
    signature = cell.signer.sign_document(told.text(contributor.house, contributor.commitment), STATEMENT)
    how = {"json": msgspec.to_builtins(Said(told.entrants, told.root, told.bound, signature))}
    headers = {"Idempotency-Key": f"draw-{on_sale.on_sale}"}
    body = await _ask(contributor.house, "POST", url, headers=headers, **how)
    try:
        return msgspec.json.decode(body, type=Revealed)
    except msgspec.MsgspecError as error:
        raise CellUnavailable(f"{contributor.house} does not say what it contributes: {error}") from error


async def committed(house: House, on_sale: OnSale) -> OnSale:
    """The on-sale with what each contributor commits itself to, for each line. Raises `BadInput`, `CellUnavailable`."""
    names = [each.house for each in on_sale.contributors]
    if len(names) > MOST_CONTRIBUTORS or len(set(names)) < len(names):
        raise BadInput(f"at most {MOST_CONTRIBUTORS} houses contribute to a draw, each once")

    async def of(line: LineName) -> tuple[Contributor, ...]:
        found = await asyncio.gather(*(ask_commitment(house, name, on_sale, line) for name in names))
        return tuple(map(Contributor, names, found))

    public, *others = await asyncio.gather(of(LineName(PUBLIC_LINE)), *(of(each.line) for each in on_sale.lines))
    lines = tuple(
        msgspec.structs.replace(line, contributors=made) for line, made in zip(on_sale.lines, others, strict=True)
    )
    return msgspec.structs.replace(on_sale, contributors=public, lines=lines)
