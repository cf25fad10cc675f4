"""What is known of a customer travels sealed to the house's public key: only that house's writer opens it.

Redis, its file on disk, and whoever reads either see no name and no address. An API process draws a key a minute,
encrypts customers with it (ChaCha20-Poly1305, RFC 8439) and sends the key along, itself encrypted to the house with
HPKE (RFC 9180, base mode: X25519, HKDF-SHA-256): opening costs the writer an X25519 a minute, not one an order. Each
seal names its house and its order, so that none can be carried over to another. In front of it stands the customer's
mark (`Signer.customer_mark`): what is sealed can be found, to be erased, by whoever cannot open it.
"""

import os
import time
from pathlib import Path
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from engine.entries import Customer, Order
from engine.errors import BadInput, CellUnavailable, ParvisError
from engine.key_files import read_or_create, write_whole
from engine.signing import MAC_BYTES, Signer
from engine.words import HouseSlug, OrderId

SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
PUBLIC_FILE: Final = "customers.public.pem"
PRIVATE_FILE: Final = "customers.private.pem"
"""Opened by the house's writer alone: the API can run as a user who may not read it."""
KEY_BYTES: Final = 32
WRAPPED_BYTES: Final = 80
"""A key as it is sent along: an X25519 share of 32 bytes, the key, and a tag of 16."""
NONCE_BYTES: Final = 12
KEY_SECONDS: Final = 60.0
"""How long a process goes on with the key that it drew: what is sealed before, it cannot open again."""
REMEMBERED_KEYS: Final = 4_096


class Unopenable(ParvisError):
    """The customer was sealed to another key, for another order, or has been changed."""


class NoSealingKey(CellUnavailable):
    """The house's key for customers' data is not there yet; its writer makes it when it starts."""


def _purpose(house: HouseSlug, order: str, mark: bytes = b"") -> bytes:
    return msgspec.msgpack.encode(("parvis customer", house, order, mark))


class Sealer:
    """Seals for one house, with the public key alone, which is read when it is first needed."""

    def __init__(self, signer: Signer, folder: Path) -> None:
        self._signer = signer
        self._path = folder / PUBLIC_FILE
        self._renew_at = 0.0
        self._wrapped = b""
        self._cipher: ChaCha20Poly1305 | None = None

    def seal(self, customer: Customer, order: OrderId) -> bytes:
        """The customer of an order, to be opened by the house's writer. Raises `NoSealingKey`."""
        house, mark = self._signer.house, self._signer.customer_mark(customer.email)
        if self._cipher is None or time.monotonic() >= self._renew_at:
            key = os.urandom(KEY_BYTES)
            self._wrapped = SUITE.encrypt(key, self._read(), info=_purpose(house, ""))
            self._cipher = ChaCha20Poly1305(key)
            self._renew_at = time.monotonic() + KEY_SECONDS
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, msgspec.msgpack.encode(customer), _purpose(house, order, mark))
        return mark + self._wrapped + nonce + sealed

    def _read(self) -> X25519PublicKey:
        try:
            key = serialization.load_pem_public_key(self._path.read_bytes())
        except FileNotFoundError as error:
            raise NoSealingKey from error
        if not isinstance(key, X25519PublicKey):
            raise BadInput(f"{self._path.name} is not an X25519 key")
        return key


class Opener:
    """Opens what was sealed for one house. Makes the pair of keys on first use.

    Raises `BadInput` where the private key has gone: what is sealed to it waits for a copy, not for another key.
    """

    def __init__(self, signer: Signer, folder: Path) -> None:
        self._signer = signer
        private, public = folder / PRIVATE_FILE, folder / PUBLIC_FILE
        if public.exists() and not private.exists():
            raise BadInput(
                f"{private} has gone, and {PUBLIC_FILE} is still there: put the key back from its copy; or, if there "
                f"is none, remove {PUBLIC_FILE}, start every process of this house again, and look at the dead letters"
            )
        key = serialization.load_pem_private_key(read_or_create(private, _new_key), None)
        if not isinstance(key, X25519PrivateKey):
            raise BadInput(f"{PRIVATE_FILE} is not an X25519 key")
        self._key = key
        self._ciphers: dict[bytes, ChaCha20Poly1305] = {}
        """By the wrapped key that each was sent along as."""
        published = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        if not public.exists() or public.read_bytes() != published:
            write_whole(public, published)

    def open(self, order: Order) -> Customer | None:
        """The order's customer; None where it has none. Raises `Unopenable`.

        One in the clear is of a release that did not seal yet.
        """
        if not isinstance(order.customer, bytes):
            return order.customer
        mark, wrapped, nonce, sealed = _parts(order.customer)
        try:
            cipher = self._ciphers.get(wrapped) or self._unwrap(wrapped)
            opened = cipher.decrypt(nonce, sealed, _purpose(self._signer.house, order.order, mark))
            return msgspec.msgpack.decode(opened, type=Customer)
        except (InvalidTag, ValueError, msgspec.MsgspecError) as error:
            raise Unopenable from error

    def _unwrap(self, wrapped: bytes) -> ChaCha20Poly1305:
        cipher = ChaCha20Poly1305(SUITE.decrypt(wrapped, self._key, info=_purpose(self._signer.house, "")))
        if len(self._ciphers) >= REMEMBERED_KEYS:
            self._ciphers.clear()
        self._ciphers[wrapped] = cipher
        return cipher


def _parts(sealed: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """Mark, wrapped key, nonce, and what is encrypted."""
    key_at, nonce_at = MAC_BYTES, MAC_BYTES + WRAPPED_BYTES
    return (
        *(sealed[:key_at], sealed[key_at:nonce_at], sealed[nonce_at : nonce_at + NONCE_BYTES]),
        sealed[nonce_at + NONCE_BYTES :],
    )


def is_of(signer: Signer, order: Order, email: str) -> bool:
    """Whether an order is the customer's, sealed or not."""
    customer, mark = order.customer, signer.customer_mark(email)
    if isinstance(customer, bytes):
        return _parts(customer)[0] == mark
    return customer is not None and signer.customer_mark(customer.email) == mark


def _new_key() -> bytes:
    return X25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
