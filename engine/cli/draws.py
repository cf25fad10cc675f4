"""What the command line says of a draw."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import aiohttp
import msgspec

from engine import verifier
from engine.cli.sales import at_house
from engine.cli.speech import bad, good, say, so_many
from engine.drawing import transcript_of
from engine.errors import BadInput, ForgedToken
from engine.instants import from_rfc3339
from engine.ledger.entrants import entrants_between
from engine.pass_keys import STATEMENT
from engine.paths import Paths
from engine.signed import TIME_OUT, verify
from engine.waiting_room import PUBLIC, drawn_status

PATIENCE_SECONDS: Final = 60.0
PROMISED: Final = ("algorithm", "house", "on_sale", "line", "rule", "commitment", "contributors")
Told = dict[str, Any]


def promised(data: bytes, line: str) -> Told:
    """What a status that was saved before the draw of a line promised of it. Raises `BadInput` for anything else."""
    try:
        told = verifier.told_of(json.loads(data), line)
        found = {name: told[name] for name in PROMISED}
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        raise BadInput(f"the file of before is no status with the draw of {line}: {error}") from error
    if told.get("seed") is not None:
        raise BadInput("the status of before was saved after the draw, and promises nothing")
    return found


def broken_promises(before: Told, told: Told) -> list[str]:
    """In what a draw is another than was promised. `before`: as of `promised`; `told`: as of `verifier.read`."""
    names = {"house", "commitment"}
    after = told | {
        "contributors": [{name: each[name] for name in names} for each in told.get("contributors", ())],
    }
    return [
        f"what was promised is not what is: the {name.replace('_', '-')}, {before[name]} then, {after.get(name)} now"
        for name in PROMISED
        if before[name] != after.get(name)
    ]


async def _keys_at(where: str) -> Told:
    """A house's published keys, from a file or an address. Raises `BadInput`."""
    try:
        if not where.startswith(("https://", "http://")):
            return msgspec.json.decode(Path(where).read_bytes(), type=Told)
        async with aiohttp.ClientSession(timeout=TIME_OUT) as session, session.get(where) as answer:
            return msgspec.json.decode(await answer.read(), type=Told)
    except (aiohttp.ClientError, TimeoutError, ValueError, msgspec.MsgspecError) as error:
        raise BadInput(f"{where} holds no house's keys: {error}") from error


async def _unsigned(told: Told, keys: Sequence[str]) -> tuple[list[str], list[str]]:
    """Whose signature under the list is wrong, in words, and whose was not checked for want of keys."""
    given = dict(each.partition("=")[::2] for each in keys)
    signed = verifier.signed(told)
    for house in given.keys() - {house for house, _, _ in signed}:
        raise BadInput(f"{house} has signed nothing in this file; --keys takes HOUSE=FILE, of a house that contributed")
    faults = []
    for house, text, signature in signed:
        if house in given:
            try:
                verify(text, signature, await _keys_at(given[house]), STATEMENT)
            except ForgedToken:
                faults.append(f"none of the keys of {house} signed this list before it revealed its contribution")
    return faults, [house for house, _, _ in signed if house not in given]


def _address_of(told: Told) -> str:
    planned_ms = from_rfc3339(told["rule"]["planned_at"])
    return f"{told['house']}/{told['on_sale']}/{told['line']}/{planned_ms}"


async def verify_draw(file: Path, committed: str, index: int | None, before: Path | None, keys: Sequence[str]) -> int:
    """Recomputes a draw from its transcript, or from a saved public status. Answers the exit code.

    `committed`: the commitment as somebody kept it from before the draw; `before`: a status of then; `index`: of a
    place to find; `keys`: `HOUSE=FILE` or `HOUSE=ADDRESS`, where the published keys of a contributor are.
    Raises `BadInput`.
    """
    try:
        transcript = verifier.read(file.read_bytes())
        faults = verifier.faults(transcript)
    except ValueError as error:
        raise BadInput(str(error)) from error
    commitment = transcript["commitment"]
    if committed and committed != commitment:
        faults.append(f"the commitment is {commitment}, and was {committed}")
    if before:
        faults += broken_promises(promised(before.read_bytes(), transcript.get("line", PUBLIC)), transcript)
    unsigned, unchecked = await _unsigned(transcript, keys)
    faults += unsigned
    for fault in faults:
        bad(fault)
    if faults:
        bad(f"{so_many(len(faults), 'fault')}: this is not the draw that was committed to")
        return 1
    good(f"{transcript['entrants']} entrants were drawn as committed to: {commitment}")
    for house in verifier.withheld(transcript):
        say(
            f"  {house} did not reveal in time what it had committed to contribute, says this house. What {house} says:"
        )
        say(f"  …/v1/houses/{house}/draw-contributions/{_address_of(transcript)} (with `signed`, it did reveal it).")
    for house in unchecked:
        say(f"  Whether {house} signed this list is not checked: give its keys with --keys {house}=FILE.")
    if not committed and not before:
        say("  Did you keep a status from before the draw? Give it with --before, or its commitment with --commitment.")
    if "secret_hashes" not in transcript:
        say("  Who was in it is not in this file, nor who signed the list: the transcript lies at the same address,")
        say("  with draw for status.")
    if index is not None:
        position = verifier.positions(transcript)(index)
        if position is None:
            say(f"  Index {index} came in a window that had not ended then: nobody knew its position.")
        else:
            say(f"  Index {index} has position {position}: {position} were before it.")
    return 0


async def print_transcript(network: Path, slug: str, on_sale: str) -> None:
    """Prints the transcript of a draw that has been made. Raises `BadInput`, `Refused`."""
    async with at_house(network, slug) as (cell, ledger):
        known = cell.on_sale(on_sale)
        draw = (await drawn_status(cell, known.on_sale, wait_s=PATIENCE_SECONDS)).draw
        if not draw.root:
            raise BadInput(f"the draw of {on_sale} has not been made yet; its commitment is {draw.commitment}")
        line = known.on_sale, PUBLIC
        await Paths(ledger).check(line, draw)
        hashes = await entrants_between(ledger, line, 0, draw.entrants)
        told = transcript_of(cell.house.slug, known, PUBLIC, draw)
    print(msgspec.json.encode({**told, "secret_hashes": hashes}).decode())
