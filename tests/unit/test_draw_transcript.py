"""A published draw is checked from what is published alone, and a changed bit shows."""

from typing import Any

import msgspec
import pytest

from engine.draw import ALGORITHM, Draw, Transcript, commitment, encode, read_transcript, verify
from engine.errors import BadInput

SEED = bytes(range(32))
ENTRANTS = 12


def transcript() -> bytes:
    positions = tuple(Draw(SEED, ENTRANTS).positions())
    return msgspec.json.encode(Transcript(ALGORITHM, commitment(SEED), encode(SEED), ENTRANTS, positions))


def status(**drawn: Any) -> bytes:
    """A public status as somebody saved it."""
    fields = {"algorithm": ALGORITHM, "commitment": commitment(SEED), "entrants": ENTRANTS, "seed": encode(SEED)}
    document = {
        "phase": "open",
        "lines": {"public": {"now_serving": 3, "joined": ENTRANTS, "per_minute": 60}},
        "draw": {name: value for name, value in (fields | drawn).items() if value is not None},
        "seats_open": {"Rang 1": 4},
        "epoch": 3,
    }
    return msgspec.json.encode(document)


def is_right(data: bytes) -> bool:
    try:
        return verify(read_transcript(data)) == ()
    except BadInput:
        return False


def test_a_transcript_and_a_saved_status_are_enough() -> None:
    assert is_right(transcript())
    assert is_right(status())
    assert read_transcript(status()).entrants == ENTRANTS
    assert is_right(msgspec.json.format(status(), indent=2))


def test_a_changed_bit_anywhere_in_a_transcript_shows() -> None:
    data = transcript()
    for place in range(len(data)):
        for bit in range(8):
            changed = bytearray(data)
            changed[place] ^= 1 << bit
            assert not is_right(bytes(changed)), bytes(changed)


def test_a_changed_bit_of_the_draw_in_a_status_shows() -> None:
    """Every one but those of the number of entrants, of which a transcript has the proof."""
    data = status()
    start, end = data.index(b'"draw":') + len(b'"draw":'), data.index(b',"seats_open"')
    number = data.index(b'"entrants":') + len(b'"entrants":')
    for place in set(range(start, end)) - {number, number + 1}:
        for bit in range(8):
            changed = bytearray(data)
            changed[place] ^= 1 << bit
            assert not is_right(bytes(changed)), bytes(changed)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (
            status(entrants=None, seed=None),
            f"has not been made yet; keep its commitment, to compare: {commitment(SEED)}",
        ),
        (status(entrants=ENTRANTS + 1), "tells of 13 entrants, and the lines of 12"),
        (status(entrants=-1), "does not lie between 0 and"),
        (status(entrants=10**12).replace(b'"joined":12', b'"joined":1000000000000'), "does not lie between 0 and"),
        (status(entrants=1.5), "neither a draw's transcript nor"),
        (status(seed="AAAA"), "not the base64url of 32 bytes"),
        (status(seed="a"), "not the base64url of 32 bytes"),
        (status(seed=encode(SEED) + "="), "not the base64url of 32 bytes"),
        (status(seed=encode(SEED)[:20] + "\n" + encode(SEED)[20:]), "not the base64url of 32 bytes"),
        (status(seed="é" * 43), "not the base64url of 32 bytes"),
        (status(algorithm="by-hand"), "the draw's algorithm 'by-hand' is not"),
        (b"", "neither"),
        (b"[]", "neither"),
        (b"\xff", "neither"),
        (b"{}", "neither"),
        (b"[" * 100_000, "neither"),
    ],
)
def test_what_cannot_be_checked_is_refused_in_words(data: bytes, why: str) -> None:
    with pytest.raises(BadInput, match=why.replace("(", r"\(")):
        verify(read_transcript(data))


def test_another_seed_than_was_committed_to_is_a_fault() -> None:
    faults = verify(read_transcript(status(seed=encode(bytes(32)))))
    assert faults == ("the seed is not the one that was committed to beforehand",)
