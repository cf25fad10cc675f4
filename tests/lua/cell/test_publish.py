"""The catalogue reaches every API process."""

from tests.lua.stage import Stage, pack


def publish(stage: Stage, **documents: str) -> list[bytes | int]:
    return stage.run("cell/publish", [stage.keys.cell, stage.keys.catalogue], pack(documents))


def test_publishes_replaces_and_takes_away_documents(stage: Stage) -> None:
    assert publish(stage, a="1", b="2") == [b"published", 1]
    assert publish(stage, a="3", b="", c="4", unknown="") == [b"published", 2]
    assert stage.fields(stage.keys.catalogue) == {"a": "3", "c": "4"}


def test_is_published_while_the_gate_is_closed(stage: Stage) -> None:
    stage.run("cell/close", [stage.keys.cell])
    assert publish(stage, a="1") == [b"published", 1]
