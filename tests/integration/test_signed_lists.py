"""What a house says that it has signed of others' draws: to anybody, and Postgres is not asked for each of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from engine.errors import LedgerUnavailable
from engine.ledger import statements
from engine.ledger.statements import Draw, Signed, first_statement
from tests.backstage import Backstage, until

PLANNED_MS = 1_790_000_000_123


def draw_of(name: str) -> Draw:
    return "noord", name, "public", PLANNED_MS


@pytest.fixture
def asked(stage: Backstage, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """One entry for each time that Postgres is asked."""
    found: list[str] = []
    before = stage.ledger.connection

    @asynccontextmanager
    async def counted() -> AsyncIterator[Any]:
        found.append("asked")
        async with before() as connection:
            yield connection

    monkeypatch.setattr(stage.ledger, "connection", counted)
    return found


async def test_made_up_draws_cost_one_question_together(stage: Backstage, asked: list[str]) -> None:
    await stage.open()
    await first_statement(stage.ledger, draw_of("real"), "7 root bound", "signature")
    asked.clear()
    signed = Signed(stage.ledger)
    found = await asyncio.gather(*(signed.find(draw_of(f"made-up-{number}")) for number in range(200)))
    assert set(found) == {None}
    first = await signed.find(draw_of("real"))
    assert first is not None
    assert first[0] == "7 root bound"
    assert len(asked) < 20, "once in some seconds"


async def test_what_was_signed_since_is_told_in_a_moment(stage: Backstage) -> None:
    await stage.open()
    signed = Signed(stage.ledger)
    assert await signed.find(draw_of("later")) is None
    await first_statement(stage.ledger, draw_of("later"), "7 root bound", "signature")

    async def is_told() -> bool:
        return await signed.find(draw_of("later")) is not None

    await until(is_told, "what was signed is told")


async def test_where_there_are_too_many_to_know_none_is_denied(
    stage: Backstage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statements, "MOST_KNOWN", 1)
    await stage.open()
    for name in ("first", "second"):
        await first_statement(stage.ledger, draw_of(name), f"7 {name} bound", "signature")
    signed = Signed(stage.ledger)
    for name in ("first", "second"):
        found = await signed.find(draw_of(name))
        assert found is not None
        assert found[0] == f"7 {name} bound"
    assert await signed.find(draw_of("third")) is None


async def test_that_postgres_is_away_is_no_denial_and_is_not_asked_for_by_everybody(
    stage: Backstage, asked: list[str]
) -> None:
    stage.ledger.refusal = "away"
    signed = Signed(stage.ledger)
    found = await asyncio.gather(*(signed.find(draw_of("any")) for _ in range(50)), return_exceptions=True)
    assert {type(each) for each in found} == {LedgerUnavailable}
    assert len(asked) < 10
    stage.ledger.refusal = ""

    async def is_back() -> bool:
        try:
            return await signed.find(draw_of("any")) is None
        except LedgerUnavailable:
            return False

    await until(is_back, "Postgres is back")
