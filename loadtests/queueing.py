"""The first half of a visit: take a place, wait as the house asks, claim the turn."""

import time
from base64 import urlsafe_b64decode
from typing import Any, Final

import msgspec

from loadtests.visit import Left, Visit, milliseconds, new_key, now_ms
from loadtests.wire import Answer, Ask, Pause, PollStep, Status, Steps

LONGEST_QUEUE_S: Final = 60.0
REPEATED_WITHIN_S: Final = 50.0
"""A repeated join within a minute gets the same place; this leaves time for its answer."""
TURNS: Final = 2
"""Whoever comes back too late queues once more, and then goes home."""
STATUS_AGE_S: Final = 8.0
"""How old a public status may be that comes through caches, and a little: before a turn is called too short."""
_WAIT_AT_THE_DOOR: Final = frozenset({"not-yet-served", "full", "paused"})


def poll_after_s(poll: tuple[PollStep, ...], ahead: int) -> float:
    """The published interval for someone with `ahead` people before them, seconds."""
    steps = [step for step in poll if step.ahead <= ahead] or list(poll[:1])
    return steps[-1].after_ms / 1000 if steps else 5.0


def shopper_of(pass_: str) -> str:
    """The pseudonym in a pass: one place is one shopper. Empty where it cannot be read."""
    try:
        payload = pass_.split(".")[1]
        claims: dict[str, Any] = msgspec.json.decode(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return str(claims["sub"])
    except (IndexError, KeyError, ValueError, msgspec.DecodeError):
        return ""


def join(visit: Visit) -> Steps[None]:
    """Take a place, as soon as places are given. Raises `Left` when there are none to take."""
    path, body = f"{visit.on_sale_path}/places", {"secret_hash": visit.secret_hash}
    while True:
        asked_at_ms, asked_at_s = now_ms(), time.monotonic()
        answer = yield from visit.change("join", path, body)
        facts = answer.facts
        if answer.is_good:
            visit.place, visit.index = facts["place"], facts["index"]
            visit.tell("joined", index=visit.index, asked_at_ms=asked_at_ms)
            break
        visit.refused("join", answer)
        if answer.slug == "queue-not-open" and "opens_at" in facts:
            until_open_s = max(0, milliseconds(facts["opens_at"]) - now_ms()) / 1000
            yield Pause(min(LONGEST_QUEUE_S, until_open_s) + visit.whim.uniform(0.1, 1.5))
        else:
            raise Left("closed" if answer.slug == "sale-ended" else "cannot_join")
    if visit.character.reloads:
        yield visit.think()
        again = yield from visit.change("join", path, body)
        if again.is_good and time.monotonic() - asked_at_s < REPEATED_WITHIN_S and again.facts["index"] != visit.index:
            visit.broken(f"reloaded: the place {visit.index} became {again.facts['index']}")


def wait(visit: Visit) -> Steps[str]:
    """Wait for the turn, polling as the house publishes. Answers the pass; raises `Left` without one."""
    began_at_s = time.monotonic()
    away_after_s, turns = visit.character.away_after_s, 1
    while True:
        status = yield from visit.look_at_status()
        if status is None:
            yield Pause(5 * visit.whim.uniform(0.75, 1.25), is_waiting=True)
            continue
        if status.is_over:
            raise Left(status.phase)
        waited_s = time.monotonic() - began_at_s
        position = visit.position(status)
        if away_after_s and waited_s > away_after_s:
            away_after_s = 0
            visit.tell("away")
            yield Pause(visit.character.away_s, is_waiting=True)
        elif position is not None and position < visit.now_serving and status.phase == "open":
            asked_at_ms = now_ms()
            answer = yield from claim(visit)
            if answer.is_good:
                per_minute = status.lines["public"].per_minute
                return admitted(visit, answer, asked_at_ms, position=position, per_minute=per_minute)
            is_over = yield from _turned_away(visit, answer, position, asked_at_ms)
            if is_over and turns == TURNS:
                raise Left(answer.slug.replace("-", "_"))
            if is_over:
                turns += 1
                visit.forget_place()
                yield from join(visit)
        elif waited_s > visit.character.queue_patience_s:
            raise Left("impatient")
        else:
            yield Pause(_pause_s(visit, status, position), is_waiting=True)


def _pause_s(visit: Visit, status: Status, position: int | None) -> float:
    """Until the next poll: spread, so that nobody breathes in step; before the start, just behind it."""
    line = status.lines["public"]
    ahead = (line.joined if position is None else position) - line.now_serving
    pause_s = poll_after_s(status.poll, max(0, ahead)) * visit.whim.uniform(0.75, 1.25)
    until_open_s = (milliseconds(status.opens_at) - now_ms()) / 1000
    if 0 < until_open_s < pause_s:
        return until_open_s + visit.whim.uniform(0.3, 2.8)
    return pause_s


def claim(visit: Visit) -> Steps[Answer]:
    """Claim the turn, or renew the pass; some try it twice, hoping to become two."""
    body = msgspec.json.encode({"place": visit.place, "secret": visit.secret})
    path = f"{visit.on_sale_path}/passes"
    if visit.character.claims_twice:
        yield (Ask("claim", "POST", path, body=body, key=new_key()),)
    return (yield from visit.settle(Ask("claim", "POST", path, body=body, key=new_key())))


def admitted(visit: Visit, answer: Answer, asked_at_ms: int, told: str = "admitted", **known: int) -> str:
    """Write down what came with a pass (`known`: position and pace). Answers the pass."""
    assert visit.rules is not None
    expires_at_ms = milliseconds(answer.facts["expires_at"])
    visit.tell(
        told,
        index=visit.index,
        asked_at_ms=asked_at_ms,
        issued_at_ms=expires_at_ms - visit.rules.pass_seconds * 1000,
        expires_at_ms=expires_at_ms,
        shopper=shopper_of(answer.facts["pass"]),
        **known,
    )
    return str(answer.facts["pass"])


def refused_at_the_door(visit: Visit, answer: Answer, position: int, asked_at_ms: int) -> None:
    """Write down that a claim was refused, and where the line stood then."""
    now_serving = answer.facts.get("now_serving")
    stood = {} if now_serving is None else {"position": position, "now_serving": now_serving}
    visit.refused("claim", answer, asked_at_ms=asked_at_ms, **stood)


def _turned_away(visit: Visit, answer: Answer, position: int, asked_at_ms: int) -> Steps[bool]:
    """Wait at the door as long as the house says. Answers whether the turn is gone; raises `Left` where all is."""
    refused_at_the_door(visit, answer, position, asked_at_ms)
    told = answer.facts.get("position", position)
    if told != position:
        visit.broken(f"the draw gives position {position}, the house says {told}")
    if answer.slug == "turn-over":
        assert visit.rules is not None
        if visit.uncalled_at_s is not None:
            lasted_s = time.monotonic() - visit.uncalled_at_s
            if lasted_s < visit.rules.turn_seconds - STATUS_AGE_S:
                visit.broken(f"a turn of {visit.rules.turn_seconds} s was over after {lasted_s:.1f} s")
        return True
    if answer.slug not in _WAIT_AT_THE_DOOR:
        raise Left(answer.slug.replace("-", "_"))
    yield Pause((answer.retry_after_s or 2) * visit.whim.uniform(1, 1.3), is_waiting=True)
    return False
