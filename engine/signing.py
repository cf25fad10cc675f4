"""A house's own keys and what it signs: places, holds and order secrets with a MAC, passes as JWTs.

A MAC token is base64url(msgpack fields ‖ 16 bytes of keyed BLAKE2b), the kind of token as the hash's
personalisation: a hold's token never passes for a place's. Source: RFC 7693 (BLAKE2), RFC 7515 and 7518 (JWS, ES256).
"""

import hashlib
import hmac
import os
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import jwt
import msgspec
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from engine.entries import Item
from engine.errors import ForgedToken
from engine.words import HoldId, HouseSlug, LineName, OnSaleId, OrderId, PerformanceId

MAC_BYTES: Final = 16
REMEMBERED_PASSES: Final = 50_000
LONGEST_TOKEN: Final = 32_768
COORDINATE_BYTES: Final = 32
DOCUMENT: Final = "parvis-document"
"""The kind of a signature that is of a public document; a pass's is `JWT`."""
ES256: Final = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
"""Verified in half of the time of EdDSA, and known to every JOSE library. Deterministic (RFC 6979): whoever repeats
a claim gets the same pass, to the byte, from whichever process answers."""


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


class Preview(msgspec.Struct, frozen=True, array_like=True):
    """What shows a house's draft of a theme to whoever has it, until an instant."""

    draft_id: str
    expires_at_ms: int


class Pass(msgspec.Struct, frozen=True):
    """A verified pass. Whether it is still alive is decided in Redis, by Redis's clock."""

    on_sale: OnSaleId
    owner: str
    index: str
    generation: int = 0
    is_longer: bool = False


Signed = TypeVar("Signed", Place, Hold, Preview, Wait, Contact)

TOKENS: Final = (Place, Hold, Preview, Wait, Contact)


def _write_draft(path: Path, content: bytes, mode: int) -> Path:
    """A file beside `path`, whole and on disk."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return draft


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file that everybody may read who comes into its folder; nobody ever sees half of it."""
    _write_draft(path, content, 0o644).replace(path)


def read_or_create(path: Path, create: Callable[[], bytes]) -> bytes:
    """A secret file, made once even when two processes start together."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = _write_draft(path, create(), 0o600)
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_bytes()


def _new_pass_key() -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def base64url(data: bytes) -> bytes:
    """Base64url without its padding (RFC 7515)."""
    return urlsafe_b64encode(data).rstrip(b"=")


def _decoded(text: str) -> bytes:
    """The bytes that base64url spells so. Base64 is lenient about its last bits and more; a token has one spelling.

    Raises `ForgedToken` and `ValueError`.
    """
    data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if base64url(data).decode() != text:
        raise ForgedToken
    return data


class Signer:
    """Signs and verifies for one house. Keys lie in `folder`, made on first use, readable by their owner only."""

    def __init__(self, house: HouseSlug, folder: Path) -> None:
        self.house = house
        self._mac_key = read_or_create(folder / "mac.key", lambda: secrets.token_bytes(32))
        key = serialization.load_pem_private_key(read_or_create(folder / "pass.pem", _new_pass_key), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
            raise ForgedToken("pass.pem is not a P-256 key")
        self._pass_key = key
        self._public_key = key.public_key()
        point = self._public_key.public_numbers()
        x, y = (base64url(each.to_bytes(COORDINATE_BYTES, "big")).decode() for each in (point.x, point.y))
        # RFC 7638: the thumbprint of the key's required members in lexical order.
        thumbprint = hashlib.sha256(f'{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}'.encode()).digest()
        key_id = base64url(thumbprint).decode()
        self.jwks = {
            "keys": [{"kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": key_id, "alg": "ES256", "use": "sig"}]
        }
        self._pass_header = base64url(msgspec.json.encode({"alg": "ES256", "kid": key_id, "typ": "JWT"}))
        self._document_header = base64url(msgspec.json.encode({"alg": "ES256", "kid": key_id, "typ": DOCUMENT}))
        self._passes: dict[bytes, Pass] = {}
        self._decoders: dict[type, Any] = {kind: msgspec.msgpack.Decoder(kind) for kind in TOKENS}

    def _mac(self, kind: bytes, payload: bytes) -> bytes:
        return hashlib.blake2b(payload, digest_size=MAC_BYTES, key=self._mac_key, person=kind).digest()

    def sign(self, token: Place | Hold | Preview | Wait | Contact) -> str:
        """A token of ours as people carry it."""
        payload = msgspec.msgpack.encode(token)
        return base64url(payload + self._mac(type(token).__name__.encode(), payload)).decode()

    def read(self, kind: type[Signed], text: str) -> Signed:
        """The token of a kind. Raises `ForgedToken` when it is not ours, of another kind, cut or changed."""
        try:
            if len(text) > LONGEST_TOKEN:
                raise ForgedToken
            data = _decoded(text)
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
        person who came in with two devices is one.
        """
        whose = place.person or place.secret_hash
        return self._mac(b"pseudonym", f"{place.on_sale}|{place.line}|{place.index}|{whose}".encode()).hex()

    def sign_pass(self, place: Place, expires_at_ms: int, generation: int = 0, *, is_longer: bool = False) -> str:
        """The pass of a place until an instant (whole seconds, rounded up), as a JWT that anybody can verify.

        `generation`: see `lua/include/pass_of.lua`; `is_longer`: they asked for more time.
        """
        owner = self.pseudonym(place)
        claims = {
            "iss": self.house,
            "aud": f"{self.house}/{place.on_sale}",
            "sub": owner,
            "exp": -(-expires_at_ms // 1000),
            "index": place.index,
            "gen": generation,
        }
        if is_longer:
            claims["more_time"] = True
        signed = self._pass_header + b"." + base64url(msgspec.json.encode(claims))
        token = (signed + b"." + self._signature(signed)).decode()
        self._remember(token, Pass(place.on_sale, owner, str(place.index), generation, is_longer))
        return token

    def _signature(self, signed: bytes) -> bytes:
        numbers = decode_dss_signature(self._pass_key.sign(signed, ES256))
        return base64url(b"".join(each.to_bytes(COORDINATE_BYTES, "big") for each in numbers))

    def sign_document(self, body: bytes) -> str:
        """What shows that a public document is the house's, whoever hands it on: a JWS without its payload.

        Whoever checks puts the base64url of the body between the two dots (RFC 7515, appendix F).
        """
        signature = self._signature(self._document_header + b"." + base64url(body))
        return (self._document_header + b".." + signature).decode()

    def read_pass(self, text: str) -> Pass:
        """A pass, its signature made or checked once a process and remembered. Raises `ForgedToken`.

        Its end is not looked at here: the hold's own function asks Redis whether the pass is alive.
        """
        known = self._passes.get(hashlib.sha256(text.encode()).digest())
        if known is not None:
            return known
        try:
            for part in text.split("."):
                _decoded(part)
            claims = jwt.decode(
                text,
                self._public_key,
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
            verified = Pass(
                on_sale=OnSaleId(on_sale),
                owner=str(claims["sub"]),
                index=str(int(claims["index"])),
                generation=int(claims.get("gen", 0)),
                is_longer=claims.get("more_time") is True,
            )
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise ForgedToken from error
        self._remember(text, verified)
        return verified

    def _remember(self, text: str, verified: Pass) -> None:
        if len(self._passes) >= REMEMBERED_PASSES:
            self._passes.clear()
        self._passes[hashlib.sha256(text.encode()).digest()] = verified
