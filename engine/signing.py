"""A house's own keys and what it signs: places, holds and order secrets with a MAC, passes as JWTs.

A MAC token is base64url(msgpack fields ‖ 16 bytes of keyed BLAKE2b), the kind of token as the hash's
personalisation: a hold's token never passes for a place's. Source: RFC 7693 (BLAKE2), RFC 7515 and 7518 (JWS, ES256).
"""

import hashlib
import hmac
import secrets
from binascii import Error as Base64Error
from pathlib import Path
from typing import Any, Final, TypeVar

import jwt
import msgspec

from engine.catalogue import PUBLIC_LINE
from engine.entries import Item
from engine.errors import ForgedToken
from engine.instants import now_ms
from engine.key_files import base64url, decoded, read_or_create
from engine.of_line import member_of
from engine.pass_keys import DOCUMENT, PassKeys
from engine.words import HoldId, HouseSlug, LineName, OnSaleId, OrderId, PerformanceId

MAC_BYTES: Final = 16
REMEMBERED_PASSES: Final = 50_000
LONGEST_TOKEN: Final = 32_768


class Place(msgspec.Struct, frozen=True, array_like=True):
    """A visitor's claim in a line."""

    on_sale: OnSaleId
    line: LineName
    index: int
    secret_hash: str
    epoch: int
    person: str = ""
    """Whose it is, where each person has one place: the same from every device that they join with."""
    joined_at_ms: int = 0
    """By Redis's clock; 0 in a place that an older release gave."""


class Wait(msgspec.Struct, frozen=True, array_like=True):
    """Instead of a proof of work, for a browser without JavaScript: it joins between two instants."""

    on_sale: OnSaleId
    secret_hash: str
    over_at_ms: int
    expires_at_ms: int


class Contact(msgspec.Struct, frozen=True, array_like=True):
    """Who showed that an e-mail address or a phone number is theirs. `person`: a MAC, of this on-sale alone."""

    on_sale: OnSaleId
    person: str
    secret_hash: str
    expires_at_ms: int


class Invitation(msgspec.Struct, frozen=True, array_like=True):
    """What lets one visitor into a line of an on-sale. `expires_at_ms`: 0 for as long as the line is open."""

    on_sale: OnSaleId
    line: LineName
    number: int
    expires_at_ms: int


class Hold(msgspec.Struct, frozen=True, array_like=True):
    """What a hold is, prices frozen: enough to confirm it without asking anybody what it was."""

    hold: HoldId
    on_sale: OnSaleId
    owner: str
    place: str
    """The pass's index, or empty for the house's own staff."""
    performances: tuple[PerformanceId, ...]
    items: tuple[Item, ...]
    total: int
    currency: str
    latest_ms: int = 0
    """However often it is kept longer, it has ended by then; 0 in one that an older release gave."""


class Preview(msgspec.Struct, frozen=True, array_like=True):
    """What shows a house's draft of a theme to whoever has it, until an instant."""

    draft_id: str
    expires_at_ms: int


class Pass(msgspec.Struct, frozen=True):
    """A verified pass. Whether it is still alive is decided in Redis, by Redis's clock."""

    on_sale: OnSaleId
    owner: str
    index: str
    """Among the live passes, see `engine.of_line.member_of`."""
    generation: int = 0
    is_longer: bool = False
    ends_at_ms: int = 0
    """As it was given; who leaves may have let go of it sooner."""
    stay_ends_at_ms: int = 0
    """From then on it is not renewed; 0: it always is."""


Signed = TypeVar("Signed", Place, Hold, Preview, Wait, Contact, Invitation)

TOKENS: Final = (Place, Hold, Preview, Wait, Contact, Invitation)


class Signer:
    """Signs and verifies for one house. Keys lie in `folder`, made on first use, readable by their owner only."""

    def __init__(self, house: HouseSlug, folder: Path) -> None:
        self.house = house
        self._mac_key = read_or_create(folder / "mac.key", lambda: secrets.token_bytes(32))
        self._keyed: dict[bytes, Any] = {}
        """By kind: the MAC before its first byte, which is the key's own block."""
        self._pass_keys = PassKeys(folder)
        self._passes: dict[bytes, Pass] = {}
        self._decoders: dict[type, Any] = {kind: msgspec.msgpack.Decoder(kind) for kind in TOKENS}

    def _mac(self, kind: bytes, payload: bytes) -> bytes:
        keyed = self._keyed.get(kind)
        if keyed is None:
            keyed = hashlib.blake2b(digest_size=MAC_BYTES, key=self._mac_key, person=kind)
            self._keyed[kind] = keyed
        made = keyed.copy()
        made.update(payload)
        return made.digest()

    def sign(self, token: Place | Hold | Preview | Wait | Contact | Invitation) -> str:
        """A token of ours as people carry it."""
        payload = msgspec.msgpack.encode(token)
        return base64url(payload + self._mac(type(token).__name__.encode(), payload)).decode()

    def read(self, kind: type[Signed], text: str) -> Signed:
        """The token of a kind. Raises `ForgedToken` when it is not ours, of another kind, cut or changed."""
        try:
            if len(text) > LONGEST_TOKEN:
                raise ForgedToken
            data = decoded(text)
            payload, mac = data[:-MAC_BYTES], data[-MAC_BYTES:]
            if not hmac.compare_digest(mac, self._mac(kind.__name__.encode(), payload)):
                raise ForgedToken
            token: Signed = self._decoders[kind].decode(payload)
        except (Base64Error, ValueError, UnicodeError, msgspec.MsgspecError) as error:
            raise ForgedToken from error
        return token

    def derive(self, purpose: str, text: str) -> str:
        """A secret that only this house can make again from the text: 32 bytes as base64url, 43 characters."""
        hashed = hashlib.blake2b(f"{purpose}|{text}".encode(), digest_size=32, key=self._mac_key, person=b"derive")
        return base64url(hashed.digest()).decode()

    def customer_mark(self, email: str) -> bytes:
        """What stands for a customer where their address must not: the same however they spell its letters, and
        nothing that anybody without the house's key could find the address by.
        """
        return self._mac(b"customer", email.strip().lower().encode())

    def order_secret(self, order: OrderId) -> str:
        """What lets somebody read an order again: a MAC of its id."""
        return base64url(self._mac(b"order", order.encode())).decode()

    def owns_order(self, order: OrderId, secret: str) -> bool:
        """Whether `secret` is the order's, compared in constant time."""
        return hmac.compare_digest(self.order_secret(order).encode(), secret.encode())

    def event_signature(self, provider: str, body: bytes) -> str:
        """What a payment provider's event is signed with where the provider has no key of its own (demo)."""
        key = self._mac(b"event", provider.encode())
        return hmac.new(key, body, "sha256").hexdigest()

    def pseudonym(self, place: Place) -> str:
        """Who a place is for this house: stable, and telling nobody its number.

        Of its secret too: after a loss of Redis one index may have been given twice, and its two visitors are two. A
        person is one, with however many devices, and in whichever lines.
        """
        facts = f"{place.on_sale}|{place.line}|{place.index}|{place.secret_hash}"
        return place.person or self._mac(b"pseudonym", facts.encode()).hex()

    def former_pseudonym(self, place: Place) -> str:
        """Who a person's place was for an earlier release, where each of their places was a shopper of its own."""
        facts = f"{place.on_sale}|{place.line}|{place.index}|{place.person}"
        return self._mac(b"pseudonym", facts.encode()).hex()

    def jwks(self, now: int = 0, longest_ms: int = 0) -> dict[str, Any]:
        """The public keys (RFC 7517) at an instant (0: all there are), where no pass lives longer than `longest_ms`."""
        self._look()
        return self._pass_keys.published(now, longest_ms)

    def _look(self) -> None:
        """A key that was taken away verifies nothing any more, what was verified with it before included."""
        if self._pass_keys.refresh():
            self._passes.clear()

    def sign_pass(
        self,
        place: Place,
        expires_at_ms: int,
        generation: int = 0,
        *,
        is_longer: bool = False,
        claimed_at_ms: int | None = None,
        stay_ends_at_ms: int = 0,
        owner: str = "",
    ) -> str:
        """The pass of a place until an instant (whole seconds, rounded up), as a JWT that anybody can verify.

        `generation`: see `lua/include/pass_of.lua`; `is_longer`: they asked for more time;
        `stay_ends_at_ms`: from then on it is not renewed (0: it always is). The key is the one of
        `claimed_at_ms` (now), so that a repeat is signed alike by whichever process answers. `owner`: whose it is,
        where that is not the place's pseudonym.
        """
        self._look()
        key = self._pass_keys.at(now_ms() if claimed_at_ms is None else claimed_at_ms)
        owner = owner or self.pseudonym(place)
        ends_s = -(-expires_at_ms // 1000)
        claims = {
            "iss": self.house,
            "aud": f"{self.house}/{place.on_sale}",
            "sub": owner,
            "exp": ends_s,
            "index": place.index,
            "gen": generation,
        }
        if place.line != PUBLIC_LINE:
            claims["line"] = place.line
        if is_longer:
            claims["more_time"] = True
        if stay_ends_at_ms:
            claims["stay_until"] = stay_ends_at_ms // 1000
        signed = key.headers["JWT"] + b"." + base64url(msgspec.json.encode(claims))
        token = (signed + b"." + key.sign(signed)).decode()
        member = member_of(place.line, place.index, owner)
        stay_ms = stay_ends_at_ms // 1000 * 1000
        self._remember(token, Pass(place.on_sale, owner, member, generation, is_longer, ends_s * 1000, stay_ms))
        return token

    def sign_document(self, body: bytes, kind: str = DOCUMENT) -> str:
        """What shows that a public document is the house's, whoever hands it on: a JWS without its payload.

        `kind`: `DOCUMENT` or `STATEMENT`.

        Whoever checks puts the base64url of the body between the two dots (RFC 7515, appendix F).
        """
        self._look()
        return self._pass_keys.at(now_ms()).sign_apart(kind, body)

    def read_pass(self, text: str) -> Pass:
        """A pass, its signature made or checked once a process and remembered. Raises `ForgedToken`.

        Its end is not looked at here: the hold's own function asks Redis whether the pass is alive.
        """
        self._look()
        known = self._passes.get(hashlib.sha256(text.encode()).digest())
        if known is not None:
            return known
        # A header that is not one of ours to the byte names another algorithm, key or rule: none of them is asked.
        key = self._pass_keys.of(text.partition(".")[0])
        try:
            if key is None:
                raise ForgedToken
            for part in text.split("."):
                decoded(part)
            claims = jwt.decode(
                text,
                key.public,
                algorithms=["ES256"],
                issuer=self.house,
                options={
                    "require": ["iss", "aud", "sub", "exp", "index"],
                    "verify_exp": False,
                    "verify_aud": False,
                },
            )
            house, _, on_sale = str(claims["aud"]).partition("/")
            if house != self.house or not on_sale:
                raise ForgedToken
            owner = str(claims["sub"])
            verified = Pass(
                on_sale=OnSaleId(on_sale),
                owner=owner,
                index=member_of(str(claims.get("line", PUBLIC_LINE)), int(claims["index"]), owner),
                generation=int(claims.get("gen", 0)),
                is_longer=claims.get("more_time") is True,
                ends_at_ms=int(claims["exp"]) * 1000,
                stay_ends_at_ms=int(claims.get("stay_until", 0)) * 1000,
            )
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise ForgedToken from error
        self._remember(text, verified)
        return verified

    def _remember(self, text: str, verified: Pass) -> None:
        if len(self._passes) >= REMEMBERED_PASSES:
            self._passes.clear()
        self._passes[hashlib.sha256(text.encode()).digest()] = verified
