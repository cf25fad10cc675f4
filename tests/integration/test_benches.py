"""The benches still run against the scripts as they are: each scene once, with few people. No ratio decides here."""

import asyncio
import json

import pytest
from rich.console import Console

from tests.bench import __main__ as bench
from tests.bench import drawn, http_line, waiting
from tests.bench.rounds import Part
from tests.bench.stand import stand


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scene of seconds."""
    for name, count in {"PEOPLE": 2_000, "A_BATCH": 500, "POLLS": 500}.items():
        monkeypatch.setattr(waiting, name, count)
    for name, count in {"PEOPLE": 2_000, "LOOKUPS": 100, "ROUNDS": 1}.items():
        monkeypatch.setattr(drawn, name, count)
    for name, count in {"POLLS": 64, "STATUS_ROUNDS": 1, "JOINS": 64, "ROUNDS": 1}.items():
        monkeypatch.setattr(http_line, name, count)


def measured(parts: list[Part]) -> dict[str, float]:
    assert all(part.rounds and part.ratio >= 0 for part in parts), parts
    return {part.what: part.ratio for part in parts}


@pytest.mark.usefixtures("few")
async def test_a_million_can_be_simulated_by_the_way_that_a_house_goes() -> None:
    found = measured(await waiting.memory())
    assert {bar.what for bar in waiting.TOOK.values()} < set(found)
    assert all(30 < found[bar.what] < 200 for bar in waiting.PERSONS.values()), found


@pytest.mark.usefixtures("few")
async def test_opening_a_draw_can_be_measured() -> None:
    assert len(measured(await drawn.draw())) == 2


@pytest.mark.usefixtures("few")
async def test_polling_joining_and_claiming_over_http_can_be_measured() -> None:
    async with stand() as shared:
        for scene in (http_line.status, http_line.join_and_admit):
            measured(await scene(shared))


async def test_a_bench_that_fails_is_told_and_the_rest_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    part = http_line.STATUS.judge([2], [1], "a second")

    async def breaks() -> list[Part]:
        raise AssertionError("[b'serving', 5]")

    async def works() -> list[Part]:
        return [part]

    monkeypatch.setattr(bench, "ALONE", {"P8": breaks, "P11": works})
    told: list[bench.Result] = []
    found = await asyncio.wait_for(bench.measure(["P8", "P11"], 1.0, told.append), 20)
    assert [each.verdict for each in found] == ["failed", "holds"]
    assert found == told
    assert json.loads(found[0].line())["holds"] is False
    assert "serving" in json.loads(found[0].line())["failed"]
    assert "AssertionError" in capsys.readouterr().err
    Console(width=200).print(bench.table(found))
    shown = capsys.readouterr().out
    assert "failed" in shown
    assert "[b'serving', 5]" in shown
    assert part.what in shown
