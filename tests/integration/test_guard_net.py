"""The guard's safety net: newcomers come straight in until they are too many, and again once nobody waits."""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from parvis_guard import Guard, Settings
from tests.guard_alone import GUARD
from tests.guarded import ORIGIN, Browser, KeyServer, guard_of, header
from tests.town import Sale, Town, small_plan

EXERCISES = ("examples/guard/**/*",)
PER_MINUTE = 60
AT_ONCE = PER_MINUTE // 2
Later = Callable[[float], None]


@pytest.fixture
def server() -> Iterator[KeyServer]:
    found = KeyServer()
    found.net(PER_MINUTE)
    yield found
    found.stop()


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Later:
    """The clock by which guards count; it goes on only when a test says so."""
    clock = [1_800_000_000.0]
    for module in ("state", "guard"):
        monkeypatch.setattr(f"parvis_guard.{module}.time", SimpleNamespace(time=lambda: clock[0]))

    def later(seconds: float) -> None:
        clock[0] += seconds

    return later


def comes_in(guard: Guard) -> bool:
    """Whether one more newcomer comes straight in; the others are led to the room."""
    answer = Browser(guard).goes()
    assert answer is None or header(answer, "location").startswith(f"{guard.settings.server}/h/")
    return answer is None


def test_below_the_threshold_everybody_comes_straight_in(server: KeyServer, later: Later) -> None:
    guard = guard_of(server)
    for _ in range(300):
        later(1.1)
        assert comes_in(guard)


def test_the_one_who_is_too_many_sees_the_room_and_who_is_inside_stays_inside(server: KeyServer, later: Later) -> None:
    guard = guard_of(server)
    inside = [Browser(guard) for _ in range(AT_ONCE)]
    assert [visitor.goes() for visitor in inside] == [None] * AT_ONCE
    assert not comes_in(guard)
    assert [visitor.goes() for visitor in inside] == [None] * AT_ONCE
    assert inside[0].asks("POST", "/tickets/order", b"seats=2") is None
    later(29)
    assert not comes_in(guard), "the rush is not made up for"
    stolen = Browser(guard)
    stolen.cookies["__Host-parvis_inside"] = inside[0].cookies["__Host-parvis_inside"].replace(".", "9.", 1)
    assert stolen.goes() is not None


def test_machines_that_count_apart_share_the_threshold(server: KeyServer, later: Later) -> None:
    guards = [guard_of(server, machines=3) for _ in range(3)]
    assert [sum(comes_in(guard) for _ in range(AT_ONCE)) for guard in guards] == [AT_ONCE // 3] * 3
    assert guard_of(server, machines=1000).pace() == 1, "nobody is shut out for good"


def test_at_twice_the_threshold_the_room_shows_within_half_a_minute_and_rests_after_a_minute_of_silence(
    server: KeyServer, later: Later
) -> None:
    guard = guard_of(server)
    seconds = 0.0
    while comes_in(guard):
        later(0.5)
        seconds += 0.5
    assert 25 <= seconds <= 31
    for _ in range(500):
        later(0.1)
        assert not comes_in(guard)
    later(55)
    assert not comes_in(guard)
    later(61)
    assert comes_in(guard)


def test_a_robot_that_keeps_no_cookie_is_a_newcomer_each_time(server: KeyServer, later: Later) -> None:
    guard = guard_of(server)
    robot = Browser(guard)
    for _ in range(AT_ONCE):
        robot.cookies.clear()
        assert robot.goes() is None
    robot.cookies.clear()
    assert robot.goes() is not None


def test_a_page_that_is_not_guarded_or_never_queued_counts_nobody(server: KeyServer, later: Later) -> None:
    guard = guard_of(server, protected=("/tickets",))
    for _ in range(200):
        assert Browser(guard).goes("/about") is None
        assert Browser(guard).asks("POST", "/payments/webhook") is None
    assert comes_in(guard)


def test_while_somebody_waits_nobody_comes_straight_in(server: KeyServer, later: Later) -> None:
    server.line(joined=8)
    guard = guard_of(server, status_fresh_seconds=0)
    assert not comes_in(guard)
    later(120)
    assert not comes_in(guard)
    server.line(now_serving=8)
    later(120)
    asyncio.run(until(lambda: not guard.room.look().is_waited))
    later(120)
    assert comes_in(guard)


@pytest.mark.parametrize(("phase", "opens"), [("scheduled", "2100"), ("prequeue", "2100"), ("paused", "2026")])
def test_before_the_opening_and_in_a_pause_the_room_shows(
    server: KeyServer, later: Later, phase: str, opens: str
) -> None:
    server.status |= {"phase": phase, "opens_at": f"{opens}-01-01T10:00:00Z"}
    assert not comes_in(guard_of(server))


def test_a_drained_line_takes_nobody_straight_in(server: KeyServer, later: Later) -> None:
    server.status |= {"why": "draining"}
    assert not comes_in(guard_of(server))


def test_who_is_busy_stays_inside_for_longer_and_not_for_ever(server: KeyServer, later: Later) -> None:
    visitor = Browser(guard_of(server, inside_seconds=900, longest_inside_seconds=7200))
    cookies = []
    for _ in range(10):
        assert visitor.goes() is None
        cookies.append(visitor.cookies["__Host-parvis_inside"].split(".")[1])
        later(800)
    assert [cookies.count(since) for since in dict.fromkeys(cookies)] == [9, 1], "after two hours a newcomer again"
    later(901)
    server.line(joined=99)
    asyncio.run(until(lambda: visitor.guard.room.look().is_waited))
    later(100)
    for _ in range(AT_ONCE + 1):
        Browser(visitor.guard).goes()
    assert visitor.goes() is not None, "who was away for a quarter of an hour is a newcomer"


CROWD = """
import sys
from parvis_guard import Guard, Request, Settings
server, file = sys.argv[1:]
guard = Guard(Settings(server=server, house="zeewind", on_sale="opening", origin="https://a.example", used_file=file))
print(sum(guard.answer(Request("GET", "/tickets", "", {})) is None for _ in range(60)))
"""


def test_several_processes_share_the_count(server: KeyServer, tmp_path: Path) -> None:
    server.net(120)
    words = [sys.executable, "-c", CROWD, server.url, str(tmp_path / "used.db")]
    running = [
        subprocess.Popen(words, env={"PYTHONPATH": str(GUARD)}, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    came = [int(process.communicate(timeout=60)[0]) for process in running]
    assert 60 <= sum(came) <= 60 + 2 * 30, came  # half a minute's worth, and what came due while they came
    assert sum(came) < 240


async def until(is_so: Callable[[], bool], seconds: float = 20) -> None:
    for _ in range(int(seconds * 20)):
        if is_so():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it never came to be so")


async def told(sale: Sale, action: str, **body: Any) -> None:
    answer = await sale.post(
        f"/manage/on-sales/{sale.on_sale}/{action}", {"reason": "a test"} | body, token=sale.manage_key
    )
    assert answer.status == 200, answer.json


async def test_a_crowd_at_a_real_on_sale_and_nobody_who_waits_is_overtaken(town: Town, later: Later) -> None:
    async with await town.open_sale("zuid", plan=small_plan()) as sale:
        await told(sale, "guard", safety_net_per_minute=PER_MINUTE)
        await told(sale, "rate", rate_per_minute=1)
        await sale.until_status(safety_net={"per_minute": PER_MINUTE, "is_active": False})
        guard = Guard(
            Settings(server=town.url, house="zuid", on_sale=sale.on_sale, origin=ORIGIN, status_fresh_seconds=0.2)
        )

        async def crowd(count: int) -> list[bool]:
            return await asyncio.gather(*(asyncio.to_thread(comes_in, guard) for _ in range(count)))

        assert all(await crowd(AT_ONCE))
        assert not any(await crowd(40)), "active with the first who is too many"
        places = await asyncio.gather(*(sale.join() for _ in range(10)))
        later(300)
        await until(lambda: guard.room.look().is_waited)
        assert not any(await crowd(5)), "calm, and people wait"
        await told(sale, "rate", rate_per_minute=60_000, cap=1000)
        # Everybody who waited is let in; only then does somebody come straight in again.
        await asyncio.gather(*(sale.pass_for(place, secret) for place, secret in places))
        await until(lambda: not guard.room.look().is_waited)
        later(300)
        assert all(await crowd(5))
