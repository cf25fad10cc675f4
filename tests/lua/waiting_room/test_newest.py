"""Whether a pass is still its place's newest."""

from tests.lua.stage import SALE, Stage


def test_who_has_no_pass_any_more_has_gone_on_nowhere_else(stage: Stage) -> None:
    stage.put_up()
    assert stage.newest("3 7") == [b"pass_ended"]


def test_a_pass_opens_nothing_from_its_end_on(stage: Stage) -> None:
    stage.put_up()
    ends_at_ms = stage.now_ms() + 1000
    stage.redis.execute_command("ZADD", stage.keys.live(SALE), ends_at_ms, "3")
    assert stage.newest("3 0") == [b"here", ends_at_ms]
    stage.pass_time(1000)
    assert stage.newest("3 0") == [b"pass_ended"]
    assert stage.newest("3 1") == [b"moved"]


def test_another_generation_has_gone_on_elsewhere(stage: Stage) -> None:
    stage.put_up()
    stage.redis.execute_command("ZADD", stage.keys.live(SALE), f"{stage.now_ms() + 60_000}.25", "friends/3")
    assert stage.newest("friends/3 1024")[0] == b"here"
    for generation in (0, 1023, 1025):
        assert stage.newest(f"friends/3 {generation}") == [b"moved"]
    assert stage.newest("friends/3")[0] == b"here"  # nobody asks whose it is
