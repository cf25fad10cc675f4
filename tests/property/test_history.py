"""No seat ever has two owners: the whole history of a contended house, replayed by an auditor (promise A3)."""

import os
import random
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import redis
import uvloop

from engine.client import FunctionClient
from engine.embedded.redis import EmbeddedRedis
from engine.entries import decode_seat_change
from engine.history import Replay, Told
from engine.keys import Keys, performance_of
from engine.library import assemble
from engine.words import HoldId, HouseSlug, PerformanceId
from tests.conftest import owner_of
from tests.property.auditor import Auditor, Broken, Event, Seat
from tests.property.contention import AREAS, House

OPERATIONS = int(os.environ.get("PARVIS_OPERATIONS", "100000"))
A_ROUND = 2_000
RETURNS = ("returned", "already_returned")
MUTANT_OPERATIONS = 6_000
SEED = int(os.environ.get("PARVIS_SEED", random.SystemRandom().randrange(10**9)))


def run(server: EmbeddedRedis, seed: int, play: Callable[[House], Awaitable[None]]) -> House:
    """Plays on an empty house of that server."""

    async def main() -> House:
        async with FunctionClient(server.owner_url, timeout_ms=10_000) as client:
            house = House(client, seed)
            await house.open()
            await play(house)
            return house

    return uvloop.run(main())


class Outbox:
    """The history that the scripts themselves tell, replayed as it comes."""

    def __init__(self, owner: redis.Redis) -> None:
        self._owner = owner
        self._key = Keys(HouseSlug("house")).outbox
        self._last = "-"
        self._replays: dict[PerformanceId, Replay] = {}

    def check_seats(self, states: Mapping[Seat, str]) -> None:
        """Replays what is new: nothing in it is impossible, and it leads to every seat as it is."""
        entries: Any = self._owner.xrange(self._key, min=self._last)
        for entry, fields in entries:
            self._last = "(" + entry.decode()
            if fields[b"kind"] == b"seats":
                told = decode_seat_change(fields[b"data"])
                replay = self._replays.setdefault(performance_of(told.key)[0], Replay(AREAS))
                values = (told.sequence, told.epoch, told.at_ms, told.verb, told.who, HoldId(told.hold))
                replay.apply(Told(entry.decode(), 0, *values, told.seats, told.areas))
        assert [replay.faults for replay in self._replays.values() if replay.faults] == []
        for (performance, block, offset), state in states.items():
            row = self._replays[PerformanceId(str(performance))].rows.get(int(block), "")
            assert (row[int(offset) :][:1] or "o") == state


@pytest.mark.timeout(300)
def test_no_seat_has_two_owners_in_a_hundred_thousand_operations(
    redis_server: EmbeddedRedis, owner: redis.Redis
) -> None:
    print(f"seed {SEED}")

    replayed = Outbox(owner)

    async def play(house: House) -> None:
        while True:
            await house.rush(A_ROUND)
            states = await house.states()
            auditor = house.audit()
            auditor.check_seats(states)
            replayed.check_seats(states)
            house.history.clear()
            if house.operations >= OPERATIONS:
                return
            # Holds and sales of the past round are of halls that nobody asks for any more.
            await house.lay_out()

    house = run(redis_server, SEED, play)
    assert house.operations >= OPERATIONS
    assert house.repeats > OPERATIONS / 20
    for outcome in ("held", "taken", "none", "limit", "released", "extended", "confirmed", "hold_ended", *RETURNS):
        assert house.outcomes[outcome] > OPERATIONS / 500, (outcome, house.outcomes)
    assert house.outcomes["held"] > OPERATIONS / 10
    assert "unavailable" not in house.outcomes
    assert len(set(house.entries)) == len(house.entries) == house.outcomes["confirmed"] + house.outcomes["returned"]
    outbox: Any = owner.xrange(house.keys.outbox)
    kinds = [fields[b"kind"] for _, fields in outbox]
    assert len(kinds) - kinds.count(b"seats") == len(house.entries)


MUTANTS = (
    pytest.param('is_free = letter ~= "" and', "is_free = true or", id="named seats are held without a look"),
    pytest.param(
        "string.rep(state, count)", 'string.rep(state == "s" and "o" or state, count)', id="a sale frees its seats"
    ),
    pytest.param("record[2] <= step.now or", "false or", id="a hold that has ended is confirmed"),
    pytest.param(
        'run = foreign_to(class), (free or "o") .. "+"',
        'run = foreign_to(class), "[oh]+"',
        id="the best seats include held ones",
    ),
    pytest.param("if open < count then", "if false then", id="a standing area has no end"),
    pytest.param("if performance.owned > limit then", "if false then", id="nobody counts what one owner has"),
    pytest.param("if is_returned(found, items) then", "if false then", id="an order is returned twice"),
    pytest.param(
        'redis.call("HINCRBY", cell, "sequence", 1)',
        'math.ceil(redis.call("HINCRBY", cell, "sequence", 1) / 2)',
        id="numbers are given twice",
    ),
)


@pytest.mark.parametrize(("right", "wrong"), MUTANTS)
def test_the_auditor_sees_what_a_broken_script_does(short_folder: Path, right: str, wrong: str) -> None:
    source = assemble().source
    assert right in source, "the mutant no longer bites: the script was written anew"
    server = EmbeddedRedis(short_folder / "mutant")
    server.start()
    try:
        connection = owner_of(server)
        connection.flushall()
        connection.execute_command("FUNCTION", "FLUSH")
        connection.execute_command("FUNCTION", "LOAD", source.replace(right, wrong))
        connection.close()

        async def play(house: House) -> None:
            # A busy machine may need more of them until one comes too late.
            for _ in range(10):
                await house.rush(MUTANT_OPERATIONS)
                try:
                    house.audit()
                except Broken:
                    return

        house = run(server, 7, play)
        with pytest.raises(Broken):
            house.audit()
    finally:
        server.stop()


A1, A2 = ("p", 0, 0), ("p", 0, 1)
FLOOR = ("p", "area", 0)


def held(sequence: int, hold: str, *seats: tuple[str, int, int], owner: str = "v1", at_ms: int = 0) -> Event:
    return Event(sequence, "held", hold, owner, at_ms, at_ms + 100, frozenset(seats))


BUY = [held(1, "h", A1), Event(2, "confirmed", "h", "v1", 99, order="o")]


@pytest.mark.parametrize(
    ("history", "is_right"),
    [
        ([held(1, "h", A1), held(2, "i", A2)], True),
        ([held(1, "h", A1), held(2, "i", A1, at_ms=99)], False),
        ([held(1, "h", A1), held(2, "i", A1, at_ms=100)], True),
        ([held(1, "h", A1), Event(2, "released", "h", "v1"), held(3, "i", A1)], True),
        ([held(1, "h", A1), Event(2, "released", "h", "v2")], False),
        ([held(1, "h", A1), Event(2, "confirmed", "h", "v1", 99, order="o"), held(3, "i", A1, at_ms=500)], False),
        ([held(1, "h", A1), Event(2, "confirmed", "h", "v1", 100, order="o")], False),
        ([held(1, "h", A1), Event(2, "extended", "h", "v1", 0, 200), Event(3, "confirmed", "h", "v1", 150)], True),
        ([*BUY, Event(3, "returned", "", order="o"), held(4, "i", A1, at_ms=500)], True),
        ([*BUY, Event(3, "returned", "", order="o"), Event(4, "returned", "", order="o")], False),
        ([*BUY, Event(3, "returned", "", order="p")], False),
        ([held(1, "h", A1), held(1, "i", A2)], False),
        ([held(1, "h", A1, A2), held(2, "i", ("p", 1, 0), at_ms=1)], False),
        ([held(1, "h", A1, A2), held(2, "i", ("q", 1, 0), at_ms=1)], True),
        (
            [
                Event(1, "held", "h", "v1", 0, 100, places={FLOOR: 2}),
                Event(2, "held", "i", "v2", 1, 101, places={FLOOR: 1}),
            ],
            False,
        ),
    ],
)
def test_the_auditor_itself(history: list[Event], is_right: bool) -> None:
    auditor = Auditor({FLOOR: 2}, limit=2)
    if is_right:
        auditor.replay(history)
    else:
        with pytest.raises(Broken):
            auditor.replay(history)
