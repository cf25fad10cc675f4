"""Every way in which a run can go wrong fails it: evidence is tampered with, one thing at a time."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from loadtests.evidence import Audit, Evidence, SeatMap
from loadtests.fault import KINDS
from loadtests.people import CALM_FROM, STAFF_FROM, WATCHER
from loadtests.rules_of_line import alive
from loadtests.verdict import judge
from loadtests.wire import Item, Limits, Line, OnSale, Order, Performance, PublishedDraw, Status

Entry = dict[str, Any]
SOLD = {"A1": "s", "A2": "s", "A3": "s", "A4": "o"}
EXPIRES_AT = "1970-01-01T00:01:00Z"
EXPIRES_AT_MS = 60_000


def item(seat: str) -> Item:
    return Item(performance="p", category="near", price_type="full", price=2000, fee=100, seat=seat)


def standing(count: int) -> list[Item]:
    return [Item(performance="p", category="floor", price_type="full", price=2000, fee=100, area="floor")] * count


def entry(visitor: int, told: str, at_ms: int = 0, **facts: Any) -> Entry:
    return {"at_ms": at_ms, "visitor": visitor, "told": told, **facts}


def ordered(visitor: int, order: str, items: "list[Item]", **facts: Any) -> Entry:
    kept: Entry = {"order": order, "order_secret": "", "items": items, "state": "confirmed", "total": 2100 * len(items)}
    return entry(visitor, "ordered", **kept | facts)


def held(visitor: int, hold: str, count: int, at_ms: int = 0, expires_at: str = EXPIRES_AT) -> Entry:
    items = [item(f"A{number}") for number in range(count)]
    return entry(visitor, "held", at_ms, hold=hold, items=items, expires_at=expires_at)


def admitted(visitor: int, position: int, at_ms: int = 0, **facts: Any) -> Entry:
    known: Entry = {
        "asked_at_ms": at_ms,
        "issued_at_ms": at_ms,
        "expires_at_ms": at_ms + 300_000,
        "shopper": f"s{visitor}",
    }
    return entry(visitor, "admitted", at_ms, position=position, index=visitor, per_minute=60, **known | facts)


def waiting(visitor: int, position: int, now_serving: int, asked_at_ms: int) -> Entry:
    where: Entry = {"position": position, "now_serving": now_serving, "asked_at_ms": asked_at_ms}
    return entry(visitor, "refused", asked_at_ms + 5, step="claim", slug="not-yet-served", **where)


def log_of(*entries: Entry, joined: "Sequence[tuple[int, int]]" = ()) -> list[bytes]:
    """A log; `joined`: visitors and their indexes, else everybody has the index of their number."""
    people = sorted({each["visitor"] for each in entries if each["visitor"] >= 0})
    indexes = joined or [(visitor, visitor) for visitor in people]
    first = [entry(visitor, "joined", index=index) for visitor, index in indexes]
    return [msgspec.json.encode(each) for each in [*first, *entries]]


def bought(*orders: "tuple[int, str, list[str]]") -> list[bytes]:
    return log_of(*(ordered(visitor, order, [item(seat) for seat in seats]) for visitor, order, seats in orders))


def evidence_of(
    letters: "dict[str, str] | None" = None,
    orders: "dict[str, list[str]] | None" = None,
    *,
    states: "dict[str, str] | None" = None,
    books: bool = True,
    now_serving: int = 1000,
    audits: "dict[str, Audit] | None" = None,
) -> Evidence:
    seen = {
        order: Order(
            order=order,
            state=(states or {}).get(order, "recorded"),
            items=tuple(map(item, seats)),
            total=2100 * len(seats),
            currency="EUR",
        )
        for order, seats in (orders or {}).items()
    }
    return Evidence(
        on_sale=OnSale(
            prequeue_at="",
            opens_at="",
            currency="EUR",
            limits=Limits(seats_a_hold=2, seats_a_place=3),
            hold_seconds=60,
            pass_seconds=60,
            turn_seconds=60,
            performances=(Performance(performance="p", prices={}, fee=100),),
        ),
        status=Status(
            phase="open",
            opens_at="",
            lines={"public": Line(now_serving=now_serving, joined=1000, per_minute=60)},
            draw=PublishedDraw(algorithm="", commitment=""),
            seats_open={},
            poll=(),
        ),
        performances={"p": SeatMap(letters=letters or {}, areas={"floor": 7}, capacities={"floor": 10})},
        orders=dict(seen),
        books=tuple(seen.values()) if books else None,
        exported=frozenset(seen) if books else None,
        audits=audits or {},
    )


def test_an_honest_run_is_clean() -> None:
    log = bought((1, "x", ["A1", "A2"]), (2, "y", ["A3"]))
    clean = Audit(seats=4, sold=3)
    verdict = judge(log, evidence_of(SOLD, {"x": ["A1", "A2"], "y": ["A3"]}, audits={"zeewind": clean}))
    assert verdict.is_clean
    assert (verdict.visitors, verdict.orders, verdict.seats, verdict.unresolved) == (2, 2, 3, 0)
    assert "verdict: clean" in verdict.in_words()
    assert "audited: zeewind" in verdict.in_words()


SALES = [
    pytest.param(
        bought((1, "x", ["A1", "A2"]), (2, "y", ["A2", "A3"])),
        evidence_of(SOLD, {"x": ["A1", "A2"], "y": ["A2", "A3"]}, books=False),
        "double_sale",
        id="one seat in two orders",
    ),
    pytest.param(
        bought((1, "x", ["A1"]), (2, "y", ["A2"])),
        evidence_of({"A1": "s", "A2": "s"}, {"x": ["A1"], "z": ["A1"], "y": ["A2"]}),
        "double_sale",
        id="one seat twice in the books",
    ),
    pytest.param(
        bought((1, "x", ["A1"])),
        evidence_of({"A1": "s"}, {"x": ["A1"]}, states={"x": "conflicted"}, books=False),
        "double_sale",
        id="confirmed, and conflicted afterwards",
    ),
    pytest.param(bought((1, "x", ["A1"])), evidence_of({"A1": "s"}, books=False), "lost_order", id="forgotten"),
    pytest.param(
        bought((1, "x", ["A1"])),
        evidence_of({"A1": "s"}, {"x": ["A2"]}, books=False),
        "lost_order",
        id="other seats",
    ),
    pytest.param(
        bought((1, "x", ["A1"])),
        evidence_of({"A1": "o"}, {"x": ["A1"]}, books=False),
        "lost_order",
        id="a seat that is open again",
    ),
    pytest.param(
        bought((1, "x", ["A1"])),
        evidence_of({"A1": "s", "A2": "s"}, {"x": ["A1"]}),
        "lost_order",
        id="a sold seat that is in no recorded order",
    ),
    pytest.param(
        log_of(held(1, "h", 3)),
        evidence_of(),
        "broken_limit",
        id="more than a hold may have",
    ),
    pytest.param(
        log_of(held(1, "h", 2), held(1, "i", 2, at_ms=100)),
        evidence_of(),
        "broken_limit",
        id="more than a place may have, held at once",
    ),
    pytest.param(
        log_of(
            held(1, "h", 2),
            ordered(1, "x", [item("A1"), item("A2")], hold="h"),
            held(1, "i", 2, at_ms=EXPIRES_AT_MS + 1, expires_at="1970-01-01T01:00:00Z"),
        ),
        evidence_of({"A1": "s", "A2": "s"}, {"x": ["A1", "A2"]}),
        "broken_limit",
        id="more than a place may have, bought and held",
    ),
    pytest.param(
        log_of(joined=[(1, 1)]),
        evidence_of(audits={"zeewind": Audit(faults=("p, A1: sold 2 times in the ledger",))}),
        "unbalanced_books",
        id="an auditor who found something",
    ),
]
LINES = [
    pytest.param(
        log_of(*(admitted(number, number, number * 900) for number in range(70))),
        evidence_of(),
        "broken_limit",
        id="faster than the rate",
    ),
    pytest.param(
        log_of(entry(WATCHER, "counters", cap=5, live_passes=6), joined=[(1, 1)]),
        evidence_of(),
        "broken_limit",
        id="more passes than the cap, by the house's own count",
    ),
    pytest.param(
        log_of(
            *(admitted(number, number, number * 1000) for number in range(6)),
            entry(WATCHER, "counters", cap=5, live_passes=5),
        ),
        evidence_of(),
        "broken_limit",
        id="more passes than the cap, by the crowd's count",
    ),
    pytest.param(
        log_of(admitted(1, 1, shopper="s1"), admitted(1, 1, at_ms=9000, shopper="s2")),
        evidence_of(),
        "broken_limit",
        id="one place became two shoppers",
    ),
    pytest.param(
        log_of(admitted(1, 1, shopper="s1"), admitted(2, 2, shopper="s1")),
        evidence_of(),
        "broken_limit",
        id="two places are one shopper",
    ),
    pytest.param(
        log_of(
            entry(1, "joined", 1000, index=7, asked_at_ms=900),
            entry(2, "joined", 3000, index=6, asked_at_ms=2900),
            joined=[(9, 9)],
        ),
        evidence_of(),
        "broken_line",
        id="who came later stands before",
    ),
    pytest.param(
        log_of(admitted(1, 500, at_ms=1000), waiting(2, 400, 300, asked_at_ms=5000)),
        evidence_of(),
        "broken_line",
        id="somebody behind was let in",
    ),
    pytest.param(
        log_of(
            admitted(1, 500, at_ms=1000),
            entry(WATCHER, "status", 30_010, asked_at_ms=30_000, now_serving=450),
        ),
        evidence_of(),
        "broken_line",
        id="let in, and half a minute later not yet called",
    ),
    pytest.param(log_of(admitted(1, 500)), evidence_of(now_serving=400), "broken_line", id="never called"),
]
PROMISES = [
    pytest.param(log_of(joined=[(1, 4), (2, 4)]), evidence_of(), "broken_promise", id="two in one place"),
    pytest.param(
        log_of(entry(1, "broken", what="the line went back")), evidence_of(), "broken_promise", id="what a visitor saw"
    ),
    pytest.param(
        log_of(entry(CALM_FROM, "broken", what="refused"), joined=[(1, 1)]),
        evidence_of(),
        "broken_promise",
        id="what a quiet house's visitor saw",
    ),
    pytest.param(
        log_of(entry(1, "not_now", step="hold", slug="internal")),
        evidence_of(),
        "broken_promise",
        id="a mistake of the house's own",
    ),
    pytest.param([], evidence_of(), "broken_promise", id="a run in which nothing happened"),
]


@pytest.mark.parametrize(("log", "evidence", "kind"), [*SALES, *LINES, *PROMISES])
def test_a_fault_fails_the_run(log: list[bytes], evidence: Evidence, kind: str) -> None:
    verdict = judge(log, evidence)
    assert {fault.kind for fault in verdict.faults} == {kind}
    assert kind in verdict.in_words()
    assert verdict.counts.keys() == set(KINDS)


def test_standing_places_beyond_the_area_are_sold_twice() -> None:
    log = log_of(ordered(1, "x", standing(4)))
    evidence = evidence_of()  # 7 of 10 places are open, 4 were sold
    x = Order(order="x", state="recorded", items=tuple(standing(4)), total=8400, currency="EUR")
    evidence = msgspec.structs.replace(evidence, orders={"x": x}, books=(x,), exported=frozenset({"x"}))
    assert [fault.what for fault in judge(log, evidence).faults] == ["p floor: 1 places were sold that are not there"]


def test_a_run_of_which_something_is_missing_is_not_clean() -> None:
    verdict = judge(log_of(joined=[(1, 1)]), evidence_of(), ["worker 2 did not tell its last"])
    assert [fault.kind for fault in verdict.faults] == ["missing_evidence"]


@pytest.mark.parametrize(
    "entries",
    [
        pytest.param([held(1, "h", 2), held(1, "i", 2, at_ms=EXPIRES_AT_MS)], id="the first hold had ended"),
        pytest.param(
            [held(1, "h", 2), entry(1, "releasing", 50, hold="h"), held(1, "i", 2, at_ms=100)],
            id="the first hold was given back",
        ),
        pytest.param(
            [held(STAFF_FROM, str(number), 2) for number in range(4)] + [held(1, "h", 1)], id="staff hold for many"
        ),
        pytest.param([admitted(1, 500, at_ms=1000), waiting(2, 600, 550, asked_at_ms=5000)], id="behind, and waiting"),
        pytest.param(
            [waiting(2, 400, 300, asked_at_ms=900), admitted(1, 500, at_ms=1000)], id="asked before the other was in"
        ),
        pytest.param(
            [
                *(admitted(number, number, number * 1000) for number in range(5)),
                entry(0, "ordering", 4000, hold="h"),
                admitted(5, 5, 5000),
                entry(WATCHER, "counters", cap=5, live_passes=5),
            ],
            id="an order makes room for the next",
        ),
        pytest.param(
            [
                *(admitted(number, number, number * 1000) for number in range(5)),
                entry(4, "ordering", 4100, hold="h"),
                admitted(5, 5, 5000),
                entry(WATCHER, "counters", cap=5, live_passes=5),
            ],
            id="an order that comes with the pass makes room too",
        ),
        pytest.param(
            [admitted(1, 1), entry(1, "renewed", 200_000, index=1, issued_at_ms=200_000, expires_at_ms=500_000)],
            id="a renewed pass is the same pass",
        ),
    ],
)
def test_what_the_rules_allow_is_no_fault(entries: list[Entry]) -> None:
    assert judge(log_of(*entries), evidence_of()).faults == ()


def test_a_payment_without_an_answer_is_counted_and_is_no_fault() -> None:
    log = log_of(
        *(entry(number, "ordering") for number in (1, 2)),
        entry(2, "refused", slug="payment-declined"),
    )
    verdict = judge(log, evidence_of())
    assert verdict.is_clean
    assert verdict.unresolved == 1


def test_many_faults_of_one_kind_hide_none_of_another() -> None:
    log = log_of(*(entry(1, "broken", what=f"number {number}") for number in range(100)), admitted(2, 500))
    said = judge(log, evidence_of(now_serving=400)).in_words()
    assert "broken_line: visitor 2" in said
    assert "number 0" in said
    assert "of 101 faults" in said


@pytest.mark.parametrize(
    ("intervals", "merged"),
    [([], []), ([(5, 9), (1, 3)], [(1, 3), (5, 9)]), ([(1, 5), (3, 9), (4, 6)], [(1, 9)])],
)
def test_overlapping_lives_are_one(intervals: "list[tuple[int, int]]", merged: "list[tuple[int, int]]") -> None:
    assert alive(intervals) == merged
