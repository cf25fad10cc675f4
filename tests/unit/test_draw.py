import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.draw import ALGORITHM, Draw, Transcript, commitment, decode, encode, new_seed, verify
from engine.errors import BadInput

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "draw.json").read_text())


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: str(vector["entrants"]))
def test_the_shared_vectors_hold(vector: dict[str, Any]) -> None:
    seed = decode(vector["seed"])
    assert commitment(seed) == vector["commitment"]
    drawn = Draw(seed, vector["entrants"])
    assert [[index, drawn.position(index)] for index, _ in vector["positions"]] == vector["positions"]


@settings(max_examples=40, deadline=None)
@given(seed=st.binary(min_size=32, max_size=32), entrants=st.integers(1, 3000))
def test_a_draw_is_a_permutation(seed: bytes, entrants: int) -> None:
    assert sorted(Draw(seed, entrants).positions()) == list(range(entrants))


def test_whoever_came_after_the_start_keeps_the_order_of_arrival() -> None:
    drawn = Draw(new_seed(), 100)
    assert [drawn.position(index) for index in (100, 101, 5000)] == [100, 101, 5000]


def test_positions_are_uniform_and_know_nothing_of_arrival() -> None:
    """χ² over 20 × 20 cells of (arrival, position); the bound is the 99.9 % point, over fixed seeds."""
    entrants, cells, rounds = 200, 20, 300
    counts = [[0] * cells for _ in range(cells)]
    for number in range(rounds):
        drawn = Draw(number.to_bytes(32, "big"), entrants)
        for index in range(entrants):
            counts[index * cells // entrants][drawn.position(index) * cells // entrants] += 1
    expected = entrants * rounds / cells**2
    chi_squared = sum((count - expected) ** 2 / expected for row in counts for count in row)
    assert chi_squared < 450  # (20-1)² = 361 degrees of freedom: 450 is its 99.9 % point


def _transcript(**changed: Any) -> Transcript:
    seed = new_seed()
    fields: dict[str, Any] = {
        "algorithm": ALGORITHM,
        "commitment": commitment(seed),
        "seed": encode(seed),
        "entrants": 50,
        "positions": tuple(Draw(seed, 50).positions()),
    }
    return Transcript(**(fields | changed))


def test_a_published_draw_is_verified_from_its_transcript_alone() -> None:
    assert verify(_transcript()) == ()


def test_a_changed_draw_is_detected() -> None:
    honest = _transcript()
    swapped = (honest.positions[1], honest.positions[0], *honest.positions[2:])
    assert len(verify(_transcript(seed=honest.seed, commitment=honest.commitment, positions=swapped))) == 2
    assert verify(_transcript(commitment=commitment(b"another")))
    assert verify(_transcript(positions=(1, 0)))


def test_cannot_verify_an_unknown_algorithm() -> None:
    with pytest.raises(BadInput):
        verify(_transcript(algorithm="fisher-yates-by-hand"))
