"""What a house does with its theme: draft it, look at it, publish it, go back. The ledger first, then Redis.

A draft is seen by whoever has its link, and by nobody else. Every step can be repeated with the same operation id.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Final

import msgspec

from engine.cell import Cell
from engine.errors import ForgedToken, Refused
from engine.house import Change, publish
from engine.instants import now_ms
from engine.ledger.documents import amend_document, read_document
from engine.ledger.ledger import Ledger
from engine.signing import Preview
from engine.theme import Theme, Themes, check

KIND: Final = "theme"
NAME: Final = "house"
"""A house has one."""
PREVIEW_MS: Final = 3 * 86_400_000
decode: Final = msgspec.json.Decoder(Themes).decode


def _read(body: bytes | None) -> Themes:
    return decode(body) if body else Themes()


async def read_themes(ledger: Ledger) -> Themes:
    """The house's themes as its ledger keeps them. Raises `LedgerUnavailable`."""
    return _read(await read_document(ledger, KIND, NAME))


async def _amend(
    cell: Cell, ledger: Ledger, what: str, change: Change, operation: str, amend: Callable[[Themes], Themes]
) -> Themes:
    def amended(body: bytes) -> bytes:
        before = _read(body)
        if before.operation == operation:
            return body
        return msgspec.json.encode(msgspec.structs.replace(amend(before), operation=operation))

    body = await amend_document(ledger, KIND, NAME, amended, who=change.who, what=f"theme {what}", why=change.why)
    await publish(cell, {f"{KIND}:{NAME}": body.decode()})
    await cell.look()
    return _read(body)


async def save_draft(cell: Cell, ledger: Ledger, draft: Theme, change: Change, operation: str) -> Themes:
    """Keeps a draft, in place of the one there is. Raises `BadInput` with every fault of it."""
    check(cell.house, draft)
    fresh = cell.signer.derive("draft", operation)[:16]
    return await _amend(
        *(cell, ledger, "draft", change, operation),
        lambda now: msgspec.structs.replace(now, draft=draft, draft_id=now.draft_id if now.draft else fresh),
    )


async def publish_draft(cell: Cell, ledger: Ledger, change: Change, operation: str) -> Themes:
    """Shows the draft to everybody; what they saw until now is the previous one. Raises `Refused` (`no-draft`)."""

    def published(now: Themes) -> Themes:
        draft = _draft(now)
        check(cell.house, draft)  # the network file may have changed since
        return Themes(published=draft, previous=now.published)

    return await _amend(cell, ledger, "publish", change, operation, published)


async def discard_draft(cell: Cell, ledger: Ledger, change: Change, operation: str) -> Themes:
    """Throws the draft away; its link shows nothing any more. Raises `Refused` (`no-draft`)."""

    def discarded(now: Themes) -> Themes:
        _draft(now)
        return msgspec.structs.replace(now, draft=None, draft_id="")

    return await _amend(cell, ledger, "discard", change, operation, discarded)


async def go_back(cell: Cell, ledger: Ledger, change: Change, operation: str) -> Themes:
    """Shows the previous theme again, and keeps today's as the previous one. Raises `Refused` (`no-previous-theme`)."""

    def gone_back(now: Themes) -> Themes:
        if now.previous is None:
            raise Refused("no-previous-theme", "this house has published one theme, or none: there is none before it")
        return msgspec.structs.replace(now, published=now.previous, previous=now.published)

    return await _amend(cell, ledger, "back", change, operation, gone_back)


def _draft(now: Themes) -> Theme:
    if now.draft is None:
        raise Refused("no-draft", "no theme is being drafted here")
    return now.draft


def new_preview(cell: Cell, themes: Themes) -> tuple[str, int]:
    """What lets somebody see the draft without a key, and until when (milliseconds since 1970)."""
    expires_at_ms = now_ms() + PREVIEW_MS
    return cell.signer.sign(Preview(draft_id=themes.draft_id, expires_at_ms=expires_at_ms)), expires_at_ms


def previewed(cell: Cell, token: str) -> Theme:
    """The draft that a link shows. Raises `Refused` (`preview-ended`) for one that shows it no more, or never did."""
    themes = cell.catalogue.themes
    with suppress(ForgedToken):
        preview = cell.signer.read(Preview, token)
        if themes.draft and preview.draft_id == themes.draft_id and preview.expires_at_ms > now_ms():
            return themes.draft
    raise Refused("preview-ended", "this preview has ended; its house can make another")
