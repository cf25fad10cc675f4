"""An order as Redis still knows it."""

from tests.lua.stage import Stage, pack

DAY_MS = 86_400_000


def test_gives_the_order_and_how_far_recording_is(stage: Stage) -> None:
    stage.before("A: h1 h2")
    entry = stage.confirm(1, "h1", order="o1")[1]
    stage.wait_for_payment(2, "h2", order="o2")
    stage.redis.execute_command("SET", stage.keys.recorded, "5-0")
    with stage.nothing_changes():
        assert stage.find("o1") == [b"found", b"confirmed", entry, b"payload", b"5-0", b"", []]
        assert stage.find("o2") == [b"found", b"awaiting_payment", b"", b"payload", b"5-0", pack([["h2", 1]]), []]


def test_an_unknown_order_says_how_far_recording_is(stage: Stage) -> None:
    assert stage.find("nothing") == [b"unknown_order", b"0-0"]
    stage.redis.execute_command("SET", stage.keys.recorded, "5-0")
    assert stage.find("nothing") == [b"unknown_order", b"5-0"]


def test_an_order_is_known_for_a_day_and_its_payment_for_thirty(stage: Stage) -> None:
    stage.before("A: h1 .")
    stage.confirm(1, "h1", order="o1", payment="yes-1")
    stage.pass_time(DAY_MS - 60_000)
    assert stage.find("o1")[0] == b"found"
    stage.pass_time(60_001)
    assert stage.find("o1")[0] == b"unknown_order"
    assert stage.find_payment("yes-1") == [b"paid_for", stage.order_key("o1")]
    stage.pass_time(29 * DAY_MS)
    assert stage.find_payment("yes-1") == [b"unknown_payment"]
