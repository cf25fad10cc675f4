"""A proof of work is the solution of a challenge of this house, for this place, in time; and nothing else is."""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine import proof
from engine.errors import Refused
from engine.proof import Challenge, check_proof, is_asked, make_challenge, numbers_for
from engine.signing import Signer
from engine.words import HouseSlug, OnSaleId
from tests.solver import solve

SALE = OnSaleId("spring")
HASH = "h" * 43
AT_MS = 1_800_000_000_000


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    return Signer(HouseSlug("noord"), tmp_path_factory.mktemp("noord"))


def challenge_for(signer: Signer, most: int = 50) -> Challenge:
    return make_challenge(signer, SALE, HASH, most, AT_MS)


def test_a_solution_counts_for_its_place_until_the_challenge_ends(signer: Signer) -> None:
    shown = solve(msgspec.to_builtins(challenge_for(signer)))
    for later_ms in (0, 1000, proof.PROOF_SECONDS * 1000 - 1):
        ends_at_ms = check_proof(signer, SALE, HASH, shown, AT_MS + later_ms)
        assert ends_at_ms == AT_MS + proof.PROOF_SECONDS * 1000
    with pytest.raises(Refused) as late:
        check_proof(signer, SALE, HASH, shown, AT_MS + proof.PROOF_SECONDS * 1000)
    assert late.value.slug == "proof-ended"


def test_a_solution_is_nobody_elses(signer: Signer, tmp_path: Path) -> None:
    shown = solve(msgspec.to_builtins(challenge_for(signer)))
    other = Signer(HouseSlug("zuid"), tmp_path)
    for who, sale, secret_hash in (
        (other, SALE, HASH),
        (signer, OnSaleId("autumn"), HASH),
        (signer, SALE, "g" * 43),
    ):
        with pytest.raises(Refused) as refused:
            check_proof(who, sale, secret_hash, shown, AT_MS)
        assert refused.value.slug == "bad-proof"


def bent(made: Challenge, number: int) -> Iterator[dict[str, Any]]:
    right = msgspec.to_builtins(made) | {"number": number}
    yield right | {"number": number + 1}
    yield right | {"number": -1}
    yield right | {"number": str(number)}
    yield right | {"number": float(number) + 0.5}
    yield right | {"number": True}
    yield right | {"algorithm": "SHA-1"}
    yield right | {"algorithm": "none"}
    yield right | {"signature": ""}
    yield right | {"signature": right["signature"].upper()}
    yield right | {"signature": "0" * 64}
    yield right | {"challenge": right["challenge"].upper()}
    yield right | {"salt": right["salt"].replace("expires=1", "expires=9")}
    yield right | {"salt": right["salt"][:-1]}
    # Digits that wander from the number into the salt would make a challenge last longer.
    yield right | {"salt": f"{right['salt']}1", "number": number}
    yield {name: value for name, value in right.items() if name != "salt"}


def test_what_was_bent_is_no_solution(signer: Signer) -> None:
    made = challenge_for(signer)
    number = json.loads(b64decode(solve(msgspec.to_builtins(made))))["number"]
    tried = [b64encode(json.dumps(each).encode()).decode() for each in bent(made, number)]
    tried += ["", "x", "e30=", "bnVsbA==", "W10=", "\x00", "é", "A" * 2000, b64encode(b"[" * 500).decode()]
    for shown in tried:
        with pytest.raises(Refused) as refused:
            check_proof(signer, SALE, HASH, shown, AT_MS)
        assert refused.value.slug == "bad-proof", shown


def test_digits_cannot_wander_between_salt_and_number(signer: Signer) -> None:
    for _ in range(50):
        made = challenge_for(signer, 5_000)
        assert made.salt.endswith("&")
        assert make_challenge(signer, SALE, HASH, 50, AT_MS).salt != made.salt


def test_the_more_join_from_a_network_the_longer_it_takes_up_to_an_end() -> None:
    assert numbers_for(0) == numbers_for(proof.FREE_JOINS) == proof.LEAST
    assert numbers_for(2 * proof.FREE_JOINS) == 2 * proof.LEAST
    assert numbers_for(10**9) == proof.MOST


@pytest.mark.parametrize(
    ("policy", "joins", "is_strained", "asked"),
    [
        ("off", 10**6, True, False),
        ("under-pressure", 0, False, False),
        ("under-pressure", proof.FREE_JOINS - 1, False, False),
        ("under-pressure", proof.FREE_JOINS, False, True),
        ("under-pressure", 0, True, True),
        ("always", 0, False, True),
    ],
)
def test_it_is_asked_for_as_the_house_says(policy: str, joins: int, *, is_strained: bool, asked: bool) -> None:
    assert is_asked(policy, joins, is_strained=is_strained) is asked
