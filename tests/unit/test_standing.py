"""How long a cell may have gone on since it was kept: the time in which it did not answer is no part of that."""

import time
from typing import Any

import pytest

from engine.standing import KEEP_SECONDS, Standings
from engine.words import OnSaleId

SALE = OnSaleId("sale")


@pytest.mark.parametrize(
    ("read_ago_s", "answered_ago_s", "age_s"),
    [(1.0, 0.5, 1.0), (75.0, 74.5, 0.5 + 2 * KEEP_SECONDS), (600.0, 0.2, 600.0)],
)
def test_a_cell_that_did_not_answer_gave_nobody_a_number(
    monkeypatch: pytest.MonkeyPatch, read_ago_s: float, answered_ago_s: float, age_s: float
) -> None:
    nobody: Any = None
    standings = Standings(nobody, nobody)
    assert standings.age_s(SALE) is None
    now_s = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now_s)
    standings._read_at_s[SALE] = now_s - read_ago_s
    standings._answered_at_s = now_s - answered_ago_s
    assert standings.age_s(SALE) == pytest.approx(age_s)
