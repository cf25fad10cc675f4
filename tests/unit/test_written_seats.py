"""Seats as people write them are those that they mean, or it is said which are not clear."""

from typing import Any

import pytest

from engine.errors import BadInput, Refused
from engine.halls.written import LONGEST, written_seats


def zone(name: str, rows: dict[str, str]) -> dict[str, Any]:
    return {
        "name": name,
        "rows": [
            {
                "row_number": label,
                "seats": [
                    {"seat_guid": f"{name}-{label}-{number}", "seat_number": number} for number in numbers.split()
                ],
            }
            for label, numbers in rows.items()
        ],
    }


HALL = {
    "zones": [
        zone("Stalls", {"A": "1 2 3 4 5", "B": "7 5 3 1 2 4 6", "AA": "1 2", "12": "1 2 3", "1": "1 2 3 21 22"}),
        zone("Balcony left", {"A": "1 2 3", "C": "1 2", "VIP": "a b c"}),
        zone("", {"T-1": "1 2 3"}),
    ]
}

IDS = {seat["seat_guid"] for part in HALL["zones"] for row in part["rows"] for seat in row["seats"]}


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("B7", "Stalls-B-7"),
        ("b7, AA1", "Stalls-B-7 Stalls-AA-1"),
        ("B5-B2", "Stalls-B-5 Stalls-B-3 Stalls-B-1 Stalls-B-2"),
        ("B 2 – 5", "Stalls-B-5 Stalls-B-3 Stalls-B-1 Stalls-B-2"),
        ("Stalls A1-2; stalls a4", "Stalls-A-1 Stalls-A-2 Stalls-A-4"),
        ("Balcony  left A1 - Balcony left A2\nC2", "Balcony left-A-1 Balcony left-A-2 Balcony left-C-2"),
        ("12/1-3", "Stalls-12-1 Stalls-12-2 Stalls-12-3"),
        ("1 21-22", "Stalls-1-21 Stalls-1-22"),
        ("VIPa, VIP c", "Balcony left-VIP-a Balcony left-VIP-c"),
        ("T-1 2, Stalls-A-3", "-T-1-2 Stalls-A-3"),
        ("T-1 1-3", "-T-1-1 -T-1-2 -T-1-3"),
        ("C1, C1-2,,", "Balcony left-C-1 Balcony left-C-2"),
        ("", ""),
    ],
)
def test_what_is_written_is_what_is_meant(text: str, meant: str) -> None:
    named = meant.replace("Balcony left", "Balcony_left").split()
    assert list(written_seats(HALL, text, IDS.__contains__)) == [
        seat.replace("Balcony_left", "Balcony left") for seat in named
    ]


def test_what_is_not_clear_is_said_part_by_part() -> None:
    with pytest.raises(Refused) as refused:
        written_seats(HALL, "A1, B99, 122, Z1, B1-B99, C1-A2, B", IDS.__contains__)
    facts: dict[str, Any] = refused.value.facts
    assert refused.value.slug == "unclear-seats"
    assert facts["reasons"][0] == "is it Stalls A or Balcony left A? Write the part of the hall before it"
    assert facts["seats"] == ["A1", "B99", "122", "Z1", "B1-B99", "C1-A2", "B"]
    with pytest.raises(BadInput, match="at most"):
        written_seats(HALL, "A" * (LONGEST + 1), IDS.__contains__)


def test_a_part_that_could_be_read_in_very_many_ways_is_not_read() -> None:
    """Of so many dashes every two ways to read them would be tried, for minutes, while nobody else is served."""
    endless = "1-" * (LONGEST // 2)
    with pytest.raises(Refused) as refused:
        written_seats(HALL, endless, IDS.__contains__)
    assert refused.value.facts["seats"] == [endless]
