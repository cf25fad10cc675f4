"""Every hold of a performance, as the audit reads it."""

import msgspec

from tests.lua.stage import Stage


def test_gives_every_hold_its_end_and_what_each_owner_has(stage: Stage) -> None:
    stage.before("A: h1 h1 s2", areas=(4,))
    stage.let_in(3)
    stage.stand(3, 2)
    key, _, due = stage.hall()
    with stage.nothing_changes():
        word, flat, scores = stage.ask("seats/holds", [key, due])
    assert word == b"holds"
    fields = dict(zip(flat[::2], flat[1::2], strict=True))
    assert {name for name in fields if name.startswith(b"h")} == {b"hh1", b"hh3"}
    assert {name: value for name, value in fields.items() if name.startswith(b"o")} == {
        b"ov1": b"2",
        b"ov2": b"1",
        b"ov3": b"2",
    }
    ends = {name: int(score) for name, score in zip(scores[::2], scores[1::2], strict=True)}
    assert ends == {name[1:]: msgspec.msgpack.decode(fields[name])[1] for name in (b"hh1", b"hh3")}


def test_a_performance_without_holds_has_none(stage: Stage) -> None:
    stage.before("A: . x")
    key, _, due = stage.hall()
    assert stage.ask("seats/holds", [key, due]) == [b"holds", [], []]
