"""What tests share: a town of two houses for the HTTP contract, and a house without its API, a process each."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.backstage import Backstage, Theatre, running_theatre
from tests.integration.commands import Parvis, Said, give
from tests.town import Sale, Town, small_plan

HOUSES = ("noord", "zuid")


@pytest.fixture(scope="package")  # so that what is wrong at its end is not told of some test elsewhere
def town() -> Iterator[Town]:
    """Two houses that run on real servers, their gates open."""
    running = Town(HOUSES, own_limits={"zuid": {"leave_grace_seconds": 1}}).start()
    try:
        asyncio.run(running.until_ready())
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="package")
def shared(town: Town) -> Sale:
    """An open on-sale in a large hall of the first house, for tests that do not mind each other."""
    return asyncio.run(town.open_sale("noord", plan=small_plan(rows=20, seats=20, standing=500)))


@pytest.fixture
def parvis(capsys: pytest.CaptureFixture[str]) -> Parvis:
    """Gives a command in this process."""

    def parvis(*words: str) -> Said:
        capsys.readouterr()
        code = give(*words)
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        return Said(code, captured.out, captured.err)

    return parvis


@pytest.fixture(scope="module")
def theatre() -> Iterator[Theatre]:
    """The servers of a house, for a module."""
    with running_theatre() as running:
        yield running


@pytest.fixture
async def stage(theatre: Theatre) -> AsyncIterator[Backstage]:
    """The house behind its API, fresh for each test; its gate is closed."""
    async with theatre.house() as house:
        yield house
