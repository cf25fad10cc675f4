"""What holds for every script alike, whatever it is about."""

from pathlib import Path

import pytest
import redis

from engine.library import read_script, script_names
from tests.lua.calls import CALLS, OPERATION, WRITING, answering, call, scene
from tests.lua.stage import SALE, Stage

FOLDER = Path(__file__).parent
GATES = {"cell/open", "cell/close"}
ALIKE = {"closed", "fenced", "other_payload", "unknown_on_sale", "unknown_performance"}
MINUTE, DAY = 60, 86_400
LONGEST_HOLD_S = 1_800
REMEMBERED_S = {"waiting_room/join": MINUTE, "waiting_room/admit": MINUTE} | dict.fromkeys(
    ("seats/hold", "seats/swap"), DAY + LONGEST_HOLD_S
)
RUN_WITHOUT_MEMORY = {
    *("orders/confirm", "orders/await", "orders/rebook", "orders/conflict", "orders/return", "orders/exchange"),
    *("seats/release", "seats/extend", "seats/sweep"),
    # What brings a cell up again after it has restarted so, and what tells that it is short.
    *("cell/close", "cell/open", "cell/press", "cell/publish", "cell/recount"),
    *("on_sale/create", "on_sale/crowd", "on_sale/restore", "seats/install", "seats/restate", "seats/restore"),
    # What everybody who waits is shown; it changes numbers where they stand.
    "waiting_room/serve",
    # What lets the outbox be trimmed.
    "waiting_room/checkpoint",
    # What is in the outbox already costs a draw less.
    "waiting_room/fold",
    # What everybody waits for.
    "waiting_room/draw",
    "waiting_room/reveal",
}


@pytest.fixture
def stage(owner: redis.Redis) -> Stage:
    return scene(owner)


def test_every_script_has_a_call_here() -> None:
    assert set(script_names()) == set(CALLS)


@pytest.mark.parametrize("name", script_names())
def test_every_script_has_a_test_file_that_speaks_of_each_of_its_words(name: str) -> None:
    group, script = name.split("/")
    text = (FOLDER / group / f"test_{script}.py").read_text()
    missing = {word for word in set(read_script(name).replies) - ALIKE if f'b"{word}"' not in text}
    # The public status is read by the names of its fields.
    assert missing == ({"status"} if name == "waiting_room/status" else set())


@pytest.mark.parametrize("name", script_names())
def test_a_call_answers_and_only_what_writes_has_an_effect(stage: Stage, name: str) -> None:
    before = stage.dump()
    assert call(stage, name).by(stage)[0].decode() == next(iter(read_script(name).replies))
    # A gate is in memory only, and a line that calls nobody just now stands as it was written.
    assert (stage.dump() != before) is (name in WRITING and name not in {*GATES, "waiting_room/serve"})


@pytest.mark.parametrize("name", sorted(set(answering("closed")) - {"cell/close"}))
def test_a_closed_gate_refuses_and_nothing_changes(stage: Stage, name: str) -> None:
    stage.run("cell/close", [stage.keys.cell])
    with stage.nothing_changes():
        assert call(stage, name).by(stage) == [b"closed"]


@pytest.mark.parametrize("name", sorted(set(WRITING) - {"cell/open", "cell/close"}))
@pytest.mark.parametrize("epoch", ["0", "2", "", "x"])
def test_another_epoch_is_fenced_off_and_nothing_changes(stage: Stage, name: str, epoch: str) -> None:
    with stage.nothing_changes():
        assert call(stage, name).by(stage, epoch=epoch) == [b"fenced", b"1"]


@pytest.mark.parametrize("name", sorted(set(answering("fenced")) - set(answering("closed"))))
def test_what_prepares_a_cell_runs_before_its_gate_opens(stage: Stage, name: str) -> None:
    stage.run("cell/close", [stage.keys.cell])
    assert call(stage, name).by(stage)[0].decode() == next(iter(read_script(name).replies))


@pytest.mark.parametrize("name", answering("other_payload"))
def test_a_repeat_gets_the_first_answer_and_has_no_effect(stage: Stage, name: str) -> None:
    first = call(stage, name).by(stage)
    with stage.nothing_changes():
        assert call(stage, name).by(stage) == first


@pytest.mark.parametrize("name", answering("other_payload"))
def test_an_operation_id_belongs_to_one_payload(stage: Stage, name: str) -> None:
    call(stage, name).by(stage)
    with stage.nothing_changes():
        assert call(stage, name).by(stage, fingerprint="another") == [b"other_payload"]


@pytest.mark.parametrize("name", answering("other_payload"))
def test_an_answer_is_kept_as_long_as_promised(stage: Stage, name: str) -> None:
    seconds = REMEMBERED_S.get(name, DAY)
    call(stage, name).by(stage)
    remaining_ms: int = stage.redis.execute_command("PTTL", stage.keys.operation(OPERATION))
    assert 0 < remaining_ms <= seconds * 1000
    stage.pass_time((seconds - 30) * 1000)
    assert stage.redis.execute_command("EXISTS", stage.keys.operation(OPERATION)) == 1


@pytest.mark.parametrize(
    "name", [name for name in WRITING if "sequence" in "".join(read_script(name).replies.values())]
)
def test_an_effect_has_the_next_number_of_the_house(stage: Stage, name: str) -> None:
    word, fields = next(iter(read_script(name).replies.items()))
    place = 1 + fields.split().index("sequence")
    before = int(stage.fields(stage.keys.cell)["sequence"])
    reply = call(stage, name).by(stage)
    assert (reply[0].decode(), reply[place]) == (word, before + 1)
    assert stage.fields(stage.keys.cell)["sequence"] == str(before + 1)


@pytest.mark.parametrize("name", [*answering("unknown_on_sale"), *answering("unknown_performance")])
def test_what_is_not_there_is_unknown_and_nothing_changes(stage: Stage, name: str) -> None:
    the_call = call(stage, name)
    for key in (stage.keys.sale(SALE), *stage.hall("p"), *stage.hall("q")):
        stage.redis.execute_command("DEL", key)
    with stage.nothing_changes():
        assert the_call.by(stage)[0] in {b"unknown_on_sale", b"unknown_performance"}


@pytest.mark.parametrize("name", WRITING)
def test_short_of_memory_only_what_ends_well_goes_on(stage: Stage, name: str) -> None:
    """Joining and holding are shed first; what was held is confirmed or let go."""
    the_call, before = call(stage, name), stage.dump()
    stage.redis.execute_command("CONFIG", "SET", "maxmemory", 1)
    try:
        if name in RUN_WITHOUT_MEMORY:
            assert the_call.by(stage)[0].decode() == next(iter(read_script(name).replies))
        else:
            with pytest.raises(redis.exceptions.OutOfMemoryError):
                the_call.by(stage)
            assert stage.dump() == before
    finally:
        stage.redis.execute_command("CONFIG", "SET", "maxmemory", 0)


@pytest.mark.parametrize("name", WRITING)
def test_every_key_is_the_houses_own(stage: Stage, name: str) -> None:
    """A script builds no key: what it touches is what it was given, and that carries the house's tag."""
    before = stage.dump()
    the_call = call(stage, name)
    the_call.by(stage)
    touched = {key for key in before | stage.dump() if before.get(key) != stage.dump().get(key)}
    assert touched <= {key.encode() for key in the_call.keys}
    assert all(key.startswith("{house}:") for key in the_call.keys)
