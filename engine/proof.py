"""Proof of work before somebody joins, in the format of ALTCHA: nothing is stored, and no other site is asked.

A challenge is made for one secret hash of one on-sale and lasts for minutes; who shows its solution a second time has
the same secret hash, and is given the same place. Source: ALTCHA's documented challenge and payload (version 1).
"""

import hashlib
import hmac
import secrets
from base64 import b64decode
from binascii import Error as Base64Error
from typing import Annotated, Final
from urllib.parse import parse_qsl, urlencode

import msgspec

from engine.errors import Refused
from engine.signing import Signer
from engine.words import OnSaleId

POLICIES: Final = ("off", "under-pressure", "always")
"""Whether a proof is asked for: never; of whoever comes when many do; of everybody."""
ALGORITHM: Final = "SHA-256"
PROOF_SECONDS: Final = 120
"""How long a challenge can be answered."""
LEAST: Final = 30_000
"""Of the easiest challenge: numbers to be tried, in the worst case."""
MOST: Final = 300_000
"""Of the hardest, whatever the pressure: an old phone tries all of them in a few seconds."""
FREE_JOINS: Final = 20
"""So many from one network within a minute are no pressure yet: a school or a carrier shares one address."""
LONGEST_PROOF: Final = 1_000
NONCE_BYTES: Final = 12


class Challenge(msgspec.Struct, frozen=True):
    """To be found is the number, at most `maxnumber`, for which SHA-256(salt ‖ number) is `challenge`, in hex."""

    algorithm: str
    challenge: str
    maxnumber: int
    salt: str
    signature: str


class _Proof(msgspec.Struct, frozen=True):
    """A solved challenge, as it comes: JSON in base64."""

    algorithm: str
    challenge: str
    number: Annotated[int, msgspec.Meta(ge=0, le=MOST)]
    salt: str
    signature: str


_decode: Final = msgspec.json.Decoder(_Proof).decode


def numbers_for(joins: int) -> int:
    """How many numbers to try: twice as many where twice as many joined from the same network within a minute."""
    return max(LEAST, min(MOST, LEAST * joins // FREE_JOINS))


def is_asked(policy: str, joins: int, *, is_strained: bool) -> bool:
    """Whether a proof is asked for under a policy of `POLICIES`. `is_strained`: the house itself is under pressure."""
    return policy == "always" or (policy == "under-pressure" and (is_strained or joins >= FREE_JOINS))


def _hashed(salt: str, number: int) -> str:
    return hashlib.sha256(f"{salt}{number}".encode()).hexdigest()


def _signed(signer: Signer, challenge: str) -> str:
    return hmac.new(signer.derive("proof", ALGORITHM).encode(), challenge.encode(), "sha256").hexdigest()


def make_challenge(signer: Signer, on_sale: OnSaleId, secret_hash: str, most: int, now_ms: int) -> Challenge:
    """A challenge for whoever joins with this secret hash, at most `most` tries long."""
    facts = {"expires": now_ms // 1000 + PROOF_SECONDS, "on_sale": on_sale, "for": secret_hash}
    # The delimiter at its end keeps the salt's digits apart from the number's.
    salt = f"{secrets.token_hex(NONCE_BYTES)}?{urlencode(facts)}&"
    challenge = _hashed(salt, secrets.randbelow(most + 1))
    return Challenge(ALGORITHM, challenge, most, salt, _signed(signer, challenge))


def check_proof(signer: Signer, on_sale: OnSaleId, secret_hash: str, proof: str, now_ms: int) -> int:
    """Until when (ms) the proof counts. Raises `Refused`: `bad-proof`, `proof-ended`."""
    bad = Refused("bad-proof", "this proof of work is not the solution of a challenge for this place")
    try:
        shown = _decode(b64decode(proof[: LONGEST_PROOF + 1], validate=True))
    except (ValueError, Base64Error, msgspec.MsgspecError) as error:
        raise bad from error
    is_solved = hmac.compare_digest(_hashed(shown.salt, shown.number).encode(), shown.challenge.encode())
    is_ours = hmac.compare_digest(_signed(signer, shown.challenge).encode(), shown.signature.encode())
    if shown.algorithm != ALGORITHM or not is_solved or not is_ours:
        raise bad
    # The salt is as we wrote it: what is signed is its hash.
    facts = dict(parse_qsl(shown.salt.partition("?")[2]))
    if (facts["on_sale"], facts["for"]) != (on_sale, secret_hash):
        raise bad
    expires_at_ms = int(facts["expires"]) * 1000
    if expires_at_ms <= now_ms:
        raise Refused("proof-ended", "this proof of work came too late; ask for another challenge")
    return expires_at_ms
