import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import verifier
from engine.draw import Draw, Mixed, commitment, decode, encode, mix, new_seed
from engine.pass_keys import STATEMENT
from engine.signed import verify
from engine.tree import Frontier, leaf, root_by
from engine.windows import Order

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


@pytest.mark.parametrize("vector", VECTORS["draws"], ids=lambda vector: str(vector["transcript"]["entrants"]))
def test_the_shared_transcripts_hold(vector: dict[str, Any]) -> None:
    told = vector["transcript"]
    assert verifier.faults(told) == []
    for house, text, signature in verifier.signed(told):
        verify(text, signature, VECTORS["keys"][house], STATEMENT)
    assert root_of(vector) == told["root"]
    made = Order(told["seed"], told["entrants"], told.get("windows", ()))
    for each in vector["entrants"]:
        hashed = leaf(each["index"], each["secret_hash"])
        assert encode(hashed) == each["leaf"]
        assert root_by(hashed, each["index"], told["entrants"], [decode(node) for node in each["path"]]) == decode(
            told["root"]
        )
        assert made.position(each["index"]) == verifier.positions(told)(each["index"]) == each["position"]


def root_of(vector: dict[str, Any]) -> str:
    """By the engine's own tree."""
    tree, told = Frontier(), vector["transcript"]
    tree.fold(((index, each) for index, each in enumerate(told["secret_hashes"]) if each), told["entrants"])
    return encode(tree.root())


def test_the_order_of_a_whole_draw_is_uniform_and_knows_nothing_of_arrival() -> None:
    """Secret, tree and all, over 20 draws: χ² on deciles of (arrival, position), and Spearman's correlation."""
    entrants, counts, correlations = 5_000, [[0] * 10 for _ in range(10)], []
    for number in range(20):
        tree = Frontier()
        tree.fold(((index, commitment(b"%d %d" % (number, index))) for index in range(entrants)), entrants)
        mixed = Mixed("house/sale/public", "2026-01-01T00:00:00.000Z", 0, entrants, encode(tree.root()))
        made = Draw(mix(number.to_bytes(32, "big"), mixed), entrants)
        positions = list(made.positions())
        for index, position in enumerate(positions):
            counts[index * 10 // entrants][position * 10 // entrants] += 1
        apart = sum((index - position) ** 2 for index, position in enumerate(positions))
        correlations.append(1 - 6 * apart / (entrants * (entrants**2 - 1)))
    expected = entrants * 20 / 100
    assert sum((count - expected) ** 2 / expected for row in counts for count in row) < 126  # 81 degrees: 99.9 %
    assert max(map(abs, correlations)) < 4 / entrants**0.5  # four standard deviations
    assert abs(sum(correlations) / 20) < 4 / (20 * entrants) ** 0.5


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
