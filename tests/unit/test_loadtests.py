"""The crowd's own reasoning, without a house: journeys are walked step by step, logs are judged as they stand."""

import json
import os
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from loadtests.character import Mix, character
from loadtests.draw import ALGORITHM, DRAW, Draw, commitment_to, from_base64url, to_base64url
from loadtests.hall import read_hall
from loadtests.http_client import follow
from loadtests.queueing import poll_after_s
from loadtests.tally import Tally, percentile
from loadtests.visit import Left, Visit
from loadtests.wire import Answer, Ask, Line, Pause, PollStep, PublishedDraw, Status, Steps

ROOT = Path(__file__).parents[2]
VECTORS = json.loads((ROOT / "tests" / "vectors" / "draw.json").read_text())


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: str(vector["entrants"]))
def test_the_second_draw_agrees_with_the_shared_vectors(vector: dict[str, Any]) -> None:
    seed = from_base64url(vector["seed"])
    drawn = Draw(seed, vector["entrants"])
    assert VECTORS["algorithm"] == ALGORITHM
    assert commitment_to(seed) == vector["commitment"]
    assert [[index, drawn.position(index)] for index, _ in vector["positions"]] == vector["positions"]


@pytest.mark.parametrize("entrants", [1, 2, 37, 1024, 1025, 5000])
def test_the_second_draw_is_a_permutation(entrants: int) -> None:
    drawn = Draw(b"seed", entrants)
    assert sorted(map(drawn.position, range(entrants))) == list(range(entrants))


def test_a_seed_decides_who_comes_and_nothing_else_does() -> None:
    crowd = [character(7, number) for number in range(200)]
    assert crowd == [character(7, number) for number in range(200)]
    assert crowd != [character(8, number) for number in range(200)]
    assert {who.party for who in crowd} == {1, 2, 3, 4, 5, 6}
    assert {who.payment for who in crowd} == {"yes", "no", "late"}


@pytest.mark.parametrize(("share", "kind"), [("hoarders", "hoarder"), ("robots", "robot")])
def test_a_crowd_is_made_of_the_shares_that_were_asked_for(share: str, kind: str) -> None:
    mix = Mix(**{"hoarders": 0.0, "robots": 0.0} | {share: 0.3})
    kinds = Counter(character(7, number, mix=mix).kind for number in range(1000))
    assert kinds.keys() == {kind, "buyer"}
    assert 230 < kinds[kind] < 370


PLAN = msgspec.json.encode(
    {
        "zones": [
            {
                "rows": [
                    {"seats": [{"seat_guid": f"A-{n}", "category": "near"} for n in range(1, 7)]},
                    {"seats": [{"seat_guid": f"B-{n}", "category": "far"} for n in range(1, 5)]},
                ]
            }
        ],
        "parvis": {
            "aisles_after": ["A-3"],
            "areas": [{"zone": 0, "area": 0, "id": "floor", "category": "standing", "capacity": 50}],
        },
    }
)


@pytest.mark.parametrize(
    ("letters", "party", "picks"),
    [
        ("oooooooooo", 2, {"A-1 A-2", "A-4 A-5", "B-2 B-3"}),
        ("oosooooooo", 2, {"A-1 A-2", "A-4 A-5", "B-2 B-3"}),
        ("sooooooooo", 2, {"A-2 A-3", "A-4 A-5", "B-2 B-3"}),
        ("oooooooooo", 4, {"B-1 B-2 B-3 B-4"}),
        ("ssssssssso", 2, {""}),
    ],
)
def test_people_pick_open_seats_together_and_never_across_an_aisle(letters: str, party: int, picks: set[str]) -> None:
    hall = read_hall(PLAN)
    picked = {" ".join(hall.pick(letters, party, random.Random(number), frozenset())) for number in range(50)}
    assert picked == picks


def test_a_category_can_be_left_to_others() -> None:
    hall = read_hall(PLAN)
    assert hall.areas == {"floor": "standing"}
    assert hall.capacities == {"floor": 50}
    for number in range(20):
        seats = hall.pick("o" * 10, 2, random.Random(number), frozenset({"near"}))
        assert all(seat.startswith("B-") for seat in seats)


@pytest.mark.parametrize(("ahead", "seconds"), [(0, 1), (99, 1), (100, 2), (4999, 8), (10**6, 20)])
def test_the_published_interval_is_the_last_step_that_is_not_beyond_the_visitor(ahead: int, seconds: int) -> None:
    poll = tuple(PollStep(*step) for step in [(0, 1000), (100, 2000), (500, 8000), (5000, 20000)])
    assert poll_after_s(poll, ahead) == seconds


def _visit(notes: list[Any]) -> Visit:
    return Visit("zeewind", "gala", character(1, 1), notes.append)


def test_an_unknown_outcome_is_asked_again_with_the_same_key() -> None:
    notes: list[Any] = []
    steps = _visit(notes).change("order", "/orders", {"holds": ["h"]})
    first = next(steps)
    pause = steps.send((Answer(0),))
    second = steps.send(())
    with pytest.raises(StopIteration) as ended:
        steps.send((Answer(202, b'{"order": "1"}'),))
    assert isinstance(pause, Pause)
    assert isinstance(first, tuple)
    assert first == second
    assert [bool(ask.headers["Idempotency-Key"]) for ask in first] == [True]
    assert ended.value.value.facts == {"order": "1"}
    assert [note["slug"] for note in notes] == ["no-answer"]


def test_a_busy_house_is_left_alone_for_as_long_as_it_asks() -> None:
    steps = _visit([]).change("hold", "/holds", {})
    next(steps)
    pause = steps.send((Answer(503, b'{"type": "/problems/house-busy"}', {"retry-after": "8"}),))
    assert isinstance(pause, Pause)
    assert 6 <= pause.seconds <= 10


@pytest.mark.parametrize(
    ("answers", "is_broken"),
    [
        ([(201, {"hold": "a"}), (201, {"hold": "a"})], False),
        ([(201, {"hold": "a"}), (201, {"hold": "b"})], True),
        ([(409, {"type": "/problems/sold-out"}), (201, {"hold": "a"})], False),
        ([(503, {}), (201, {"hold": "a"})], False),
    ],
)
def test_a_double_click_has_one_effect(answers: list[tuple[int, dict[str, str]]], is_broken: bool) -> None:
    notes: list[Any] = []
    steps = _visit(notes).change("hold", "/holds", {}, clicks=2, same="hold")
    asked = next(steps)
    assert isinstance(asked, tuple)
    assert len(asked) == 2
    assert asked[0] == asked[1]
    with pytest.raises(StopIteration) as ended:
        steps.send(tuple(Answer(status, msgspec.json.encode(facts)) for status, facts in answers))
    assert ended.value.value.facts == {"hold": "a"}
    assert any(note["told"] == "broken" for note in notes) is is_broken


def _status(now_serving: int, commitment: str, **draw: Any) -> Answer:
    return Answer(
        200,
        msgspec.json.encode(
            Status(
                phase="open",
                opens_at="2026-09-01T10:00:00Z",
                lines={"public": Line(now_serving=now_serving, joined=9, per_minute=60)},
                draw=PublishedDraw(algorithm=DRAW, commitment=commitment, **draw),
                seats_open={},
                poll=(),
            )
        ),
    )


def _look(visit: Visit, answer: Answer) -> Any:
    steps = visit.look_at_status()
    next(steps)
    with pytest.raises(StopIteration) as ended:
        steps.send((answer,))
    return ended.value.value


def test_a_line_that_goes_back_and_a_seed_that_was_not_committed_to_are_noticed() -> None:
    notes: list[Any] = []
    visit = _visit(notes)
    visit.index = 3
    _look(visit, _status(5, commitment_to(b"honest")))
    _look(visit, _status(4, commitment_to(b"honest")))
    status = _look(visit, _status(5, commitment_to(b"honest"), entrants=9, seed=to_base64url(b"another")))
    visit.position(status)
    _look(visit, _status(5, commitment_to(b"another")))
    assert [note["what"].split()[:2] for note in notes] == [
        ["the", "line"],
        ["the", "secret"],
        ["the", "draw's"],
    ]


async def test_whoever_is_sent_home_leaves_by_the_journeys_own_door() -> None:
    def journey() -> Steps[str]:
        try:
            yield Pause(1)
        except Left as left:
            return f"left: {left}"
        return "stayed"

    async def never(_ask: Ask) -> Answer:
        raise AssertionError

    async def sent_home(_pause: Pause) -> None:
        raise Left("sold_out")

    assert await follow(journey(), never, sent_home) == "left: sold_out"


def test_a_tally_counts_orders_once_and_waits_from_the_opening() -> None:
    tally = Tally(2, opens_at_ms=1000)
    ordered = {"told": "ordered", "order": "1", "items": [{}, {}]}
    for entry in (
        {"told": "joined", "at_ms": 500},
        {"told": "admitted", "at_ms": 3000},
        {"told": "held"},
        ordered | {"state": "awaiting_payment"},
        ordered | {"state": "confirmed"},
        {"told": "left", "why": "bought"},
    ):
        tally.note({"visitor": 1, **entry})
    tally.timed("hold", 201, 12.5)
    tally.timed("status", 0, 1.0)
    summary = tally.summary(1.0)
    assert (summary["orders_confirmed"], summary["seats_bought"], summary["errors"]) == (1, 2, 1)
    assert summary["wait_ms"] == [2000, 2000]
    assert summary["hold_ms"] == [12.5, 12.5]
    assert tally.progress()["waiting"] == tally.progress()["holding"] == 0


def test_percentiles_are_by_nearest_rank() -> None:
    assert [percentile(range(100), share) for share in (0, 0.5, 0.99, 1)] == [0, 50, 99, 99]
    assert percentile([], 0.5) == 0


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [(["--list"], 0, "Crowd"), (["--headless", "--host", "http://127.0.0.1:9"], 1, "with --house and --on-sale")],
)
def test_locust_reads_the_file_and_asks_for_house_and_on_sale(options: list[str], code: int, said: str) -> None:
    # In a process of its own: importing locust patches the standard library.
    command = [sys.executable, "-m", "locust", "-f", "loadtests/locustfile.py", *options]
    fresh = {name: value for name, value in os.environ.items() if not name.startswith("PARVIS_")}
    ended = subprocess.run(command, cwd=ROOT, env=fresh, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == code
    assert said in ended.stdout + ended.stderr
