"""Every code that is used up, page by page."""

import msgspec

from tests.lua.stage import Stage, pack


def test_each_code_is_told_with_its_count(stage: Stage) -> None:
    stage.before("A: . . .")
    stage.let_in(1)
    terms = (0, 0, 0, 0, 1_800_000, ["spring", 2, 9, "other", 1, 9])
    assert stage.hold(1, "A1 A2", terms=terms)[0] == b"held"
    word, sequence, cursor, counts = stage.ask("cell/used", [stage.keys.cell], "0")
    assert (word, cursor) == (b"used", b"0")
    assert sequence == int(stage.fields(stage.keys.cell)["sequence"])
    told = msgspec.msgpack.decode(counts)
    assert dict(zip(told[::2], told[1::2], strict=True)) == {"spring": 2, "other": 1}


def test_many_codes_come_in_pages_each_of_them_once_at_least(stage: Stage) -> None:
    stage.before("A: .")
    many = {f"code-{number:05}": number + 1 for number in range(5_000)}
    flat = [part for name, count in many.items() for part in (name, count)]
    stage.run("cell/recount", [stage.keys.cell, stage.keys.cell], "u", 1, pack(flat))
    found: dict[str, int] = {}
    cursor, pages = "0", 0
    while pages == 0 or cursor != "0":
        _, _, next_page, counts = stage.ask("cell/used", [stage.keys.cell], cursor)
        told = msgspec.msgpack.decode(counts)
        found |= dict(zip(told[::2], told[1::2], strict=True))
        cursor, pages = next_page.decode(), pages + 1
    assert found == many
    assert pages > 2
