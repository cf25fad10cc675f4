"""Everything that an open cell knows of an on-sale."""

from tests.lua.stage import SALE, Stage


def test_gives_every_field_and_changes_nothing(stage: Stage) -> None:
    stage.put_up(rate=1)
    stage.join()
    with stage.nothing_changes():
        word, flat = stage.run("on_sale/standing", [stage.keys.cell, stage.keys.sale(SALE)])
    fields = {name.decode(): value.decode() for name, value in zip(flat[::2], flat[1::2], strict=True)}
    assert word == b"standing"
    assert fields == stage.sale()
    assert fields["joined"] == "1"
