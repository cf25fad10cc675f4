"""A performance as it stands, with the moment at which it does."""

import msgspec

from tests.lua.stage import Reply, Stage

ROWS = [0, 0, 4, "hosb", 2, 0, 1, "b"]
PLACES = ["0", 5, 0, "1", 1, 0]


def state(stage: Stage) -> Reply:
    return stage.ask("seats/state", [stage.hall("p")[0], stage.keys.outbox, stage.keys.recorded])


def set_up(stage: Stage) -> None:
    """Two blocks that are not all open and one that is; two places of the second area are held."""
    stage.put_up()
    stage.before("A: h1 . s2 x   B: . . . .   C: x", areas=(5, 3))
    stage.let_in(6)
    stage.hold_packed(6, [[1, "area", 1, 2]], ["p"], hold="standing")


def test_the_state_is_read_with_its_moment(stage: Stage) -> None:
    set_up(stage)
    (newest, _), *_ = stage.redis.execute_command("XREVRANGE", stage.keys.outbox, "+", "-")
    with stage.nothing_changes():
        reply = state(stage)
    assert reply[:2] == [b"state", newest]
    assert msgspec.msgpack.decode(reply[2]) == [ROWS, PLACES]
    # All of it is recorded, and trimmed away.
    stage.redis.execute_command("SET", stage.keys.recorded, newest)
    stage.redis.execute_command("XTRIM", stage.keys.outbox, "MAXLEN", 0)
    assert state(stage) == reply
    # Of nothing that was ever told.
    stage.redis.execute_command("DEL", stage.keys.recorded)
    assert state(stage)[1] == b"0-0"


def test_what_is_set_aside_of_an_area_is_told_beside_it(stage: Stage) -> None:
    set_up(stage)
    stage.redis.execute_command("HSET", stage.hall("p")[0], "l", "D", "aD1", 4, "tD1", 6)
    assert msgspec.msgpack.decode(state(stage)[2])[1] == ["D0", 0, 0, "D1", 4, 6, *PLACES]


def test_more_blocks_than_are_read_at_once(stage: Stage) -> None:
    set_up(stage)
    key = stage.hall("p")[0]
    stage.redis.execute_command("HSET", key, "n", 2_500, "b999", "s", "b1000", "so", "b2499", "h")
    found = msgspec.msgpack.decode(state(stage)[2])[0]
    assert found == [*ROWS, 999, 0, 1, "s", 1000, 0, 2, "so", 2499, 0, 1, "h"]


def test_a_performance_that_nobody_knows(stage: Stage) -> None:
    assert state(stage) == [b"unknown_performance"]
