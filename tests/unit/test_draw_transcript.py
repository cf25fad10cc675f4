"""A published draw is checked from what is published alone, and a changed bit shows."""

import hashlib
import json
import subprocess
import sys
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import verifier
from engine.catalogue import Contributor, OnSale
from engine.cli.draws import broken_promises, promised
from engine.contributions import commitment_of
from engine.draw import ALGORITHM, PERMUTATION, Draw, commitment, decode, encode, mix
from engine.drawing import MISSING, Drawn, bound_of, mixed_of, not_drawn, told_of, transcript_of
from engine.errors import BadInput, ForgedToken
from engine.pass_keys import STATEMENT, PassKey, new_key
from engine.signed import verify
from engine.statements import Statement
from engine.tree import Frontier
from engine.words import HouseSlug, LineName, OnSaleId

SECRET = bytes(range(32))
HOUSE, PUBLIC = HouseSlug("zeewind"), LineName("public")
PLANNED_MS = 1_790_000_000_000
HASHES = ("", *(encode(hashlib.sha256(b"%d" % index).digest()) for index in range(6)))
HASHES = (*HASHES[1:4], "", *HASHES[4:])
CONTRIBUTED = encode(hashlib.sha256(b"another house").digest())
KLINKER = PassKey(0, new_key())
KEYS = {"keys": [KLINKER.jwk]}


def on_sale(*, contributors: bool = True, windows: bool = False) -> OnSale:
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
        fair_window_seconds=60 if windows else 0,
        anchor=encode(SECRET) if windows else "",
    )


def drawn(sale: OnSale) -> Drawn:
    """Of the two other houses, one has not revealed what it committed to."""
    tree = Frontier()
    tree.fold(((index, each) for index, each in enumerate(HASHES) if each), len(HASHES))
    root, contributions, windows = encode(tree.root()), "", f"3 {len(HASHES)}" if sale.fair_window_seconds else ""
    if sale.contributors:
        fixed = bound_of(HOUSE, sale, PUBLIC, len(HASHES), root, windows)
        statement = Statement(HOUSE, sale.on_sale, PUBLIC, PLANNED_MS, len(HASHES), root, fixed)
        signature = KLINKER.sign_apart(STATEMENT, statement.text("klinker", sale.contributors[0].commitment))
        contributions = f"{CONTRIBUTED},{signature} {MISSING}"
    seed = mix(SECRET, mixed_of(HOUSE, sale, PUBLIC, len(HASHES), root, contributions, windows))
    known = (ALGORITHM, sale.commitment, len(HASHES), PLANNED_MS + sale.draw_after_ms)
    return Drawn(*known, encode(SECRET), encode(seed), root, contributions, windows, "", sale.anchor)


def transcript(*, contributors: bool = True, windows: bool = False) -> dict[str, Any]:
    sale = on_sale(contributors=contributors, windows=windows)
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
        told = verifier.read(data)
        for _, text, signature in verifier.signed(told):
            verify(text, signature, KEYS, STATEMENT)
        return not verifier.faults(told)
    except (ValueError, ForgedToken):
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
    del told["contributors"][0]["secret"], told["contributors"][0]["signature"]
    told["seed"] = verifier.seed_of(told)
    assert verifier.faults(told) == []
    assert verifier.withheld(told) == ["klinker", "mirage"]


def _named(**changed: Any) -> bytes:
    """Of the first contributor something is said in another way."""
    told = transcript()
    told["contributors"][0] |= changed
    return msgspec.json.encode(told)


def _joined(number: Any) -> bytes:
    document = json.loads(status())
    document["lines"]["public"]["joined"] = number
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (status(entrants=None, root=None, secret=None, seed=None), "has not been made yet; keep its commitment"),
        (status(entrants=len(HASHES) + 1), "does not lie between 0 and 7"),
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
        (status(contributors=[7]), "its contributors are not"),
        (status(contributors=7), "its contributors are not"),
        (_named(house="klinker\n"), "the name of a contributor is not written as one"),
        (_named(house="klinker x"), "the name of a contributor is not written as one"),
        (_named(house=7), "the name of a contributor is not written as one"),
        (_named(house="mirage"), "a house contributes twice"),
        (_named(commitment=7), "the commitment of klinker is not the base64url"),
        (_named(secret=None), "the secret of klinker is not the base64url"),
        (_named(signature="x y..z"), "the signature of klinker is not written"),
        (_named(signature=7), "the signature of klinker is not written"),
        (_another(on_sale="spring\npublic"), "the on-sale is not written as one"),
        (_another(house=""), "the house is not written as one"),
        (_another(line=None), "the line is not written as one"),
        (_another(rule={"planned_at": "2026-09-21T14:13:20.000Z", "after_ms": "2000"}), "time until the draw"),
        (_another(rule={"planned_at": "2026-09-21T14:13:20.000Z", "after_ms": -1}), "time until the draw"),
        (_another(rule={"planned_at": "2026-09-21T14:13:20.000Z\n1", "after_ms": 1}), "planned start is not"),
        (_another(rule=7), "its rule is not one"),
        (_another(root=7), "the root is not the base64url"),
        (_another(secret_hashes="x"), "its secret hashes are no list"),
        (_another(secret_hashes=[7] * len(HASHES)), "secret hash of index 0 is not"),
        (_another(commitment=None), "the commitment is not the base64url"),
        (_joined("7"), "number of those who joined"),
        (_joined(-7), "number of those who joined"),
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
        return done.returncode, done.stdout + done.stderr

    file.write_bytes(msgspec.json.encode(transcript()))
    assert run() == (0, f"{len(HASHES)} entrants were drawn as committed to: {commitment(SECRET)}\n")
    file.write_bytes(_another(root=encode(bytes(32))))
    code, told = run()
    assert code == 1
    assert "the list is not the one of the root" in told
    file.write_bytes(msgspec.json.encode({"type": "/problems/draw-not-made", "status": 404}))
    assert run() == (1, f"{file}: this is neither a draw's transcript nor an on-sale's public status\n")
    file.unlink()
    code, told = run()
    assert code == 1
    assert "No such file" in told
    assert "Traceback" not in told


def test_what_was_revealed_without_a_signed_list_shows() -> None:
    told = transcript()
    del told["contributors"][0]["signature"]
    assert verifier.faults(told) == ["klinker revealed its contribution, and no list is there that it had signed"]
    del told["contributors"][0]["secret"]
    told["seed"] = verifier.seed_of(told)
    assert verifier.faults(told) == []


@pytest.mark.parametrize(
    "changed",
    [
        *({name: "another"} for name in ("house", "on_sale", "line")),
        *({name: encode(bytes(32))} for name in ("root", "commitment")),
        {"entrants": 6},
        {"windows": [2, len(HASHES)]},
        {"windows": [len(HASHES)]},
        *({"rule": each} for each in ({"after_ms": 2_001}, {"window_seconds": 61}, {"planned_at": "2026"})),
        {"contributors": {"commitment": CONTRIBUTED}},
        {"contributors": {"house": "marge"}},
    ],
)
def test_a_signature_leaves_nothing_of_a_draw_to_be_chosen(changed: dict[str, Any]) -> None:
    told = json.loads(msgspec.json.encode(transcript(windows=True)))
    ((_, text, signature),) = verifier.signed(told)
    verify(text, signature, KEYS, STATEMENT)
    (name,) = changed
    if name == "rule":
        told["rule"] |= changed["rule"]
    elif name == "contributors":
        told["contributors"][1] |= changed["contributors"]
    else:
        told |= changed
    ((_, text, _),) = verifier.signed(told)
    with pytest.raises(ForgedToken):
        verify(text, signature, KEYS, STATEMENT)


def test_a_draw_by_windows_with_contributions_is_right() -> None:
    assert is_right(msgspec.json.encode(transcript(windows=True)))


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.sampled_from([CONTRIBUTED, "klinker", ALGORITHM, PERMUTATION]),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=8), each, max_size=3),
    max_leaves=8,
)


def _changed(document: Any, place: list[int], value: Any) -> Any:
    """The same with something else at a place, as far down as that leads."""
    if not place or not isinstance(document, dict | list) or not document:
        return value
    key = list(document)[place[0] % len(document)] if isinstance(document, dict) else place[0] % len(document)
    made = document.copy()
    made[key] = _changed(document[key], place[1:], value)
    return made


@given(st.booleans(), st.booleans(), st.lists(st.integers(0, 20), max_size=4), json_values)
def test_whatever_stands_in_a_file_it_is_right_or_refused_in_words(
    is_status: bool, windows: bool, place: list[int], value: Any
) -> None:
    document = json.loads(status() if is_status else msgspec.json.encode(transcript(windows=windows)))
    changed = _changed(document, place, value)
    if is_right(json.dumps(changed).encode()):
        kept = changed["draw"] | {"lines": 0} if is_status else changed
        assert kept == (document["draw"] | {"lines": 0} if is_status else document)


@given(json_values, st.lists(st.integers(0, 20), max_size=4), st.sampled_from(["public", "friends"]))
def test_whatever_was_kept_from_before_a_draw_it_is_a_promise_or_refused_in_words(
    value: Any, place: list[int], line: str
) -> None:
    kept = json.loads(status()) | {"draw": json.loads(msgspec.json.encode(told_of(on_sale(), not_drawn(on_sale()))))}
    whole = promised(json.dumps(kept).encode(), "public")
    assert broken_promises(whole, transcript()) == []
    try:
        told = promised(json.dumps(_changed(kept, place, value)).encode(), line)
    except BadInput:
        return
    assert (broken_promises(told, transcript()) == []) == (told == whole)
