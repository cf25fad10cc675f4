"""The tree over entrants: as RFC 9162 says, however it grew, and a path leads nowhere else."""

import hashlib
import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.draw import encode
from engine.errors import BadInput
from engine.tree import (
    CHUNK,
    Frontier,
    decode_frontier,
    encode_frontier,
    leaf,
    node,
    path,
    root_by,
    subtree,
)


def secret_hash(index: int) -> str:
    return encode(hashlib.sha256(b"secret %d" % index).digest())


def leaves(count: int) -> list[bytes]:
    return [leaf(index, secret_hash(index)) for index in range(count)]


def by_definition(hashes: list[bytes]) -> bytes:
    """MTH of RFC 9162, 2.1.1, written down as it stands there."""
    if len(hashes) == 1:
        return hashes[0]
    k = max(1 << bits for bits in range(40) if 1 << bits < len(hashes))
    return node(by_definition(hashes[:k]), by_definition(hashes[k:]))


@pytest.mark.parametrize("count", [*range(1, 70), 1023, 1024, 1025, 2049])
def test_a_tree_that_grew_has_the_root_of_the_definition(count: int) -> None:
    frontier = Frontier()
    for hashed in leaves(count):
        frontier.append(hashed)
    assert frontier.root() == by_definition(leaves(count))
    assert len(frontier.roots) == count.bit_count()
    assert decode_frontier(encode_frontier(frontier)) == frontier


def test_an_empty_tree_has_a_root_too() -> None:
    assert Frontier().root() == hashlib.sha256(b"").digest()
    assert decode_frontier(None) == Frontier()
    with pytest.raises(BadInput):
        subtree([])


@settings(max_examples=60, deadline=None)
@given(count=st.integers(1, 300), seed=st.integers(0, 2**32))
def test_it_does_not_matter_in_which_pieces_it_grew_nor_that_some_came_twice(count: int, seed: int) -> None:
    draw = random.Random(seed)
    gone = {index for index in range(count) if draw.random() < 0.1}
    whole = Frontier()
    whole.fold(((index, secret_hash(index)) for index in range(count) if index not in gone), count)
    assert whole.root() == by_definition(
        [leaf(index, "" if index in gone else secret_hash(index)) for index in range(count)]
    )
    pieces, at = Frontier(), 0
    while at < count:
        upto = min(count, at + draw.randint(1, 60))
        again = draw.randint(0, at)
        pieces = pieces.copy()
        pieces.fold(((index, secret_hash(index)) for index in range(again, upto) if index not in gone), upto)
        at = upto
    assert pieces == whole


def test_nobody_behind_the_end_is_in_the_tree() -> None:
    tree, longer = Frontier(), Frontier()
    tree.fold(((index, secret_hash(index)) for index in range(9)), 5)
    longer.fold(((index, secret_hash(index)) for index in range(5)), 5)
    assert tree == longer


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, 9, 31, 33, 100])
def test_each_path_leads_from_its_leaf_to_the_root_and_from_no_other(count: int) -> None:
    hashes = leaves(count)
    root = subtree(hashes)
    for index, hashed in enumerate(hashes):
        beside = path(hashes, index)
        assert root_by(hashed, index, count, beside) == root
        assert root_by(leaf(index, secret_hash(index + 1)), index, count, beside) != root
        others = [other for other in range(-1, count + 2) if other != index]
        assert all(root_by(leaf(max(0, other), secret_hash(index)), other, count, beside) != root for other in others)
        for changed in (beside[1:], [*beside, root], beside[::-1] if beside != beside[::-1] else [root]):
            assert changed == beside or root_by(hashed, index, count, changed) != root


@pytest.mark.parametrize("count", [CHUNK, CHUNK + 1, 3 * CHUNK, 5 * CHUNK - 1, 6 * CHUNK + 7])
def test_a_path_in_a_chunk_and_one_over_the_roots_of_chunks_are_the_path(count: int) -> None:
    hashes = leaves(count)
    chunks = [hashes[at : at + CHUNK] for at in range(0, count, CHUNK)]
    roots = [subtree(chunk) for chunk in chunks]
    assert subtree(roots) == subtree(hashes)
    for index in {0, 1, CHUNK - 1, count // 2, count - 1}:
        chunk = index // CHUNK
        assert path(chunks[chunk], index % CHUNK) + path(roots, chunk) == path(hashes, index)


def test_an_index_that_nobody_has_is_no_visitor() -> None:
    assert leaf(3, "") == hashlib.sha256(b"\0" + (3).to_bytes(8, "big")).digest()
    assert leaf(3, "no hash at all") == leaf(3, "é") == leaf(3, "AAAA") == leaf(3, "")
    assert len({leaf(index, each) for index, each in itertools.product((3, 4), (secret_hash(1), secret_hash(2)))}) == 4
