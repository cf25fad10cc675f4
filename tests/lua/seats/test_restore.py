"""restore and mark, for recovery and for the house."""

from tests.lua.stage import pack


def restore(stage, seats, areas=()):
    keys = stage.keys
    return stage.run("seats/restore", [keys.cell, *keys.performance("p")], pack(seats), pack(list(areas)))


def test_restoring_ends_every_hold_and_sells_what_the_ledger_sold(stage):
    stage.before("A: h1 h1 . x", areas=(10,))
    stage.let_in(2)
    stage.hold_packed(2, [[1, "area", 0, 4]])
    assert restore(stage, [0, 1], [3])[0] == b"restored"
    assert stage.after() == "A: . s . x"
    key, _, due = stage.keys.performance("p")
    assert stage.redis.zcard(due) == 0
    assert stage.redis.hmget(key, "a0", "t0") == [b"7", b"3"]
    assert restore(stage, [0, 1], [3])[0] == b"restored"
    assert stage.redis.hmget(key, "a0", "t0") == [b"7", b"3"]
    assert stage.index_is_right()


def test_cannot_block_a_seat_that_is_not_open(stage):
    stage.before("A: h1 . .")
    keys = stage.keys
    reply = stage.run("seats/mark", [keys.cell, *keys.performance("p")], "o", "b", pack([0, 0, 0, 1]))
    assert reply == [b"taken", 0, 0]
    assert stage.after() == "A: h . ."


def test_a_sweep_says_when_nothing_is_left(stage):
    stage.before("A: s1 s1", categories={"A": "Aa"}, areas=(2,))
    assert stage.sweep()[2] == 0
    stage.redis.hset(stage.keys.performance("p")[0], "a0", 0)
    assert stage.sweep()[2] == 1


def test_alternatives_are_seats_together(stage):
    stage.before("A: s1 . .   B: . . .", categories={"A": "AAA", "B": "BBB"})
    key, index, _ = stage.keys.performance("p")
    assert stage.ask("seats/suggest", [key, index], "A", 2) == [b"suggested", 0, 1]
    assert stage.ask("seats/suggest", [key, index], "B", 3) == [b"suggested", 1, 0]
    assert stage.ask("seats/suggest", [key, index], "A", 3) == [b"suggested", 1, 0]
