"""How long visitors waited is counted when they come in, and nothing is kept of any of them."""

from tests.lua.stage import Stage


def waited(stage: Stage) -> dict[str, str]:
    return {name: count for name, count in stage.sale().items() if name.startswith("waited_")}


def test_a_wait_is_counted_from_joining_to_coming_in(stage: Stage) -> None:
    stage.put_up(now_serving=9, joined=9, burst_ms=60_000, opens_at_ms=stage.now_ms() - 900_000)
    for index, seconds in enumerate((0, 15.9, 15.9, 60)):
        joined_at_ms = stage.now_ms() - int(seconds * 1000)
        assert stage.admit(index, joined_at_ms=joined_at_ms)[0] == b"admitted"
    assert waited(stage) == {"waited_0": "1", "waited_16": "2", "waited_24": "1"}
    assert stage.admit(0, joined_at_ms=1)[0] == b"renewed"
    assert len(waited(stage)) == 3


def test_nobody_waits_before_the_start_of_sales(stage: Stage) -> None:
    stage.put_up(now_serving=9, joined=9, opens_at_ms=stage.now_ms() - 14_000)
    stage.admit(1, joined_at_ms=stage.now_ms() - 900_000)
    assert waited(stage) == {"waited_16": "1"}


def test_a_place_that_does_not_say_since_when_is_not_counted(stage: Stage) -> None:
    stage.put_up(now_serving=9, joined=9)
    assert stage.admit(1, joined_at_ms=0)[0] == b"admitted"
    assert waited(stage) == {}


def test_joining_says_when(stage: Stage) -> None:
    stage.put_up()
    before = stage.now_ms()
    assert before <= stage.join()[3] <= stage.now_ms()
