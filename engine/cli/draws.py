"""What the command line says of a draw."""

from pathlib import Path
from typing import Final

import msgspec

from engine import verifier
from engine.cli.sales import at_house
from engine.cli.speech import bad, good, say
from engine.drawing import transcript_of
from engine.errors import BadInput
from engine.ledger.entrants import entrants_between
from engine.paths import Paths
from engine.waiting_room import PUBLIC, drawn_status

PATIENCE_SECONDS: Final = 60.0


def verify_draw(file: Path, committed: str, index: int | None) -> int:
    """Recomputes a draw from its transcript, or from a saved public status. Answers the exit code.

    `committed`: the commitment as somebody kept it from before the draw; `index`: of a place to find.
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
    for fault in faults:
        bad(fault)
    if faults:
        bad(f"{len(faults)} faults: this is not the draw that was committed to")
        return 1
    good(f"{transcript['entrants']} entrants were drawn as committed to: {commitment}")
    for house in verifier.withheld(transcript):
        say(f"  {house} did not reveal in time what it had committed to contribute")
    if not committed:
        say("  Did you keep the commitment from before the draw? Give it with --commitment.")
    if "secret_hashes" not in transcript:
        say("  Who was in it is not in this file: the transcript lies at the same address, with draw for status.")
    if index is not None:
        position = verifier.positions(transcript)(index)
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
        await Paths(ledger).roots(line, draw.entrants, draw.root)
        hashes = await entrants_between(ledger, line, 0, draw.entrants)
        told = transcript_of(cell.house.slug, known, PUBLIC, draw)
    print(msgspec.json.encode({**told, "secret_hashes": hashes}).decode())
