"""A published draw is checked from what is published alone, and a changed bit shows."""

import hashlib
import json
import subprocess
import sys
from typing import Any

import msgspec
import pytest

from engine import verifier
from engine.catalogue import Contributor, OnSale
from engine.contributions import commitment_of
from engine.draw import ALGORITHM, PERMUTATION, Draw, commitment, decode, encode, mix
from engine.drawing import MISSING, Drawn, mixed_of, told_of, transcript_of
from engine.tree import Frontier
from engine.words import HouseSlug, LineName, OnSaleId

SECRET = bytes(range(32))
HOUSE, PUBLIC = HouseSlug("zeewind"), LineName("public")
PLANNED_MS = 1_790_000_000_000
HASHES = ("", *(encode(hashlib.sha256(b"%d" % index).digest()) for index in range(6)))
HASHES = (*HASHES[1:4], "", *HASHES[4:])
CONTRIBUTED = encode(hashlib.sha256(b"another house").digest())


def on_sale(*, contributors: bool = True) -> OnSale:
    of = (HOUSE, OnSaleId("spring"), PUBLIC, PLANNED_MS)
    named = tuple(Contributor(house, commitment_of(house, *of, CONTRIBUTED)) for house in ("klinker", "mirage"))
    return OnSale(
        on_sale=OnSaleId("spring"),
        title="Spring",
        performances=(),
        prequeue_at_ms=PLANNED_MS - 1,
        opens_at_ms=PLANNED_MS,
        commitment=commitment(SECRET),
        draw=ALGORITHM,
        contributors=named if contributors else (),
    )


def drawn(sale: OnSale) -> Drawn:
    """Of the two other houses, one has not revealed what it committed to."""
    tree = Frontier()
    tree.fold(((index, each) for index, each in enumerate(HASHES) if each), len(HASHES))
    root, contributions = encode(tree.root()), f"{CONTRIBUTED} {MISSING}" if sale.contributors else ""
    seed = mix(SECRET, mixed_of(HOUSE, sale, PUBLIC, len(HASHES), root, contributions))
    known = (ALGORITHM, sale.commitment, len(HASHES), PLANNED_MS + sale.draw_after_ms)
    return Drawn(*known, encode(SECRET), encode(seed), root, contributions)


def transcript(*, contributors: bool = True) -> dict[str, Any]:
    sale = on_sale(contributors=contributors)
    return {**transcript_of(HOUSE, sale, PUBLIC, drawn(sale)), "secret_hashes": list(HASHES)}


def status(**changed: Any) -> bytes:
    """A public status as somebody saved it."""
    sale = on_sale()
    document = {
        "house": HOUSE,
        "on_sale": "spring",
        "phase": "open",
        "lines": {"public": {"now_serving": 3, "joined": len(HASHES), "per_minute": 60}},
        "draw": {name: value for name, value in (told_of(sale, drawn(sale)) | changed).items() if value is not None},
        "seats_open": {"Rang 1": 4},
        "epoch": 3,
    }
    return msgspec.json.encode(document)


def is_right(data: bytes) -> bool:
    try:
        return not verifier.faults(verifier.read(data))
    except ValueError:
        return False


def test_a_transcript_and_a_saved_status_are_enough() -> None:
    for data in (msgspec.json.encode(transcript()), msgspec.json.encode(transcript(contributors=False)), status()):
        assert is_right(data)
        assert is_right(msgspec.json.format(data, indent=2))
    assert verifier.withheld(verifier.read(status())) == ["mirage"]


def test_it_finds_the_engines_own_positions() -> None:
    told = verifier.read(status())
    for entrants in (0, 1, 2, 9, 1500):
        made = Draw(decode(told["seed"]), entrants)
        position = verifier.positions(told | {"entrants": entrants})
        assert [position(index) for index in range(entrants + 3)] == [made.position(n) for n in range(entrants + 3)]


@pytest.mark.parametrize("contributors", [True, False])
def test_a_changed_bit_anywhere_in_a_transcript_shows(contributors: bool) -> None:
    data = msgspec.json.encode(transcript(contributors=contributors))
    for place in range(len(data)):
        for bit in range(8):
            changed = bytearray(data)
            changed[place] ^= 1 << bit
            assert not is_right(bytes(changed)), bytes(changed)


def test_a_changed_bit_of_the_draw_in_a_status_shows() -> None:
    data = status()
    start, end = data.index(b'"draw":') + len(b'"draw":'), data.index(b',"seats_open"')
    for place in range(start, end):
        for bit in range(8):
            changed = bytearray(data)
            changed[place] ^= 1 << bit
            assert not is_right(bytes(changed)), bytes(changed)


def _another(**changed: Any) -> bytes:
    return msgspec.json.encode(transcript() | changed)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (status(secret=encode(bytes(32))), "the secret is not the one that was committed to beforehand"),
        (status(seed=encode(bytes(32))), "the seed does not come of the secret, the list and the contributions"),
        (_another(secret_hashes=[*HASHES[:-1], HASHES[0]]), "the list is not the one of the root"),
        (_another(secret_hashes=HASHES[:-1]), "6 are listed, and 7 were drawn"),
    ],
)
def test_what_is_wrong_is_said(data: bytes, why: str) -> None:
    assert why in verifier.faults(verifier.read(data))


def test_what_a_house_contributes_is_what_it_committed_to() -> None:
    told = transcript()
    told["contributors"][0]["secret"] = encode(bytes(32))
    told["seed"] = verifier.seed_of(told)
    assert verifier.faults(told) == ["the contribution of klinker is not the one that it committed to"]
    del told["contributors"][0]["secret"]
    told["seed"] = verifier.seed_of(told)
    assert verifier.faults(told) == []
    assert verifier.withheld(told) == ["klinker", "mirage"]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (status(entrants=None, root=None, secret=None, seed=None), "has not been made yet; keep its commitment"),
        (status(entrants=len(HASHES) + 1), "tells of 8 entrants, and the lines of 7"),
        (status(entrants=-1), "does not lie between 0 and"),
        (_another(entrants=10**12), "does not lie between 0 and"),
        (_another(entrants=1.5), "does not lie between 0 and"),
        (_another(entrants=True), "does not lie between 0 and"),
        (status(seed="AAAA"), "not the base64url of 32 bytes"),
        (status(seed=encode(SECRET) + "="), "not the base64url of 32 bytes"),
        (status(seed=encode(SECRET)[:20] + "\n" + encode(SECRET)[20:]), "not the base64url of 32 bytes"),
        (status(seed="é" * 43), "not the base64url of 32 bytes"),
        (status(seed=7), "not the base64url of 32 bytes"),
        (status(algorithm="by-hand"), "the draw's algorithm 'by-hand' is not"),
        (status(rule=None), "it names rule"),
        (status(more=1), "it names more"),
        (status(rule={"after_ms": 1}), "its rule is not one"),
        (status(contributors=[{"house": "x"}]), "its contributors are not"),
        (status(contributors=[7]), "neither"),
        (b"", "neither"),
        (b"[]", "neither"),
        (b"\xff", "neither"),
        (b"{}", "neither"),
        (b'{"draw": {"seed": 1}}', "neither"),
        (b"[" * 100_000, "neither"),
    ],
)
def test_what_cannot_be_checked_is_refused_in_words(data: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why.replace("(", r"\(")):
        verifier.faults(verifier.read(data))


def test_a_draw_of_an_earlier_release_is_checked_by_its_own_rules() -> None:
    document = json.loads(status())
    document["draw"] = {
        "algorithm": PERMUTATION,
        "commitment": commitment(SECRET),
        "entrants": 7,
        "seed": encode(SECRET),
    }
    told = verifier.read(json.dumps(document).encode())
    assert verifier.faults(told) == []
    assert verifier.positions(told)(3) == Draw(SECRET, 7).position(3)
    document["draw"]["seed"] = encode(bytes(32))
    assert verifier.faults(verifier.read(json.dumps(document).encode())) == [
        "the secret is not the one that was committed to beforehand"
    ]


def test_no_other_seed_passes_for_a_draw_of_an_earlier_release() -> None:
    told = {"algorithm": PERMUTATION, "commitment": commitment(SECRET), "entrants": 6, "secret": encode(SECRET)}
    assert verifier.faults(verifier.read(msgspec.json.encode(told | {"seed": encode(SECRET)}))) == []
    assert verifier.faults(verifier.read(msgspec.json.encode(told | {"seed": CONTRIBUTED}))) == [
        "the seed is not the secret"
    ]


def test_the_verifier_stands_alone(tmp_path: Any) -> None:
    file = tmp_path / "draw.json"

    def run() -> tuple[int, str]:
        command = [sys.executable, "-I", str(verifier.__file__), str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
        return done.returncode, done.stderr

    file.write_bytes(msgspec.json.encode(transcript()))
    assert run() == (0, "")
    file.write_bytes(_another(root=encode(bytes(32))))
    code, told = run()
    assert code == 1
    assert "the list is not the one of the root" in told
