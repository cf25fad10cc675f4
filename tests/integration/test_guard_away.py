"""A guard while Parvis is killed, frozen, answers 503 or takes too long: closed or open, as the house chose."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from engine.signing import Signer
from engine.words import HouseSlug
from parvis_guard import Guard, Settings
from parvis_guard.room import FETCH_SECONDS, STALE_SECONDS, Room
from parvis_guard.state import AT_ONCE_SECONDS
from tests.guarded import ORIGIN, Browser, KeyServer, guard_of, header, pass_of
from tests.town import Sale, Town, small_plan

EXERCISES = ("examples/guard/**/*",)
CHOICES = ("closed", "open")


@pytest.fixture
def server() -> Iterator[KeyServer]:
    found = KeyServer()
    yield found
    found.stop()


@pytest.fixture
def alone() -> Iterator[Town]:
    """A house's servers that a test may freeze and kill."""
    running = Town(("west",)).start()
    try:
        asyncio.run(running.until_ready())
        yield running
    finally:
        for process in tree_of(running):
            send(process, signal.SIGCONT)
        running.stop()


@pytest.fixture
async def sale(alone: Town) -> AsyncIterator[Sale]:
    async with await alone.open_sale("west", plan=small_plan()) as opened:
        yield opened


def tree_of(town: Town) -> list[int]:
    """The process that serves, and all that it started."""
    found = [town.process.pid] if town.process else []
    for process in found:  # it grows
        for children in Path(f"/proc/{process}/task").glob("*/children"):
            found += map(int, children.read_text().split())
    return found


def send(process: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, number)


def freeze(town: Town) -> None:
    for process in tree_of(town):
        send(process, signal.SIGSTOP)


def kill(town: Town) -> None:
    processes = tree_of(town)
    for process in processes:
        send(process, signal.SIGKILL)
    assert town.process is not None
    town.process.wait(20)


def guard_before(sale: Sale, folder: Path, **changed: Any) -> Guard:
    about: dict[str, Any] = {"house": "west", "on_sale": sale.on_sale, "origin": ORIGIN, "secret": "s" * 32}
    about |= {"used_file": str(folder / "used.db"), "status_fresh_seconds": 0.2}
    return Guard(Settings(server=sale.town.url, **about | changed))


async def until(is_so: Callable[[], bool]) -> None:
    for _ in range(400):
        if is_so():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it never came to be so")


def is_known(room: Room, fails: str) -> bool:
    return room.look().fails == fails and not room.is_away


def is_noticed(room: Room) -> bool:
    room.look()
    return room.is_away


def refuses(guard: Guard) -> bool:
    """Whether a newcomer is told to come again; nobody is led to a server that is away."""
    answer = Browser(guard).goes()
    if answer is None:
        return False
    assert (answer.status, header(answer, "retry-after")) == (503, "10")
    assert "/h/" not in answer.body.decode()
    return True


@pytest.mark.parametrize("trouble", [freeze, kill])
@pytest.mark.parametrize("fails", CHOICES)
async def test_the_houses_choice_holds_while_parvis_is_frozen_or_killed_and_for_a_guard_that_starts_then(
    sale: Sale, tmp_path: Path, trouble: Callable[[Town], None], fails: str
) -> None:
    body = {"reason": "a test", "fails": fails}
    answer = await sale.post(f"/manage/on-sales/{sale.on_sale}/guard", body, token=sale.manage_key)
    assert answer.status == 200, answer.json
    guard = guard_before(sale, tmp_path)
    await until(lambda: is_known(guard.room, fails))
    inside = Browser(guard)
    assert inside.goes() is not None, "the room shows"
    assert inside.returns(await sale.enter()).status == 303
    trouble(sale.town)
    await until(lambda: is_noticed(guard.room))
    started = time.monotonic()
    assert refuses(guard) is (fails == "closed")
    assert time.monotonic() - started < FETCH_SECONDS + 1, "nobody waits for what is away"
    assert inside.goes() is None, "whoever is in goes on"
    later = guard_before(sale, tmp_path)
    assert await asyncio.to_thread(refuses, later) is (fails == "closed")
    unknowing = guard_before(sale, tmp_path, used_file=":memory:")
    assert await asyncio.to_thread(refuses, unknowing), "closed, where nothing else was ever heard"
    stubborn = guard_before(sale, tmp_path, fails="closed" if fails == "open" else "open")
    assert await asyncio.to_thread(refuses, stubborn) is (fails == "open"), "a guard's own setting comes first"
    if trouble is freeze:
        for process in tree_of(sale.town):
            send(process, signal.SIGCONT)
        await until(lambda: not is_noticed(guard.room))
        assert header(Browser(guard).goes(), "location").startswith(f"{sale.town.url}/h/west/")


@pytest.mark.parametrize("fails", CHOICES)
@pytest.mark.parametrize("trouble", ["503", "slow", "other words"])
def test_it_holds_while_parvis_answers_503_or_too_late_or_in_other_words(
    server: KeyServer, fails: str, trouble: str
) -> None:
    server.status |= {"fails": fails}
    guard = guard_of(server, status_fresh_seconds=0.1)
    assert header(Browser(guard).goes(), "location").startswith(server.url)
    if trouble == "503":
        server.is_well = False
    elif trouble == "slow":
        server.seconds = FETCH_SECONDS + 3
    else:
        server.status = {"hello": "world"}
    asyncio.run(until(lambda: is_noticed(guard.room)))
    started = time.monotonic()
    assert [refuses(guard) for _ in range(5)] == [fails == "closed"] * 5
    assert time.monotonic() - started < FETCH_SECONDS


def clocked(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    clock = [1_800_000_000.0]
    for module in ("state", "guard"):
        monkeypatch.setattr(f"parvis_guard.{module}.time", SimpleNamespace(time=lambda: clock[0]))
    return clock


def test_an_open_guard_lets_newcomers_in_at_the_pace_of_the_on_sale_and_no_faster(
    server: KeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = clocked(monkeypatch)
    server.status |= {"fails": "open"}
    server.line(per_minute=120)
    guard = guard_of(server, status_fresh_seconds=0.1)
    Browser(guard).goes()
    server.is_well = False
    asyncio.run(until(lambda: is_noticed(guard.room)))
    minute = []
    for _ in range(600):
        clock[0] += 0.1
        minute.append(not refuses(guard))
    at_once = AT_ONCE_SECONDS * 2
    assert 120 <= sum(minute) <= 120 + at_once
    assert all(minute[:5])


def test_a_house_that_lets_nobody_in_stays_so_while_parvis_is_away(server: KeyServer) -> None:
    for changed in ({"phase": "paused"}, {"phase": "prequeue", "opens_at": "2100-01-01T10:00:00Z"}):
        server.status |= {"fails": "open"} | changed
        guard = guard_of(server, status_fresh_seconds=0.1)
        Browser(guard).goes()
        server.is_well = False
        asyncio.run(until(partial(is_noticed, guard.room)))
        assert refuses(guard), changed
        server.is_well = True
    server.status |= {"phase": "open"}
    server.line(per_minute=0)
    guard = guard_of(server, status_fresh_seconds=0.1)
    Browser(guard).goes()
    server.is_well = False
    asyncio.run(until(lambda: is_noticed(guard.room)))
    assert refuses(guard), "a rate of 0"


@pytest.mark.parametrize("fails", CHOICES)
def test_a_net_that_rests_needs_no_parvis_and_above_it_the_choice_holds(
    server: KeyServer, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    clock = clocked(monkeypatch)
    server.net(60)
    server.status |= {"fails": fails}
    guard = guard_of(server, status_fresh_seconds=0.1)
    assert Browser(guard).goes() is None
    server.is_well = False
    asyncio.run(until(lambda: is_noticed(guard.room)))
    assert not any(refuses(guard) for _ in range(29)), "everyday traffic goes on"
    came = []
    for _ in range(600):
        clock[0] += 0.1
        came.append(not refuses(guard))
    assert sum(came) == 0 if fails == "closed" else 60 <= sum(came) <= 60 + AT_ONCE_SECONDS


def test_a_turn_is_taken_while_parvis_is_away(server: KeyServer, tmp_path: Path) -> None:
    signer = Signer(HouseSlug("zeewind"), tmp_path / "keys")
    server.jwks = signer.jwks()
    guard = guard_of(server, status_fresh_seconds=0.1)
    visitor = Browser(guard)
    visitor.goes()
    assert visitor.returns(pass_of(signer)).status == 303
    server.is_well = False
    asyncio.run(until(lambda: is_noticed(guard.room)))
    assert visitor.goes() is None
    other = Browser(guard)
    other.goes()
    assert other.returns(pass_of(signer, index=9)).status == 303, "the keys are known"
    assert STALE_SECONDS > FETCH_SECONDS
