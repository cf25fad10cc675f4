"""What chance of seats is told, and which reasons: the same table as `tests/browser/outlooks.test.mjs`."""

from pathlib import Path
from typing import Any

import msgspec

from api.chance import chance_of
from api.forms.outlook import outlook_of
from api.forms.situation import Standing
from api.forms.words import Words
from api.wire_status import ChanceReply, DrawReply, LineReply, PollStep, StatusReply


class Chance(msgspec.Struct, frozen=True):
    """What is known, and what is to be told."""

    ahead: int
    lines: dict[str, LineReply]
    seats_left: int
    seen: ChanceReply
    chance: str


class Outlook(msgspec.Struct, frozen=True):
    """What the status says, and which words are to be said."""

    situation: str
    phase: str
    ahead: int | None
    joined: int
    now_serving: int
    seats_open: int
    seats_held: int
    why: str | None
    said: list[str]


class Table(msgspec.Struct, frozen=True):
    seen: ChanceReply
    chances: list[Chance]
    outlooks: list[Outlook]


class Names(Words):
    """Says which words they are."""

    def say(self, name: str, **facts: Any) -> str:
        return " ".join([name, *map(str, facts.values())])


VECTORS = Path(__file__).parents[1] / "vectors" / "outlooks.json"
TABLE = msgspec.json.decode(VECTORS.read_bytes(), type=Table)


def test_the_chance_is_the_one_that_the_browser_tells() -> None:
    assert {each.chance for each in TABLE.chances} == {"likely", "unlikely", "very_unlikely"}
    for each in TABLE.chances:
        assert chance_of(each.ahead, each.lines, each.seats_left, each.seen) == each.chance, each


def test_what_is_said_is_what_the_browser_says() -> None:
    for each in TABLE.outlooks:
        status = StatusReply(
            house="house",
            on_sale="sale",
            phase=each.phase,
            opens_at="2026-12-24T18:30:00Z",
            server_time="2026-12-24T18:31:00Z",
            lines={"public": LineReply(now_serving=each.now_serving, joined=each.joined, per_minute=60)},
            draw=DrawReply(algorithm="", commitment=""),
            seats_open={"all": each.seats_open},
            seats_held=each.seats_held,
            chance=TABLE.seen,
            poll=(PollStep(ahead=0, after_ms=1000),),
            epoch=1,
            why=each.why,
        )
        found = Standing(each.situation, 0, None, each.ahead)
        assert outlook_of(status, found, Names("en")) == each.said, each


def test_every_reason_has_its_words_in_every_language() -> None:
    for language in ("nl", "fr", "de", "en"):
        words = Words(language)
        for reason in ("lowered", "busy", "paused", "full", "draining", "few-seats", "other-lines"):
            assert words.say(f"why.{reason}")
