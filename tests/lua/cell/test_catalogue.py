"""The whole catalogue at its version."""

from tests.lua.stage import Stage, pack


def catalogue(stage: Stage) -> tuple[bytes, dict[bytes, bytes]]:
    word, version, flat = stage.ask("cell/catalogue", [stage.keys.cell, stage.keys.catalogue])
    assert word == b"catalogue"
    return version, dict(zip(flat[::2], flat[1::2], strict=True))


def test_an_empty_house_has_an_empty_catalogue(stage: Stage) -> None:
    assert catalogue(stage) == (b"0", {})


def test_gives_every_document_and_the_version(stage: Stage) -> None:
    for documents in ({"hall:a": "1"}, {"on_sale:b": "2"}):
        stage.run("cell/publish", [stage.keys.cell, stage.keys.catalogue], pack(documents))
    with stage.nothing_changes():
        assert catalogue(stage) == (b"2", {b"hall:a": b"1", b"on_sale:b": b"2"})
