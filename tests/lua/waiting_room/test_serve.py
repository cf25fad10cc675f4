"""How far the line is, written down before it is shown."""

from tests.lua.stage import PASS_MS, SALE, Stage
from tests.lua.stage_cell import Reply


def serve(stage: Stage) -> Reply:
    return stage.run("waiting_room/serve", [stage.keys.cell, stage.keys.sale(SALE), stage.keys.live(SALE)])


def test_calls_whom_the_rate_allows_and_writes_it_down(stage: Stage) -> None:
    stage.put_up(rate=60, joined=50)
    stage.pass_time(10_500)
    assert serve(stage) == [b"serving", 10, []]
    assert stage.sale()["now_serving"] == "10"


def test_what_was_served_stands_when_the_clock_is_set_back(stage: Stage) -> None:
    stage.put_up(rate=60, joined=50)
    stage.pass_time(10_500)
    assert stage.status()["now_serving"] == 10
    serve(stage)
    stage.pass_time(-20_000)
    assert stage.status()["now_serving"] == 10
    assert serve(stage) == [b"serving", 10, []]


def test_calls_nobody_while_the_cell_is_closed_and_knows_its_on_sales(stage: Stage) -> None:
    assert serve(stage) == [b"unknown_on_sale"]
    stage.put_up(rate=60, joined=50)
    stage.run("cell/close", [stage.keys.cell])
    stage.pass_time(10_500)
    assert serve(stage) == [b"closed"]


def test_passes_of_a_clock_that_ran_ahead_keep_the_house_full_no_longer_than_a_pass_lasts(stage: Stage) -> None:
    stage.put_up(cap=2, joined=10, now_serving=2, rate=60_000, pass_ms=PASS_MS)
    live = stage.keys.live(SALE)
    now = stage.now_ms()
    hour_ms = 3_600_000
    stage.redis.execute_command("ZADD", live, f"{now + hour_ms}.25", "0", now + PASS_MS // 2, "1")
    stage.set_sale(served_at_ms=now + hour_ms)
    assert stage.run("waiting_room/serve", [stage.keys.cell, stage.keys.sale(SALE), live])[0] == b"serving"
    ends = {name: float(stage.redis.execute_command("ZSCORE", live, name)) for name in ("0", "1")}
    assert now + PASS_MS <= ends["0"] <= stage.now_ms() + PASS_MS + 1
    assert ends["0"] % 1 == 0.25, "and the device that has the newest pass goes on having it"
    assert ends["1"] == now + PASS_MS // 2, "what is right stays"
