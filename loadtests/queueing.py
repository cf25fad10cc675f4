"""The first half of a visit: take a place, wait as the house asks, claim the turn."""

import time
from typing import Final

import msgspec

from loadtests.visit import Left, Visit, milliseconds, new_key, now_ms
from loadtests.wire import Answer, Ask, Pause, PollStep, Status, Steps

LONGEST_QUEUE_S: Final = 60.0
_WAIT_AT_THE_DOOR: Final = frozenset({"not-yet-served", "full", "paused"})


def poll_after_s(poll: tuple[PollStep, ...], ahead: int) -> float:
    """The published interval for someone with `ahead` people before them, seconds."""
    steps = [step for step in poll if step.ahead <= ahead] or list(poll[:1])
    return steps[-1].after_ms / 1000 if steps else 5.0


def join(visit: Visit) -> Steps[None]:
    """Take a place, as soon as places are given. Raises `Left` when there are none to take."""
    while True:
        answer = yield from visit.change("join", f"{visit.on_sale_path}/places", {"secret_hash": visit.secret_hash})
        facts = answer.facts
        if answer.is_good:
            visit.place, visit.index = facts["place"], facts["index"]
            visit.tell("joined", index=visit.index)
            return
        visit.refused("join", answer)
        if answer.slug == "queue-not-open" and "opens_at" in facts:
            until_open_s = max(0, milliseconds(facts["opens_at"]) - now_ms()) / 1000
            yield Pause(min(LONGEST_QUEUE_S, until_open_s) + visit.whim.uniform(0.1, 1.5))
        else:
            raise Left("closed" if answer.slug == "sale-ended" else "cannot_join")


def wait(visit: Visit) -> Steps[str]:
    """Wait for the turn, polling as the house publishes. Answers the pass; raises `Left` without one."""
    gives_up_at_s = time.monotonic() + visit.character.queue_patience_s
    while True:
        status = yield from visit.look_at_status()
        if status is None:
            yield Pause(5 * visit.whim.uniform(0.75, 1.25), is_waiting=True)
            continue
        if status.is_over:
            raise Left(status.phase)
        position = visit.position(status)
        if position is not None and position < visit.now_serving and status.phase == "open":
            answer = yield from claim(visit)
            if answer.is_good:
                _admitted(visit, answer, position, status.lines["public"].per_minute)
                return str(answer.facts["pass"])
            yield from _turned_away(visit, answer, position)
        elif time.monotonic() > gives_up_at_s:
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


def _admitted(visit: Visit, answer: Answer, position: int, per_minute: int) -> None:
    assert visit.rules is not None
    issued_at_ms = milliseconds(answer.facts["expires_at"]) - visit.rules.pass_seconds * 1000
    visit.tell("admitted", issued_at_ms=issued_at_ms, position=position, per_minute=per_minute)


def _turned_away(visit: Visit, answer: Answer, position: int) -> Steps[None]:
    """Wait at the door as long as the house says. Raises `Left` where the turn is gone."""
    visit.refused("claim", answer)
    told = answer.facts.get("position", position)
    if told != position:
        visit.broken(f"the draw gives position {position}, the house says {told}")
    if answer.slug not in _WAIT_AT_THE_DOOR:
        raise Left(answer.slug.replace("-", "_"))
    yield Pause((answer.retry_after_s or 2) * visit.whim.uniform(1, 1.3), is_waiting=True)
