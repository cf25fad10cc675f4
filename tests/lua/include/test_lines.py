"""Several lines of one on-sale: each has its window, its count and its share; pace and cap are the house's."""

import random
from collections import Counter
from typing import Any

import pytest

from tests.lua.stage import SALE, Stage

MINUTE = 60_000
HALF = MINUTE // 2


def standing(stage: Stage, line: str) -> list[Any]:
    """A line beside the public one, as the public status tells of it."""
    return next(each for each in stage.status()["lines"] if each[0] == line.encode())


def called(stage: Stage) -> dict[str, int]:
    """How far each line is, as the public status tells it: what is shown was written before."""
    keys = stage.keys
    word, public, others = stage.run("waiting_room/serve", [keys.cell, keys.sale(SALE), keys.live(SALE)])
    assert word == b"serving"
    found = {"public": public} | {others[at].decode(): others[at + 1] for at in range(0, len(others), 2)}
    shown = {line[0].decode(): line[6] for line in stage.status()["lines"]}
    assert all(found[line] <= count for line, count in shown.items())
    return found


def put_up(stage: Stage, *others: dict[str, Any], **changed: Any) -> None:
    names = " ".join(next(iter(each)).partition(":")[2] for each in others)
    stage.put_up(
        **{"lines": names, "rate": 1, "joined": 1000, "turn_ms": 10_000 * MINUTE}
        | changed
        | {k: v for o in others for k, v in o.items()}
    )


def test_every_line_has_its_own_count_and_joins_go_to_their_line(stage: Stage) -> None:
    put_up(stage, stage.line("members"), joined=0)
    assert stage.join("a")[:2] == [b"joined", 0]
    assert stage.join("b", line="members")[:2] == [b"joined", 0]
    assert stage.join("a", line="members")[:2] == [b"joined", 1]  # the same visitor may wait in both
    assert stage.join("b", line="members")[:2] == [b"joined", 0]
    assert (stage.sale()["joined"], stage.sale()["joined:members"]) == ("1", "2")
    assert [entry[b"line"] for entry in stage.entries()] == [b"public", b"members", b"members"]


@pytest.mark.parametrize("verb", ["join", "admit"])
def test_a_line_that_is_not_there_is_refused(stage: Stage, verb: str) -> None:
    put_up(stage, stage.line("members"))
    with stage.nothing_changes():
        reply = stage.join(line="press") if verb == "join" else stage.admit(0, line="press")
        assert reply == [b"unknown_line"]


@pytest.mark.parametrize(
    ("shares", "minutes", "expected"),
    [
        ((50,), 10, {"public": 5, "a": 5}),
        ((30,), 10, {"public": 7, "a": 3}),
        ((20, 30), 10, {"public": 5, "a": 2, "b": 3}),
        ((1, 1, 1, 1), 100, {"public": 96, "a": 1, "b": 1, "c": 1, "d": 1}),
        ((99,), 100, {"public": 1, "a": 99}),
    ],
)
def test_lines_are_called_by_their_shares(
    stage: Stage, shares: tuple[int, ...], minutes: int, expected: dict[str, int]
) -> None:
    others = [stage.line(name, share=share, joined=1000) for name, share in zip("abcd", shares, strict=False)]
    put_up(stage, *others)
    for _ in range(minutes):
        stage.pass_time(MINUTE + 10)
        stage.join("somebody")
    assert called(stage) == expected


def test_at_once_or_one_by_one_each_line_has_its_share(stage: Stage) -> None:
    put_up(stage, stage.line("a", share=37, joined=1000), stage.line("b", share=13, joined=1000))
    stage.pass_time(100 * MINUTE + HALF)
    assert called(stage) == {"public": 50, "a": 37, "b": 13}


@pytest.mark.parametrize(
    ("waiting", "expected"),
    [
        ({"public": 1000, "a": 3, "b": 1000}, {"public": 61, "a": 3, "b": 36}),
        ({"public": 1000, "a": 0, "b": 0}, {"public": 100, "a": 0, "b": 0}),
        ({"public": 0, "a": 1000, "b": 1000}, {"public": 0, "a": 40, "b": 60}),
        ({"public": 10, "a": 10, "b": 10}, {"public": 10, "a": 10, "b": 10}),
        ({"public": 30, "a": 1000, "b": 10}, {"public": 30, "a": 60, "b": 10}),
    ],
)
def test_what_a_line_does_not_use_is_the_others(
    stage: Stage, waiting: dict[str, int], expected: dict[str, int]
) -> None:
    a, b = (stage.line(name, share=share, joined=waiting[name]) for name, share in (("a", 20), ("b", 30)))
    put_up(stage, a, b, joined=waiting["public"])
    stage.pass_time(100 * MINUTE + HALF)
    assert called(stage) == expected


def test_a_full_house_is_full_for_every_line(stage: Stage) -> None:
    put_up(stage, stage.line("members", joined=100), cap=10)
    stage.let_in(*range(500, 504), ms=10**9)
    stage.pass_time(60 * MINUTE)
    stage.join("now")
    assert sum(called(stage).values()) == 6
    stage.let_in(*range(600, 606), ms=10**9)
    stage.pass_time(60 * MINUTE)
    assert sum(called(stage).values()) == 6


def test_passes_of_all_lines_count_against_the_cap_and_the_pace(stage: Stage) -> None:
    put_up(stage, stage.line("members", joined=5, now_serving=5), joined=5, now_serving=5, cap=2, burst_ms=10 * MINUTE)
    assert stage.admit(3)[0] == b"admitted"
    assert stage.admit(3, line="members")[0] == b"admitted"  # the same index, and another visitor
    assert stage.admit(4) == [b"full"]
    assert stage.admit(4, line="members") == [b"full"]
    members = set(stage.redis.execute_command("ZRANGE", stage.keys.live(SALE), 0, -1))
    assert members == {b"3", b"members/3"}
    stage.set_sale(cap=10, burst_ms=0, paced_until_ms=stage.now_ms() + MINUTE)
    assert stage.admit(3, line="members")[0] == b"renewed"
    assert stage.admit(4)[0] == b"paced"
    assert stage.admit(4, line="members")[0] == b"paced"


def test_a_line_is_open_in_its_window_and_before_the_public_one(stage: Stage) -> None:
    now = stage.now_ms()
    times = {"prequeue_at_ms": now - MINUTE, "opens_at_ms": now + 60 * MINUTE, "served_at_ms": now + 60 * MINUTE}
    window = {"opens_at_ms": now + 10 * MINUTE, "closes_at_ms": now + 20 * MINUTE, "mark_at_ms": 0}
    line = stage.line("members", prequeue_at_ms=now + MINUTE, **window)
    put_up(stage, line, phase="scheduled", joined=0, mark_at_ms=0, turn_ms=60 * MINUTE, **times)
    assert stage.join("early", line="members")[0] == b"not_yet_open"
    assert stage.join("public")[0] == b"joined"
    stage.pass_time(2 * MINUTE)
    assert [stage.join(name, line="members")[1] for name in "abcdefghijkl"] == list(range(12))
    assert stage.admit(0, line="members", entrants=-1)[:2] == [b"not_yet", 0]
    assert standing(stage, "members")[8][2:] == [-1, window["opens_at_ms"] - 2 * MINUTE, b"", b"", b"", b"", b"", b""]
    stage.pass_time(12 * MINUTE + HALF)
    stage.join("late", line="members")
    assert standing(stage, "members")[6:8] == [4, 13]
    algorithm, commitment, entrants, _, _, seed, *_ = standing(stage, "members")[8]
    assert (algorithm, commitment, entrants, seed) == (b"parvis-feistel-1", b"Yg", 12, b"b3RoZXI")
    assert stage.admit(0, line="members", entrants=-1) == [b"drawn", 12]
    assert stage.admit(3, line="members", entrants=12)[0] == b"admitted"
    seen = stage.status()
    assert (seen["phase"], seen["entrants"], seen["drawn_seed"]) == (b"prequeue", -1, b"")
    stage.pass_time(6 * MINUTE)
    assert called(stage) == {"public": 0, "members": 4}
    with stage.nothing_changes():
        word, closes_at_ms = stage.join("too late", line="members")
    assert (word, closes_at_ms < stage.now_ms()) == (b"line_over", True)
    assert standing(stage, "members")[1] == b"over"
    assert standing(stage, "members")[6] == 4  # nobody further is called
    assert stage.admit(2, line="members", entrants=12)[0] == b"admitted"  # who was called keeps the turn
    assert stage.admit(4, line="members", entrants=12)[:2] == [b"not_yet", 4]
    stage.pass_time(40 * MINUTE + HALF)
    seen = stage.status()
    assert (seen["phase"], seen["entrants"], seen["now_serving"]) == (b"open", 1, 1)
    assert standing(stage, "members")[6] == 4


def test_a_line_that_opens_begins_with_the_pace_of_its_opening(stage: Stage) -> None:
    """Nobody was served until then: the days before it earn nobody a burst."""
    now = stage.now_ms()
    first = stage.line("first", joined=100, opens_at_ms=now - 300 * MINUTE, closes_at_ms=now - 200 * MINUTE)
    second = stage.line("second", joined=100, mark_at_ms=0, opens_at_ms=now - 3 * MINUTE - HALF)
    at = {"opens_at_ms": now + 600 * MINUTE, "served_at_ms": now - 250 * MINUTE, "mark_at_ms": 0}
    put_up(stage, first, second, phase="prequeue", **at)
    assert called(stage) == {"public": 0, "first": 0, "second": 3}


def test_turns_end_in_every_line_and_behind_its_window(stage: Stage) -> None:
    now = stage.now_ms()
    line = stage.line("members", joined=2, now_serving=2, closes_at_ms=now + MINUTE)
    put_up(stage, line, joined=0, turn_ms=10 * MINUTE, burst_ms=100 * MINUTE)
    stage.pass_time(2 * MINUTE)
    assert stage.admit(0, line="members")[0] == b"admitted"
    for _ in range(3):
        stage.pass_time(10 * MINUTE)
        stage.join("somebody")
    assert stage.admit(1, line="members") == [b"gone"]


@pytest.mark.parametrize("public", ["open", "prequeue"])
def test_a_pause_is_for_every_line_and_costs_nobody_a_turn(stage: Stage, public: str) -> None:
    line = stage.line("members", joined=20, now_serving=2)
    is_open = {"mark_at_ms": stage.now_ms() if public == "open" else 0, "opens_at_ms": stage.now_ms() + 10**9}
    put_up(stage, line, phase=public, joined=0, turn_ms=10 * MINUTE, burst_ms=100 * MINUTE, **is_open)
    assert stage.change("pause")[:2] == [b"changed", b"paused"]
    stage.pass_time(60 * MINUTE)
    assert standing(stage, "members")[6] == 2
    with stage.nothing_changes():
        assert stage.admit(0, line="members") == [b"paused"]
    stage.change("resume")
    stage.pass_time(9 * MINUTE)
    assert stage.admit(0, line="members")[0] == b"admitted"
    assert stage.status()["phase"] == public.encode()
    assert stage.admit(0, entrants=-1)[0] == (b"drawn" if public == "open" else b"not_yet")


def test_who_may_not_join_yet_may_not_during_a_pause_either(stage: Stage) -> None:
    line = stage.line("members")
    at = {"prequeue_at_ms": stage.now_ms() + MINUTE, "opens_at_ms": stage.now_ms() + 2 * MINUTE}
    put_up(stage, line, phase="scheduled", joined=0, mark_at_ms=0, **at)
    stage.change("pause")
    assert stage.join()[0] == b"not_yet_open"
    assert stage.join(line="members")[0] == b"joined"


@pytest.mark.parametrize("verb", ["close", "sell_out"])
def test_an_end_is_for_every_line(stage: Stage, verb: str) -> None:
    put_up(stage, stage.line("members", joined=9, now_serving=2))
    stage.change(verb)
    stage.pass_time(10 * MINUTE)
    assert stage.join(line="members")[0] == b"ended"
    assert stage.admit(0, line="members")[0] == b"ended"
    assert standing(stage, "members")[6] == 2


@pytest.mark.parametrize("seed", range(20))
def test_nobody_is_worse_off_because_of_another_line(stage: Stage, seed: int) -> None:
    """Random lines, shares, windows, arrivals, claims and paces: no number falls, pace and cap hold over all."""
    chance = random.Random(seed)
    names = ["a", "b", "c", "d"][: chance.randint(1, 4)]
    now, others = stage.now_ms(), []
    for name in names:
        opens_at_ms = now + chance.randrange(30) * MINUTE
        closes_at_ms = opens_at_ms + chance.randrange(1, 60) * MINUTE if chance.random() < 0.5 else 0
        window = {"prequeue_at_ms": now - 1, "opens_at_ms": opens_at_ms, "closes_at_ms": closes_at_ms}
        others.append(stage.line(name, share=chance.randint(1, 24), mark_at_ms=0, **window))
    opens_at_ms = now + chance.randrange(30) * MINUTE
    at = {"prequeue_at_ms": now - 1, "opens_at_ms": opens_at_ms, "served_at_ms": opens_at_ms, "mark_at_ms": 0}
    rate, cap = chance.choice([1, 7, 30]), chance.choice([5, 40, 1000])
    put_up(stage, *others, phase="prequeue", joined=0, rate=rate, cap=cap, turn_ms=10 * MINUTE, burst_ms=3_000, **at)
    ran, before, admitted, everyone = 0, Counter[str](), 0, ["public", *names]
    for _ in range(80):
        match chance.randrange(5):
            case 0 | 1:
                step = chance.randrange(3 * MINUTE)
                stage.pass_time(step)
                ran += step
            case 2 | 3:
                line = chance.choice(everyone)
                field = "joined" if line == "public" else f"joined:{line}"
                stage.set_sale(**{field: int(stage.sale()[field]) + chance.randrange(12)})
                stage.join(str(chance.random()), line=line)
            case 4:
                line = chance.choice(everyone)
                suffix = "" if line == "public" else f":{line}"
                sale = stage.sale()
                if int(sale["now_serving" + suffix]):
                    index = chance.randrange(int(sale["now_serving" + suffix]))
                    reply = stage.admit(index, line=line, entrants=int(sale["entrants" + suffix]))
                    admitted += reply[0] == b"admitted"
        found, sale = called(stage), stage.sale()
        for line, now_serving in found.items():
            joined = int(sale["joined" if line == "public" else f"joined:{line}"])
            assert before[line] <= now_serving <= joined, f"seed {seed}, {line}"
            owed = float(sale.get("owed" if line == "public" else f"owed:{line}", 0))
            assert abs(owed) <= len(everyone), f"seed {seed}, {line} is owed {owed}"
        before = Counter(found)
        assert sum(found.values()) <= ran * rate / MINUTE + 1, f"seed {seed}"
        assert stage.redis.execute_command("ZCARD", stage.keys.live(SALE)) <= cap
        assert admitted <= ran * rate / MINUTE + 3 + rate * 3_000 / MINUTE


def test_that_another_line_takes_its_share_is_the_reason_in_both(stage: Stage) -> None:
    soon = stage.now_ms() + MINUTE
    put_up(stage, stage.line("a", joined=2, opens_at_ms=soon, mark_at_ms=0))
    assert stage.status()["why"] == b""
    stage.pass_time(2 * MINUTE)
    assert stage.status()["why"] == b"other-lines"
    stage.set_sale(**{"now_serving:a": 2})
    assert stage.status()["why"] == b"", "nobody waits there any more"
