"""bind: an operation id belongs to one payload."""

from tests.lua.stage import Stage


def bind(stage: Stage, operation: str, fingerprint: str) -> list[bytes]:
    return stage.run("cell/bind", [stage.keys.cell, operation], fingerprint)


def test_a_payload_may_be_repeated_and_another_one_is_refused(stage: Stage) -> None:
    operation = stage.key()
    assert bind(stage, operation, "a payload") == [b"bound"]
    assert bind(stage, operation, "a payload") == [b"bound"]
    assert bind(stage, operation, "another") == [b"other_payload"]
    assert bind(stage, stage.key(), "another") == [b"bound"]


def test_a_closed_cell_binds_nothing(stage: Stage) -> None:
    operation = stage.key()
    stage.run("cell/close", [stage.keys.cell])
    assert bind(stage, operation, "a payload") == [b"closed"]
    assert stage.redis.exists(operation) == 0
