"""What a draw is made of, page by page: nothing before the list is closed, and nothing secret before it is due."""

import pytest

from engine.words import LineName
from tests.lua.stage import SALE, Stage

RULE = {"draw": "parvis-draw-2"}


def entrants_of(stage: Stage, count: int) -> list[tuple[int, bytes]]:
    """All pages, as who makes a draw reads them."""
    found: list[tuple[int, bytes]] = []
    after = "-"
    while True:
        reply = stage.tail(after, count)
        assert reply[0] == b"tail"
        found += [(int(index), secret) for index, secret in zip(reply[5][::2], reply[5][1::2], strict=True)]
        after = reply[6].decode()
        if not after:
            return found


@pytest.mark.parametrize("count", [1, 2, 3, 5, 6, 100])
def test_every_page_of_the_outbox_tells_whom_it_names_of_this_line(stage: Stage, count: int) -> None:
    stage.put_up(phase="prequeue", opens_at_ms=10**13, mark_at_ms=0, **RULE)
    for number in range(3):
        stage.join(f"s{number}")
        stage.redis.execute_command(
            "XADD",
            stage.keys.outbox,
            "*",
            "kind",
            "join",
            "on_sale",
            "other",
            "line",
            "public",
            "index",
            7,
            "secret_hash",
            "x",
        )
    stage.change("open")
    stage.join("late")
    with stage.nothing_changes():
        assert entrants_of(stage, count) == [(0, b"s0"), (1, b"s1"), (2, b"s2"), (3, b"late")]


def test_it_tells_the_secret_the_tree_and_what_was_contributed(stage: Stage) -> None:
    stage.put_up(entrants=2, revealed="a b", **RULE)
    stage.redis.execute_command("SET", stage.keys.frontier(SALE, LineName("public")), b"2 roots")
    assert stage.tail() == [b"tail", 2, b"c2VlZA", b"a b", b"2 roots", [], b"", b""]


def test_what_was_folded_is_not_read_again(stage: Stage) -> None:
    stage.put_up(phase="prequeue", opens_at_ms=10**13, mark_at_ms=0, **RULE)
    stage.join("s0")
    newest = stage.redis.execute_command("XREVRANGE", stage.keys.outbox, "+", "-", "COUNT", 1)[0][0]
    stage.join("s1")
    stage.change("open")
    stage.redis.execute_command("SET", stage.keys.frontier(SALE, LineName("public")), b"2 recorded")
    set_folded = "HSET", stage.keys.folded, "through", newest, f"{SALE}/public"
    stage.redis.execute_command(*set_folded, b"10 folded")
    assert stage.tail()[4:7] == [b"10 folded", [b"1", b"s1"], b""]
    stage.redis.execute_command(*set_folded, b"1 folded")
    assert stage.tail()[4:7] == [b"2 recorded", [b"1", b"s1"], b""]
    assert stage.tail("0")[4:7] == [b"2 recorded", [b"0", b"s0", b"1", b"s1"], b""]


def test_nothing_is_told_before_the_list_is_closed_and_nothing_secret_before_the_draw_is_due(stage: Stage) -> None:
    stage.put_up(phase="prequeue", opens_at_ms=10**13, mark_at_ms=0, **RULE)
    assert stage.tail() == [b"early", 10**13]
    stage.change("open")
    stage.set_sale(draw_after_ms=60_000, revealed="a b c d")
    assert stage.tail() == [b"tail", 0, b"", b"", b"", [], b"", b""]
    stage.pass_time(60_000)
    assert stage.tail() == [b"tail", 0, b"c2VlZA", b"a b c d", b"", [], b"", b""]


def test_what_is_made_is_not_made_again(stage: Stage) -> None:
    stage.put_up(root="r", drawn_seed="s", **RULE)
    assert stage.tail() == [b"made"]


def test_a_draw_of_an_earlier_release_is_made(stage: Stage) -> None:
    stage.put_up()
    assert stage.tail() == [b"made"]


def test_each_line_has_its_own_draw(stage: Stage) -> None:
    stage.put_up(root="r", drawn_seed="s", **RULE)
    more = {"entrants:members": 3, "mark_at_ms:members": 1, "opens_at_ms:members": 1, "seed:members": "own"}
    stage.set_sale(**more)
    assert stage.tail(line="members")[:3] == [b"tail", 3, b"own"]
    assert stage.tail(line="friends") == [b"early", 0]
