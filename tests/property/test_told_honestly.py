"""What people are told while they wait, against what then becomes of them: their wait, and their chance of seats.

Seeded: it draws halls, paces, parties, people who do not come, and people who come and do not buy.
"""

import random
from collections import defaultdict

from api.chance import chance_of
from api.forms.situation import wait_band
from api.told import Measured, chance_numbers
from api.wire_status import LineReply
from engine.waiting_room import Status
from tests.property.on_sale_crowd import Crowd, crowds

ON_SALES, SEED = 60, 6
EVERY_S, ASKED = 30, 4
LONGEST_S = 20_000
TOLD_AT_LEAST = 300
FAIREST = 0.9
"""Of the people whom a band was told, so many waited as long as it says."""


def public_status(crowd: Crowd) -> Status:
    """What Redis would say."""
    fields = dict.fromkeys(Status.__struct_fields__, 0)
    return Status(
        **fields  # type: ignore[arg-type]
        | {
            "phase": "open",
            "lines": (),
            "now_ms": crowd.now_s * 1000,
            "now_serving": crowd.served,
            "joined": crowd.town.crowd,
            "rate_per_minute": int(crowd.town.per_minute),
            "cap": crowd.town.cap,
            "admitted": crowd.admitted,
            "live_passes": crowd.inside,
            "orders": crowd.orders,
        }
    )


def line_of(crowd: Crowd, measured: Measured) -> LineReply:
    now = public_status(crowd)
    seen = measured.pace(now.now_ms, now.now_serving, now.pace_per_minute)
    return LineReply(now_serving=now.now_serving, joined=now.joined, per_minute=now.pace_per_minute, measured=seen)


def test_of_those_who_are_told_likely_most_could_buy_and_of_very_unlikely_hardly_any() -> None:
    could: dict[str, list[bool]] = defaultdict(list)
    early: dict[str, list[bool]] = defaultdict(list)
    for number, crowd in enumerate(crowds(SEED, ON_SALES)):
        chance, told = random.Random(number), []
        while not crowd.is_over and crowd.now_s < LONGEST_S:
            if crowd.now_s % EVERY_S == 0 and crowd.served < crowd.town.crowd and crowd.sold < crowd.town.seats:
                seen = chance_numbers(public_status(crowd), crowd.sold, max(crowd.town.sizes))
                lines = {"public": line_of(crowd, Measured())}
                for _ in range(ASKED):
                    position = chance.randrange(crowd.served, crowd.town.crowd)
                    word = chance_of(position - crowd.served, lines, crowd.open + crowd.held, seen)
                    told.append((word, position, crowd.now_s))
            crowd.second()
        for word, position, at_s in told:
            if position in crowd.could_buy:  # else they never came, and nobody knows
                could[word].append(crowd.could_buy[position])
                if at_s < 2 * EVERY_S:
                    early[word].append(crowd.could_buy[position])
    share = {word: sum(each) / len(each) for word, each in could.items()}
    first = {word: sum(each) / len(each) for word, each in early.items()}
    print(f"seed {SEED}: could buy {share}, told in the first minute {first}, told {sorted(could)}")
    assert all(len(each) >= TOLD_AT_LEAST for each in could.values()), "every word is told to many"
    assert share["likely"] >= 0.8
    assert share["very_unlikely"] <= 0.08
    assert 0.2 <= share["unlikely"] <= 0.6, "the word between them is neither"
    assert first["likely"] >= 0.8
    assert first["very_unlikely"] <= 0.15, "before anything was seen, what we expect is told"


def test_the_wait_falls_into_the_band_that_was_told() -> None:
    right: dict[str, list[bool]] = defaultdict(list)
    for number, crowd in enumerate(crowds(SEED + 1, ON_SALES)):
        crowd.town.seats = 10**9  # a line that goes on: nobody's wait ends for want of seats
        chance, told, measured = random.Random(number), [], Measured()
        while not crowd.is_over and crowd.now_s < LONGEST_S:
            measured.note(crowd.now_s * 1000, crowd.served, is_moving=True)
            if crowd.now_s % EVERY_S == 0 and crowd.served < crowd.town.crowd:
                line = line_of(crowd, measured)
                for _ in range(ASKED):
                    position = chance.randrange(crowd.served, crowd.town.crowd)
                    told.append((position, crowd.now_s, line, wait_band(position - crowd.served, line)))
            crowd.second()
        for position, at_s, line, band in told:
            if band is None or position not in crowd.called_at_s:
                continue
            minutes = (crowd.called_at_s[position] - at_s) / 60
            watched = "from the first minute on" if line.measured and line.measured.minutes >= 1 else "at first"
            right[watched].append(band[0] <= minutes and (band[1] is None or minutes <= band[1]))
    share = {when: sum(each) / len(each) for when, each in right.items()}
    print(f"seed {SEED + 1}: in the band {share}, of { ({when: len(each) for when, each in right.items()}) }")
    assert all(len(each) >= TOLD_AT_LEAST for each in right.values())
    together = [each for when in right.values() for each in when]
    assert sum(together) / len(together) >= FAIREST
    assert share["from the first minute on"] >= FAIREST
