"""The keys that sign a house's passes, one after the other.

`pass.pem` is the first; `pass.<ms>.pem` is the one that signs from that instant on. The name says it all, so that every
process, whenever it started, agrees on which key signs what: the instant is that of the claim, by the clock of the
house's Redis. A key is published from when it lies there, at least `PUBLISHED_BEFORE_MS` before it signs: whoever keeps
a copy of the published keys has it by then. It stays published until the last pass that it signed has ended.
"""

import hashlib
import re
import time
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from engine.errors import BadInput, ForgedToken
from engine.instants import now_ms
from engine.key_files import base64url, read_or_create

PUBLISHED_BEFORE_MS: Final = 600_000
KEYS_CACHED_SECONDS: Final = 300
"""So long may whoever fetches the published keys keep them: less than the time for which a new one only lies there."""
KEPT_MS: Final = 5 * 86_400_000
"""So long a former key's file stays, which is longer than any pass lives."""
LOOK_AGAIN_SECONDS: Final = 2.0
COORDINATE_BYTES: Final = 32
DOCUMENT: Final = "parvis-document"
"""The kind of a signature that is of a public document; a pass's is `JWT`."""
STATEMENT: Final = "parvis-draw-statement"
"""The kind of one that is of the list of a draw: see `engine/statements.py`."""
ES256: Final = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
"""Signed and verified faster than EdDSA, and known to every JOSE library. Deterministic (RFC 6979): whoever repeats
a claim gets the same pass, to the byte, from whichever process answers."""
_NAME: Final = re.compile(r"pass(?:\.(\d{1,15}))?\.pem")


def new_key() -> bytes:
    """A private key, as PEM."""
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


class PassKey:
    """One key. `jwk`: its public half (RFC 7517)."""

    def __init__(self, starts_at_ms: int, pem: bytes) -> None:
        """Raises `ForgedToken` for what is no key of ours."""
        key = serialization.load_pem_private_key(pem, None)
        if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
            raise ForgedToken("a key that signs passes is of another curve than P-256")
        self.starts_at_ms, self._key, self.public = starts_at_ms, key, key.public_key()
        point = self.public.public_numbers()
        x, y = (base64url(each.to_bytes(COORDINATE_BYTES, "big")).decode() for each in (point.x, point.y))
        # RFC 7638: the thumbprint of the key's required members in lexical order.
        thumbprint = hashlib.sha256(f'{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}'.encode()).digest()
        key_id = base64url(thumbprint).decode()
        self.jwk = {"kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": key_id, "alg": "ES256", "use": "sig"}
        self.headers = {
            kind: base64url(msgspec.json.encode({"alg": "ES256", "kid": key_id, "typ": kind}))
            for kind in ("JWT", DOCUMENT, STATEMENT)
        }

    def sign(self, signed: bytes) -> bytes:
        """The signature of bytes (RFC 7518), as base64url."""
        r, s = decode_dss_signature(self._key.sign(signed, ES256))
        return base64url(r.to_bytes(COORDINATE_BYTES, "big") + s.to_bytes(COORDINATE_BYTES, "big"))

    def sign_apart(self, kind: str, body: bytes) -> str:
        """A JWS of these bytes without its payload. `kind`: one of `headers`."""
        header = self.headers[kind]
        return (header + b".." + self.sign(header + b"." + base64url(body))).decode()


def _files(folder: Path) -> dict[int, Path]:
    """The keys that lie in a folder, by when they start, the first of them first."""
    found = {int(match[1] or 0): path for path in folder.glob("pass*.pem") if (match := _NAME.fullmatch(path.name))}
    return dict(sorted(found.items()))


class PassKeys:
    """The keys in a folder, as they lie there by now; the first is made where there is none."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        if not _files(folder):
            read_or_create(folder / "pass.pem", new_key)
        self._keys: list[PassKey] = []
        self._by_header: dict[bytes, PassKey] = {}
        self._look_again_at = 0.0
        self.refresh()

    def refresh(self) -> bool:
        """Looks what lies there, every few seconds; whether that is something else than before."""
        now = time.monotonic()
        if now < self._look_again_at:
            return False
        self._look_again_at = now + LOOK_AGAIN_SECONDS
        files = _files(self._folder)
        if not files or list(files) == [each.starts_at_ms for each in self._keys]:
            return False  # without any it goes on with those that it has
        self._keys = [PassKey(starts_at_ms, path.read_bytes()) for starts_at_ms, path in files.items()]
        self._by_header = {each.headers["JWT"]: each for each in self._keys}
        return True

    def at(self, instant_ms: int) -> PassKey:
        """The key that signs what is claimed at an instant."""
        started = [each for each in self._keys if each.starts_at_ms <= instant_ms]
        return started[-1] if started else self._keys[0]

    def of(self, header: str) -> PassKey | None:
        """The key of a pass with exactly this header: whatever else a header may say is not ours."""
        return self._by_header.get(header.encode())

    def published(self, now: int, longest_ms: int) -> dict[str, Any]:
        """The JWKS at an instant, where no pass lives longer than `longest_ms`."""
        ends = [each.starts_at_ms + longest_ms for each in self._keys[1:]] + [now + 1]
        return {"keys": [each.jwk for each, end in zip(self._keys, ends, strict=True) if end > now]}


def rotate(folder: Path) -> int:
    """Lays a new key beside the others, and takes those away that are long over. Answers from when on it signs (ms).

    Raises `BadInput` while one is waiting already.
    """
    now = now_ms()
    PassKeys(folder)  # the first is made where there is none
    starts = list(_files(folder).items())
    if starts[-1][0] > now:
        raise BadInput("a new key lies there already, and has not begun to sign")
    for (_, path), (ended_at_ms, _) in pairwise(starts):
        if ended_at_ms + KEPT_MS < now:
            path.unlink(missing_ok=True)
    # Somewhat later than promised: a process notices it after some seconds, and a clock may be behind.
    starts_at_ms = now + PUBLISHED_BEFORE_MS + 60_000
    read_or_create(folder / f"pass.{starts_at_ms}.pem", new_key)
    return starts_at_ms
