"""Where a visitor stands and what is said of it: the same table as `tests/browser/situations.test.mjs`."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from api.forms.situation import BEFORE, facts_of, next_of, poll_after_ms, seen_from, standing, wait_band
from api.forms.words import Words
from api.wire_status import ChanceReply, DrawReply, DrawRule, LineReply, MeasuredReply, PollStep, StatusReply
from engine.catalogue import OnSale
from engine.instants import from_rfc3339, to_rfc3339
from engine.words import OnSaleId


class Case(msgspec.Struct, frozen=True):
    """What is given, and what is to be said: names of words, and the facts in them."""

    phase: str
    joined: int
    now_serving: int
    per_minute: int
    seats_open: int
    index: int | None
    is_drawn: bool
    has_pass: bool
    is_turn_over: bool
    is_full: bool
    situation: str
    ahead: int | None
    number: str | None
    facts: list[tuple[str, str]]
    next: list[str]


class Sold(msgspec.Struct, frozen=True):
    """What is the same for all of them."""

    prequeue_at: str
    opens_at: str
    turn_seconds: int
    pass_seconds: int
    hold_seconds: int


class Table(msgspec.Struct, frozen=True):
    on_sale: Sold
    poll: tuple[PollStep, ...]
    polls: list[tuple[int, int]]
    bands: list[tuple[int, int, MeasuredReply | None, tuple[int, int | None] | None]]
    cases: list[Case]


class Names(Words):
    """Says which words they are."""

    def say(self, name: str, **facts: Any) -> str:
        return " ".join([name, *map(str, facts.values())]).strip()

    def number(self, value: int) -> str:
        return str(value)

    def moment(self, instant_ms: int) -> str:
        return to_rfc3339(instant_ms).replace(".000", "")

    hour = moment

    def span(self, seconds: int) -> str:
        return f"{seconds}s"


VECTORS = Path(__file__).parents[1] / "vectors" / "situations.json"
TABLE = msgspec.json.decode(VECTORS.read_bytes(), type=Table)
SOLD = TABLE.on_sale
ON_SALE = OnSale(
    on_sale=OnSaleId("sale"),
    title="Sale",
    performances=(),
    prequeue_at_ms=from_rfc3339(SOLD.prequeue_at),
    opens_at_ms=from_rfc3339(SOLD.opens_at),
    turn_seconds=SOLD.turn_seconds,
    pass_seconds=SOLD.pass_seconds,
    hold_seconds=SOLD.hold_seconds,
)


@pytest.mark.parametrize("case", TABLE.cases, ids=lambda case: f"{case.phase} {case.situation}")
def test_a_visitor_stands_where_the_browser_says(case: Case) -> None:
    # A draw that nobody entered: every position is the index.
    drawn = {"entrants": 0, "seed": "A" * 43} if case.is_drawn else {}
    status = StatusReply(
        house="house",
        on_sale="sale",
        phase=case.phase,
        opens_at=SOLD.opens_at,
        server_time=SOLD.opens_at,
        lines={"public": LineReply(now_serving=case.now_serving, joined=case.joined, per_minute=case.per_minute)},
        draw=DrawReply(algorithm="", commitment="", **drawn),  # type: ignore[arg-type]
        seats_open={"all": case.seats_open},
        seats_held=0,
        chance=ChanceReply(called=0, admitted=0, at_door=0, inside=0, orders=0, seats_a_visitor=2),
        poll=TABLE.poll,
        epoch=1,
    )
    found = standing(status, case.index, has_pass=case.has_pass, is_turn_over=case.is_turn_over, is_full=case.is_full)
    assert (found.name, found.ahead) == (case.situation, case.ahead)
    assert found.position == (case.index if case.is_drawn else None)
    shown = found.position is not None and found.has_number and case.phase not in BEFORE
    assert (str((found.position or 0) + 1) if shown else None) == case.number
    assert facts_of(status, found, ON_SALE, Names("en")) == case.facts
    assert next_of(status, found, ON_SALE, Names("en")) == case.next


def test_how_long_it_lasts() -> None:
    for ahead, per_minute, measured, band in TABLE.bands:
        line = LineReply(now_serving=0, joined=0, per_minute=per_minute, measured=measured)
        assert wait_band(ahead, line) == band, (ahead, line)


def test_how_often_to_ask() -> None:
    for ahead, after_ms in TABLE.polls:
        assert poll_after_ms(TABLE.poll, ahead) == after_ms


def in_lines(phase: str, own: str, served: int) -> StatusReply:
    """A status of two lines, as the members see it."""
    draw = DrawReply(algorithm="members", commitment="", entrants=0, seed="A" * 43)
    members = LineReply(now_serving=served, joined=9, per_minute=5, phase=own, opens_at=SOLD.opens_at, draw=draw)
    status = StatusReply(
        house="house",
        on_sale="sale",
        phase=phase,
        opens_at=SOLD.prequeue_at,
        server_time=SOLD.opens_at,
        lines={"public": LineReply(now_serving=700, joined=900, per_minute=60), "members": members},
        draw=DrawReply(algorithm="public", commitment=""),
        seats_open={"all": 9},
        seats_held=0,
        chance=ChanceReply(called=0, admitted=0, at_door=0, inside=0, orders=0, seats_a_visitor=2),
        poll=TABLE.poll,
        epoch=1,
    )
    assert seen_from(status, "public") == seen_from(status, "unknown") == status
    seen = seen_from(status, "members")
    assert seen_from(seen, "members") == seen, "once is as good as twice"
    return seen


@pytest.mark.parametrize(
    ("phase", "own", "served", "situation"),
    [
        ("prequeue", "open", 2, "waiting"),
        ("prequeue", "open", 6, "turn"),
        ("open", "prequeue", 0, "gathered"),
        ("paused", "open", 2, "paused"),
        ("sold_out", "over", 2, "sold_out"),
        ("open", "over", 6, "turn"),
        ("open", "over", 2, "line_over"),
    ],
)
def test_whoever_stands_in_another_line_is_told_of_that(phase: str, own: str, served: int, situation: str) -> None:
    seen = in_lines(phase, own, served)
    found = standing(seen, 5, has_pass=False, is_turn_over=False)
    assert found.name == situation
    assert (seen.lines["public"].joined, seen.lines["members"].joined) == (9, 900)
    assert (seen.draw.algorithm, seen.opens_at) == ("members", SOLD.opens_at)


@pytest.mark.parametrize(
    ("phase", "index", "said"),
    [
        ("scheduled", None, ["next.scheduled_windows", "windows"]),
        ("prequeue", None, ["next.joinable_windows", "windows"]),
        ("prequeue", 0, ["next.gathered_windows", "windows", "turn_kept"]),
        ("open", None, ["next.joinable_windows", "windows"]),
        ("open", 0, ["next.gathered_windows", "windows", "turn_kept"]),
        ("sold_out", None, ["next.sold_out"]),
    ],
)
def test_where_a_house_draws_by_windows_that_is_said(phase: str, index: int | None, said: list[str]) -> None:
    status = in_lines("open", "open", 0)
    draw = DrawReply(algorithm="", commitment="", rule=DrawRule("", 0, 60))
    status = msgspec.structs.replace(status, phase=phase, draw=draw)
    found = standing(status, index, has_pass=False, is_turn_over=False)
    assert [each.partition(" ")[0] for each in next_of(status, found, ON_SALE, Names("en"))] == said
