"""What a page without JavaScript says of the chance of seats, and of why the wait has become longer.

The same as `api/web/outlook.js` tells a browser; `tests/vectors/outlooks.json` holds both.
"""

from api.chance import chance_of
from api.forms.situation import Standing
from api.forms.words import Words
from api.wire_status import StatusReply


def outlook_of(status: StatusReply, found: Standing, words: Words) -> "list[str]":
    """The sentences; none before the sales and after them."""
    line = status.lines["public"]
    ahead = found.ahead if found.name in {"waiting", "paused"} else None
    if found.name == "joinable" and status.phase == "open":
        ahead = line.waiting
    if ahead is None:
        return []
    seats_open = sum(status.seats_open.values())
    chance = chance_of(ahead, status.lines, seats_open + status.seats_held, status.chance)
    said = [words.say(f"chance.{chance}")]
    if not seats_open and status.seats_held:
        said.insert(0, words.say("held_may_return", n=status.seats_held))
    if status.why and status.why != found.name and words.has(f"why.{status.why}"):
        said.insert(0, words.say(f"why.{status.why}"))
    return said
