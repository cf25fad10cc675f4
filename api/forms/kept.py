"""What a visitor without JavaScript keeps, in one cookie of one on-sale: the secret, the place, the pass, the basket.

Everything in it that counts is signed by itself, so whoever changes their cookie, or brings another on-sale's or
another house's, has nothing. It travels packed: a basket of several performances fits into the 4 kB of a cookie.
"""

import re
import secrets
import zlib
from typing import Annotated, Final

import msgspec

from engine.cell import Cell
from engine.conditions import NOTHING, Proofs
from engine.draw import decode, encode
from engine.errors import ForgedToken
from engine.signing import Hold, Place
from engine.waiting_room import hash_secret
from engine.words import OnSaleId

NAME: Final = "parvis"
DAYS: Final = 30
LARGEST_BYTES: Final = 3_800
"""As it travels: browsers keep 4,096 with the name and what goes with it."""
LARGEST_UNPACKED_BYTES: Final = 65_536
Instant = Annotated[int, msgspec.Meta(ge=0, lt=32_503_680_000_000)]
"""Milliseconds since 1970, before the year 3000: a time that every page can tell."""


class KeptHold(msgspec.Struct, frozen=True, array_like=True):
    """A hold of the basket: the bytes that its token spells, and until when."""

    token: bytes
    expires_at_ms: Instant


class Kept(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What the cookie says. `made`: holds so far, so that each form of a page is one wish however often it is sent.

    `proofs`: the code and the numbers that were typed, until an order is made; they stand in no address. They travel
    behind all the rest: a release before, which takes no other field, reads what it knows and leaves the rest unread.
    So do, until there is a place, `line` and `code`: which queue is to be joined, and by what; and `wait`: what is
    waited before that, so that who presses again waits no longer.
    """

    secret: str
    place: str = ""
    pass_: str = ""
    pass_ends_at_ms: Instant = 0
    is_turn_over: bool = False
    holds: tuple[KeptHold, ...] = ()
    made: int = 0
    order: str = ""
    order_secret: str = ""
    proofs: Proofs = NOTHING
    line: str = ""
    code: str = ""
    wait: str = ""


class BasketHold(msgspec.Struct, frozen=True):
    """A hold as it is shown: its token, what it holds, until when."""

    token: str
    hold: Hold
    expires_at_ms: int


_decode: Final = msgspec.msgpack.Decoder(Kept).decode
_decode_proofs: Final = msgspec.msgpack.Decoder(Proofs).decode
_decode_wish: Final = msgspec.msgpack.Decoder(tuple[str, str, str]).decode


def fresh() -> Kept:
    """For whoever brings nothing: a secret of their own, made for them."""
    return Kept(secret=secrets.token_urlsafe(32))


def pack_kept(kept: Kept) -> str:
    """The cookie's value."""
    *known, proofs, line, code, wait = msgspec.structs.astuple(kept)
    parts = [known, proofs, (line, code, wait)]
    while parts[-1] in (NOTHING, ("", "", "")):  # nothing is behind
        parts.pop()
    return encode(b"".join(zlib.compress(msgspec.msgpack.encode(part), 9) for part in parts))


def unpack_kept(value: str) -> Kept | None:
    """What a cookie's value says; None for one that says nothing."""
    try:
        known = zlib.decompressobj()
        kept = _decode(known.decompress(decode(value), LARGEST_UNPACKED_BYTES))
        if known.unused_data:
            behind = zlib.decompressobj()
            proofs = _decode_proofs(behind.decompress(known.unused_data, LARGEST_UNPACKED_BYTES))
            kept = msgspec.structs.replace(kept, proofs=proofs)
            if behind.unused_data:
                wish = zlib.decompressobj().decompress(behind.unused_data, LARGEST_UNPACKED_BYTES)
                line, code, wait = _decode_wish(wish)
                kept = msgspec.structs.replace(kept, line=line, code=code, wait=wait)
    except (ValueError, zlib.error, msgspec.MsgspecError):
        return None
    return kept if kept.secret else None


def place_of(cell: Cell, on_sale: OnSaleId, kept: Kept) -> Place | None:
    """The place, if it is one of this on-sale's and the secret is its own."""
    try:
        place = cell.signer.read(Place, kept.place) if kept.place else None
    except ForgedToken:
        return None
    is_theirs = place is not None and place.on_sale == on_sale and place.secret_hash == hash_secret(kept.secret)
    return place if is_theirs else None


def former_pass(cell: Cell, place: Place, kept: Kept) -> str:
    """The pass, if it is of whom an earlier release let in, who is who they were until they are out; else empty."""
    try:
        owner = cell.signer.read_pass(kept.pass_).owner if place.person and kept.pass_ else ""
    except ForgedToken:
        return ""
    return kept.pass_ if owner == cell.signer.former_pseudonym(place) else ""


def basket_of(cell: Cell, place: Place | None, kept: Kept, now_ms: int) -> list[BasketHold]:
    """The holds that are the place's own and have not run out."""
    if place is None:
        return []
    owner = cell.signer.former_pseudonym(place) if former_pass(cell, place, kept) else cell.signer.pseudonym(place)
    found = []
    for each in kept.holds:
        token = encode(each.token)
        try:
            hold = cell.signer.read(Hold, token)
        except ForgedToken:
            continue
        if hold.owner == owner and hold.on_sale == place.on_sale and each.expires_at_ms > now_ms:
            found.append(BasketHold(token, hold, each.expires_at_ms))
    return found


def with_hold(kept: Kept, token: str, expires_at_ms: int) -> Kept:
    """With one more hold, or the same again; a repeat of the last wish changes nothing."""
    held = KeptHold(decode(token), expires_at_ms)
    others = tuple(each for each in kept.holds if each.token != held.token)
    return msgspec.structs.replace(kept, holds=(*others, held), made=kept.made + (len(others) == len(kept.holds)))


def read_cookie(header: str, name: str) -> str:
    """The value of a cookie, or an empty string."""
    found = re.search(rf"(?:^|;\s*){re.escape(name)}=([\w-]*)", header)
    return found[1] if found else ""


def cookie(name: str, value: str, path: str, *, is_secure: bool) -> bytes:
    """A `Set-Cookie` for one on-sale: no script reads it, no other site sends it along."""
    secure = "; Secure" if is_secure else ""
    text = f"{name}={value}; Path={path}; Max-Age={DAYS * 86_400}; HttpOnly; SameSite=Lax{secure}"
    return text.encode()
