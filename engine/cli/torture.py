"""`parvis torture`: what the command says, and how it ends."""

from typing import Final

import msgspec
import uvloop

from engine.cli.speech import bad, good, say
from engine.cli.stage import end_as_with_ctrl_c
from engine.errors import BadInput
from engine.torture.options import KINDS, OF_SHIM, draw
from engine.torture.run import Torture, Verdict
from engine.torture.shim import missing
from engine.torture.stage import Stage

LONGEST_MINUTES: Final = 600
BROKEN: Final = 1
BLIND: Final = 3


def run(seed: int, minutes: float, only: tuple[str, ...], *, is_json: bool) -> int:
    """Tortures a network of its own. Answers the exit code: 1 for a broken promise, 3 for a fault that never bit."""
    if not 0 < minutes <= LONGEST_MINUTES:
        raise BadInput(f"--minutes lies above 0 and at most at {LONGEST_MINUTES}")
    unknown = tuple(f"{kind!r} is none" for kind in only if kind not in KINDS)
    if unknown:
        raise BadInput(f"faults are {', '.join(KINDS)}", unknown)
    end_as_with_ctrl_c()
    reason = missing()
    left_out = tuple(kind for kind in KINDS if kind in OF_SHIM and reason)
    kinds = tuple(kind for kind in only or KINDS if kind not in left_out)
    if not kinds:
        raise BadInput(f"none of these faults can be had here: {reason}")
    options = draw(seed, minutes, kinds=kinds)
    say(f"seed {seed}: {options.words}")
    say(f"faults: {', '.join(f'{kind} {count}' for kind, count in options.drawn.items())}")
    if left_out:
        say(f"not available here ({reason}): {', '.join(left_out)}")
    with Stage(options) as stage:
        verdict = uvloop.run(Torture(options, left_out, say).run(stage))
        if not verdict.is_good:
            say(stage.last_words())
    _tell(verdict, only)
    if is_json:
        print(msgspec.json.encode(verdict).decode(), flush=True)
    return 0 if verdict.is_good else BROKEN if verdict.broken else BLIND


def _tell(verdict: Verdict, only: tuple[str, ...]) -> None:
    """The verdict in words, and the line that does it again."""
    say(
        f"{verdict.operations} operations of {verdict.visits} visits, {verdict.turned_away} asked again, "
        f"{verdict.repeats} repeats; {verdict.orders_confirmed} orders confirmed, {verdict.orders_recorded} recorded"
    )
    say(f"payments: {', '.join(f'{mode} {count}' for mode, count in sorted(verdict.payments.items()))}")
    say(f"bitten: {', '.join(f'{kind} {count} of {verdict.drawn[kind]}' for kind, count in verdict.bitten.items())}")
    lively_s = max(verdict.lively_s.values())
    say(f"{verdict.looks} looks at the line, {verdict.audits} audits; alive again after {lively_s} s")
    for each in verdict.broken:
        bad(each)
    for kind in verdict.blind:
        bad(f"blind: {kind} struck and was not felt")
    if verdict.is_good:
        good(f"every promise was kept, in {verdict.seconds} s")
    faults = "".join(f" --only '{kind}'" for kind in only)
    say(f"again: parvis torture --seed {verdict.seed} --minutes {verdict.minutes:g}{faults}")
