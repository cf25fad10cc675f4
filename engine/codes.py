"""Codes that unlock a price, or say who somebody is: made in batches, counted where seats are held, ended by the batch.

What a visitor types is kept nowhere: its id is derived with the house's key (`engine.conditions.code_id`). A code that
the house lets us make up is derived too, from its batch: whoever makes the same batch again gets the same codes.
"""

import base64
from collections.abc import Mapping
from typing import Final

import msgspec

from engine.catalogue import CodeBatch
from engine.cell import Cell, broken, pack
from engine.conditions import code_id
from engine.draw import decode
from engine.errors import BadInput, Refused
from engine.house import Change, check_id, check_title, create, publish, published_form
from engine.instants import now_ms
from engine.ledger.documents import amend_document
from engine.ledger.ledger import Ledger
from engine.of_line import of_line
from engine.signing import Signer
from engine.words import OnSaleId, PerformanceId

KIND: Final = "code"
MADE_UP_LETTERS: Final = 10
"""Of an alphabet of 32: nobody finds one by trying."""
LARGEST_BATCH: Final = 10_000
LONGEST_CODE: Final = 40
RECOUNTED_A_CALL: Final = 5_000
MOST_USES: Final = 1_000_000


class NewBatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Codes to be made: `codes` by name, or `count` that are made up. Otherwise as `CodeBatch`."""

    batch: str
    title: str
    codes: tuple[str, ...] = ()
    count: int = 0
    uses: int = 1
    price_type: str = ""
    performances: tuple[PerformanceId, ...] = ()
    on_sale: str = ""
    line: str = ""


def _made_up(signer: Signer, batch: str, number: int) -> str:
    letters = base64.b32encode(decode(signer.derive("code", f"{batch}|{number}"))).decode()[:MADE_UP_LETTERS]
    return f"{letters[:5]}-{letters[5:]}"


def _check(cell: Cell, new: NewBatch) -> None:
    check_id("batch", new.batch)
    check_title("title", new.title)
    if bool(new.codes) == bool(new.count):
        raise BadInput("either codes, or a count of them to be made up")
    if not 0 <= new.count <= LARGEST_BATCH or len(new.codes) > LARGEST_BATCH:
        raise BadInput(f"a batch has between 1 and {LARGEST_BATCH} codes")
    if not all(len(text.strip()) >= 3 and len(text) <= LONGEST_CODE and text.isprintable() for text in new.codes):
        raise BadInput(f"a code has between 3 and {LONGEST_CODE} plain characters")
    if not 1 <= new.uses <= MOST_USES:
        raise BadInput(f"uses lies between 1 and {MOST_USES}")
    if new.line or new.on_sale:
        line = cell.on_sale(new.on_sale).line(new.line)
        if line is None or line.by != KIND:
            raise BadInput(f"{new.on_sale} has no line {new.line!r} that is joined by code")
        if new.uses != 1 or new.price_type or new.performances:
            raise BadInput("a code for a line gives one place, and no price")
    known = [cell.performance(name) for name in new.performances] or list(cell.catalogue.performances.values())
    if new.price_type and not any(each.type_of(new.price_type).needs == KIND for each in known):
        raise BadInput(f"no performance has a price {new.price_type!r} that needs a code")


async def add_codes(cell: Cell, ledger: Ledger, new: NewBatch, change: Change) -> tuple[CodeBatch, tuple[str, ...]]:
    """Makes a batch. Answers it with its codes in clear. Raises `BadInput`, `Refused` (`already-exists`)."""
    _check(cell, new)
    texts = new.codes or tuple(_made_up(cell.signer, new.batch, number) for number in range(new.count))
    ids = tuple(code_id(cell.signer, text) for text in texts)
    if len(set(ids)) < len(ids):
        raise BadInput("a code is named twice")
    others = {batch.batch for name in ids if (batch := cell.catalogue.batch_of_code.get(name))} - {new.batch}
    if others:
        raise Refused("already-exists", "one of these codes is in another batch", batches=sorted(others))
    made = CodeBatch(
        batch=new.batch,
        title=new.title,
        codes=ids,
        uses=new.uses,
        created_at_ms=now_ms(),
        price_type=new.price_type,
        performances=new.performances,
        on_sale=new.on_sale,
        line=new.line,
    )
    kept = await create(ledger, KIND, new.batch, made, change)
    if msgspec.structs.replace(kept, created_at_ms=made.created_at_ms, is_disabled=False) != made:
        raise Refused("already-exists", "there is another batch of this name", batch=new.batch)
    await publish(cell, {f"{KIND}:{new.batch}": published_form(kept)})
    await cell.look()
    return kept, texts


async def disable_codes(cell: Cell, ledger: Ledger, batch: str, change: Change) -> CodeBatch:
    """Ends a batch: its codes unlock nothing more. What is held or sold by them stays. Raises `Refused`."""
    if batch not in cell.catalogue.code_batches:
        raise Refused("unknown-batch", "there is no such batch of codes here")

    def disabled(body: bytes) -> bytes:
        return msgspec.json.encode(msgspec.structs.replace(_decode(body), is_disabled=True))

    body = await amend_document(ledger, KIND, batch, disabled, who=change.who, what="disable code", why=change.why)
    await publish(cell, {f"{KIND}:{batch}": body.decode()})
    await cell.look()
    return _decode(body)


def _decode(body: bytes) -> CodeBatch:
    return msgspec.json.decode(body, type=CodeBatch)


async def uses(cell: Cell, batch: CodeBatch) -> int:
    """For how many seats a batch's codes are used now, held and sold; of a line's, how many places they gave."""
    places = [of_line(f"code/{code}", batch.line) for code in batch.codes] if batch.line else []
    keys = (cell.keys.cell, cell.keys.persons(OnSaleId(batch.on_sale)))
    reply = await cell.read("cell/uses", keys, (pack([] if places else batch.codes), pack(places)))
    if reply[0] != b"uses":
        raise broken("cell/uses", reply)
    return int(reply[1])


async def recount(cell: Cell, hash_: str, prefix: str, counts: Mapping[str, int]) -> None:
    """States what is counted in a hash, see `lua/cell/recount.lua`: after a loss, while the gate is closed."""
    flat = [part for name, count in counts.items() for part in (name, count)]
    for first in range(0, max(1, len(flat)), RECOUNTED_A_CALL):
        chunk = pack(flat[first : first + RECOUNTED_A_CALL])
        reply = await cell.call("cell/recount", (cell.keys.cell, hash_), (prefix, int(first == 0), chunk))
        if reply[0] != b"recounted":
            raise broken("cell/recount", reply)
