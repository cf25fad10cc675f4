"""What the ledger's cursor and a cell's sequence say of a Redis; what a process remembers of what it confirmed."""

import pytest

from engine import promised
from engine.entries import Order
from engine.ledger.recoveries import CellStanding
from engine.losses import compare, is_after
from engine.promised import Confirmed, Promised
from engine.words import OnSaleId, OrderId


@pytest.mark.parametrize(
    ("first", "second", "is_so"),
    [("5-0", "4-9", True), ("5-10", "5-9", True), ("5-0", "5-0", False), ("9-0", "10-0", False)],
)
def test_stream_ids_are_compared_as_numbers(first: str, second: str, *, is_so: bool) -> None:
    assert is_after(first, second) is is_so


@pytest.mark.parametrize(
    ("cursor", "last_id", "known", "seen", "sequence", "kind", "operations"),
    [
        ("0-0", "0-0", 0, 0, 0, "none", 0),
        ("5-0", "5-0", 40, 41, 41, "none", 0),
        ("5-0", "7-0", 40, 0, 45, "none", 0),
        ("5-0", "4-0", 40, 0, 30, "from_the_past", 10),
        ("5-0", "0-0", 40, 44, 0, "from_the_past", 44),
        ("5-0", "4-0", 0, 0, 0, "from_the_past", 0),
        ("5-0", "6-0", 40, 0, 39, "fell_behind", 1),
        ("5-0", "6-0", 40, 50, 45, "fell_behind", 5),
    ],
)
def test_a_loss_is_told_by_cursor_and_sequence(
    cursor: str, last_id: str, known: int, seen: int, sequence: int, kind: str, operations: int
) -> None:
    loss = compare(cursor, last_id, CellStanding(known, 0, 0), seen, sequence)
    assert (loss.kind, loss.operations, loss.is_one) == (kind, operations, kind != "none")


def confirmed(number: int, *, epoch: int = 1) -> Confirmed:
    order = Order(order=OrderId(str(number)), on_sale=OnSaleId("sale"), owner="v1", items=(), total=0, currency="EUR")
    return Confirmed(order, b"", f"{number}-0", epoch)


def remembered(memory: Promised) -> list[str]:
    return [each.name for each in memory.before(10**9)]


def test_what_is_recorded_is_forgotten_in_its_own_epoch_only() -> None:
    memory = Promised()
    for number, epoch in ((1, 1), (2, 2), (3, 2), (4, 2)):
        memory.note(confirmed(number, epoch=epoch))
    memory.forget_recorded("3-0", 2)
    assert remembered(memory) == ["1", "4"]
    assert [each.name for each in memory.before(2)] == ["1"]


def test_only_so_many_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(promised, "REMEMBERED", 3)
    memory = Promised()
    for number in range(5):
        memory.note(confirmed(number))
    assert remembered(memory) == ["2", "3", "4"]
