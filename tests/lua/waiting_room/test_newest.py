"""Whether a pass is still its place's newest."""

from tests.lua.stage import SALE, Stage


def test_who_has_no_pass_any_more_has_gone_on_nowhere_else(stage: Stage) -> None:
    stage.put_up()
    assert stage.newest("3 7") == [b"here"]


def test_another_generation_has_gone_on_elsewhere(stage: Stage) -> None:
    stage.put_up()
    stage.redis.execute_command("ZADD", stage.keys.live(SALE), f"{stage.now_ms()}.25", "friends/3")
    assert stage.newest("friends/3 1024") == [b"here"]
    for generation in (0, 1023, 1025):
        assert stage.newest(f"friends/3 {generation}") == [b"moved"]
    assert stage.newest("friends/3") == [b"here"]  # nobody asks whose it is
