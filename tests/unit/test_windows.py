"""Window fairness: earlier windows first, a fair draw inside each; what is published of it can be checked."""

import itertools
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import verifier, windows
from engine.catalogue import OnSale
from engine.claims import bits_of
from engine.draw import ALGORITHM, Mixed, commitment, decode, encode, mix, new_seed
from engine.drawing import mixed_of, starts_as
from engine.errors import BadInput
from engine.windows import MOST_LATER, MOST_WINDOWS, Later, Order, check_windows, ends_of
from engine.words import HouseSlug, LineName, OnSaleId
from loadtests.draw import position_of

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "draw.json").read_text())
VECTOR = next(each for each in VECTORS["draws"] if "windows" in each["transcript"])
TOLD = VECTOR["transcript"]
SIZES = st.lists(st.integers(1, 40), min_size=1, max_size=12)


def on_sale(seconds: int, before_s: int = 3600) -> OnSale:
    return OnSale(OnSaleId("spring"), "Spring", (), 1_000, 1_000 + before_s * 1000, fair_window_seconds=seconds)


@settings(max_examples=60, deadline=None)
@given(seed=st.binary(min_size=32, max_size=32), sizes=SIZES)
def test_every_window_is_a_permutation_of_its_own_and_earlier_ones_come_first(seed: bytes, sizes: list[int]) -> None:
    ends = tuple(itertools.accumulate(sizes))
    order = Order(encode(seed), ends[-1], ends)
    positions = list(order.positions())
    for start, end in itertools.pairwise((0, *ends)):
        assert sorted(positions[start:end]) == list(range(start, end))
    assert [order.position(ends[-1] + more) for more in (0, 1, 7)] == [ends[-1] + more for more in (0, 1, 7)]


@settings(max_examples=30, deadline=None)
@given(sizes=SIZES)
def test_all_who_know_a_position_agree(sizes: list[int]) -> None:
    ends, seed = tuple(itertools.accumulate(sizes)), encode(new_seed())
    order = Order(seed, ends[-1], ends)
    check = verifier.positions(told_of(seed, ends, Later(1, ends[-1:], seed)))
    for index in range(ends[-1] + 3):
        position = order.position(index)
        assert position == position_of(seed, ends[-1], ends, index)
        assert check(index) == (position if index < ends[-1] else None)
    for below in {0, ends[0], ends[-1] // 2, ends[-1]}:
        bits = bits_of(seed, ends[-1], below, ends)
        called = {index for index in range(8 * len(bits)) if bits[index >> 3] & (0x80 >> (index & 7))}
        assert called == {index for index, position in enumerate(order.positions()) if position < below}


def test_inside_a_window_the_order_is_uniform_and_knows_nothing_of_arrival() -> None:
    """χ² over cells of (arrival, position), for each of three windows; the bound is the 99.9 % point, fixed seeds."""
    ends, rounds, cells = (40, 140, 340), 400, 10
    counts = {end: [[0] * cells for _ in range(cells)] for end in ends}
    for number in range(rounds):
        positions = list(Order(encode(number.to_bytes(32, "big")), ends[-1], ends).positions())
        for start, end in itertools.pairwise((0, *ends)):
            for index, position in enumerate(positions[start:end], start):
                cell, drawn = ((each - start) * cells // (end - start) for each in (index, position))
                counts[end][cell][drawn] += 1
    for start, end in itertools.pairwise((0, *ends)):
        expected = (end - start) * rounds / cells**2
        squared = sum((count - expected) ** 2 / expected for row in counts[end] for count in row)
        assert squared < 126  # 81 degrees of freedom


def test_windows_are_drawn_each_for_itself() -> None:
    order = Order(encode(bytes(32)), 200, (100, 200))
    positions = list(order.positions())
    assert positions[:100] != [position - 100 for position in positions[100:]]


def test_without_windows_the_text_is_what_it_was() -> None:
    mixed = Mixed("house/sale/public", "2026-01-01T00:00:00.000Z", 0, 5, encode(bytes(32)))
    seed = mix(bytes(32), mixed)
    assert encode(seed) == "MEFWfce18vboyU56rX8HXivxnIirHUabEHpAKfvpH3U"
    assert seed != mix(bytes(32), msgspec.structs.replace(mixed, window_seconds=60, anchor="x", windows=(5,)))


def test_what_is_mixed_is_what_the_on_sale_says() -> None:
    made = msgspec.structs.replace(on_sale(60), draw=ALGORITHM, commitment=commitment(bytes(32)))
    mixed = mixed_of(HouseSlug("zeewind"), made, LineName("public"), 7, "root", "", "3 7")
    assert (mixed.window_seconds, mixed.windows) == (60, (3, 7))
    assert starts_as(made)["fair_window_ms"] == 60_000
    assert "fair_window_ms" not in starts_as(msgspec.structs.replace(made, fair_window_seconds=0))
    assert ends_of("") == ()


def is_right(data: bytes) -> bool:
    try:
        return not verifier.faults(verifier.read(data))
    except ValueError:
        return False


def test_a_changed_bit_anywhere_in_a_transcript_shows() -> None:
    """But for where windows after the start have ended: that stands in each signed status of its time."""
    data = msgspec.json.encode(TOLD)
    assert is_right(data)
    borders = range(data.index(b'"borders":[40,') + 14, data.index(b"60]"))
    for place in set(range(data.index(b'"secret_hashes"') + 60)) - set(borders) - {borders.stop, borders.stop + 1}:
        for bit in range(8):
            changed = bytearray(data)
            changed[place] ^= 1 << bit
            assert not is_right(bytes(changed)), bytes(changed)


@pytest.mark.parametrize("windows", [[1, 3, 13, 40], [1, 3, 40], [1, 2, 3, 12, 40], [40]])
def test_a_border_cannot_be_moved_after_the_fact(windows: list[int]) -> None:
    assert verifier.faults(verifier.read(msgspec.json.encode(TOLD | {"windows": windows}))) == [
        "the seed does not come of the secret, the list and the contributions"
    ]


@pytest.mark.parametrize(
    "windows", [[], [1, 3, 12], [3, 1, 40], [1, 1, 40], [1, 3, 41], [1.0, 40], [True, 40], 40, None]
)
def test_windows_that_cannot_be_are_refused(windows: object) -> None:
    with pytest.raises(ValueError, match=r"windows|neither"):
        verifier.read(msgspec.json.encode(TOLD | {"windows": windows}))


def test_the_rule_tells_of_windows_exactly_where_there_are_any() -> None:
    without = {name: value for name, value in TOLD.items() if name != "windows"}
    for told in (
        without,
        {name: value for name, value in TOLD.items() if name != "later"},
        TOLD | {"rule": {"planned_at": "x", "after_ms": 0}},
    ):
        with pytest.raises(ValueError, match="too much, or too little"):
            verifier.read(msgspec.json.encode(told))


@pytest.mark.parametrize(
    ("seconds", "before_s", "why"),
    [
        (-1, 3600, "between 0"),
        (3601, 3600, "between 0"),
        (1, MOST_WINDOWS, "at least 2"),
        (1, 86_400, "at least 58"),
        (57, 86_400, "at least 58"),
    ],
)
def test_windows_that_cannot_be_meant_are_refused(seconds: int, before_s: int, why: str) -> None:
    with pytest.raises(BadInput, match=why):
        check_windows(on_sale(seconds, before_s))


@pytest.mark.parametrize(
    ("seconds", "before_s"), [(0, 10**7), (1, 0), (1, MOST_WINDOWS - 1), (58, 86_400), (3600, 86_400)]
)
def test_windows_that_can_be_meant_are_taken(seconds: int, before_s: int) -> None:
    check_windows(on_sale(seconds, before_s))


SECRET = encode(b"c" * 32)
LATER_SIZES = st.lists(st.integers(1, 30), max_size=8)


def later_of(entrants: int, sizes: list[int]) -> Later:
    """The windows after the start that have ended, of these sizes."""
    borders = tuple(itertools.accumulate(sizes, initial=entrants))
    return Later(1, borders, windows._chain(SECRET)[len(sizes)])


def told_of(order_seed: str, ends: tuple[int, ...], later: Later) -> dict[str, Any]:
    told = msgspec.to_builtins(later) | {"borders": list(later.borders)}
    return {"seed": order_seed, "entrants": ends[-1], "windows": list(ends), "later": told}


@settings(max_examples=40, deadline=None)
@given(sizes=SIZES, after=LATER_SIZES, served=st.integers(0, 300))
def test_after_the_start_windows_follow_each_other_and_all_who_know_a_position_agree(
    sizes: list[int], after: list[int], served: int
) -> None:
    ends, seed = tuple(itertools.accumulate(sizes)), encode(new_seed())
    later = later_of(ends[-1], after)
    order = Order(seed, ends[-1], ends, later)
    for start, end in itertools.pairwise(later.borders):
        assert {order.position(index) for index in range(start, end)} == set(range(start, end))
    assert order.position(later.borders[-1]) is None
    check = verifier.positions(told_of(seed, ends, later))
    trimmed = later.from_served(served)
    fewer, fewer_checked = Order(seed, ends[-1], ends, trimmed), verifier.positions(told_of(seed, ends, trimmed))
    for index in range(later.borders[-1] + 3):
        position = order.position(index)
        assert position == check(index)
        assert fewer.position(index) == fewer_checked(index)
        if fewer.position(index) != position:  # all of that window have been called
            assert position is not None
            assert max(position, fewer.position(index) or 0) < served
    bits = bits_of(seed, ends[-1], served, ends, later)
    called = {index for index in range(8 * len(bits)) if bits[index >> 3] & (0x80 >> (index & 7))}
    known = {index: order.position(index) for index in range(later.borders[-1])}
    assert {index for index, position in known.items() if position is not None and position < served} <= called
    if served < later.borders[-1]:
        assert len(called) == served


def test_after_the_start_too_the_order_inside_a_window_is_uniform() -> None:
    """χ² over cells of (arrival, position) in many windows of one chain, at the 99.9 % point."""
    size, count, cells = 50, 400, 10
    order = Order(encode(bytes(32)), 0, (0,), later_of(0, [size] * count))
    counts = [[0] * cells for _ in range(cells)]
    for index in range(size * count):
        position = order.position(index)
        assert position is not None
        counts[index % size * cells // size][position % size * cells // size] += 1
    expected = size * count / cells**2
    assert sum((found - expected) ** 2 / expected for row in counts for found in row) < 126  # 81 degrees of freedom


def test_behind_the_last_window_everybody_keeps_the_order_of_arrival() -> None:
    later = later_of(3, [1] * MOST_LATER)
    order = Order(encode(bytes(32)), 3, (3,), later)
    check = verifier.positions(told_of(encode(bytes(32)), (3,), later))
    assert [order.position(index) for index in (4, 5_002, 5_003, 9_999)] == [4, 5_002, 5_003, 9_999]
    assert [check(index) for index in (4, 5_002, 5_003, 9_999)] == [4, 5_002, 5_003, 9_999]
    assert Order(encode(bytes(32)), 3, (3,), later_of(3, [1] * (MOST_LATER - 1))).position(5_002) is None


def test_a_seed_leads_to_the_earlier_ones_and_the_anchor() -> None:
    seeds = windows._chain(SECRET)
    assert len(seeds) == MOST_LATER + 1
    assert all(encode(windows.earlier(decode(behind))) == seed for seed, behind in itertools.pairwise(seeds))
    assert seeds[-1] == SECRET


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"seed": encode(bytes(32))}, "does not lead to the anchor"),
        ({"borders": [40, 43, 60]}, "does not lead to the anchor"),
        ({"first": 2, "borders": [41, 43, 44, 60]}, "does not lead to the anchor"),
        ({"seed": "x"}, "base64url of 32 bytes"),
        ({"borders": [41, 43, 44, 60]}, "begin with all entrants"),
        ({"first": 0}, "begin with all entrants"),
        ({"first": 4_999, "borders": [41, 42, 43, 44]}, "too many"),
        ({"borders": []}, "one after the other"),
        ({"borders": [40, 40]}, "one after the other"),
        ({"borders": [40, 43.0]}, "one after the other"),
        ({"first": None}, "one after the other"),
    ],
)
def test_what_is_wrong_with_windows_after_the_start_is_said(changed: dict[str, Any], why: str) -> None:
    try:
        found = verifier.faults(verifier.read(msgspec.json.encode(TOLD | {"later": TOLD["later"] | changed})))
    except ValueError as error:
        found = [str(error)]
    assert any(why in each for each in found), found


def test_the_shared_vectors_of_windows_after_the_start_hold() -> None:
    later = Later(TOLD["later"]["first"], tuple(TOLD["later"]["borders"]), TOLD["later"]["seed"])
    order, check = Order(TOLD["seed"], TOLD["entrants"], TOLD["windows"], later), verifier.positions(TOLD)
    for index, position in VECTOR["later"]:
        assert order.position(index) == check(index) == position
    assert len({position for _, position in VECTOR["later"]}) > 2


def test_a_window_and_a_safety_net_do_not_go_together() -> None:
    with pytest.raises(BadInput, match="choose one"):
        check_windows(msgspec.structs.replace(on_sale(60), safety_net_per_minute=5))
