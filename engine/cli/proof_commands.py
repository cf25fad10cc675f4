"""What anybody can check from a shell: a published draw, a status."""

import sys
from pathlib import Path
from typing import Final

import uvloop
from cyclopts import App

from engine.cli import checks, draws
from engine.cli.options import Dashed, House, Network, Whole, now

draw: Final = App(name="draw", help="The published draw.")
status: Final = App(name="status", help="The public status of an on-sale.")


@draw.command(name="verify")
def draw_verify(
    file: Path,
    *,
    commitment: Dashed = "",
    index: Whole | None = None,
    before: Path | None = None,
    keys: tuple[str, ...] = (),
) -> None:
    """Recompute a published draw, from its transcript alone.

    Parameters
    ----------
    file
        The transcript, or an on-sale's public status, saved: `curl …/on-sales/<on-sale>/status > draw.json`.
    commitment
        The commitment as you kept it from before the draw.
    index
        The index of a place, to see where it was drawn.
    before
        A status that you saved before the draw: commitment, rule and contributors must be the same.
    keys
        `HOUSE=FILE`, once for each house that contributed: its published keys, or the address where they are
        (`…/v1/houses/HOUSE/.well-known/jwks.json`). Shows that it signed this very list before it revealed.
    """
    sys.exit(uvloop.run(draws.verify_draw(file, commitment, index, before, keys)))


@draw.command(name="transcript")
def draw_transcript(on_sale: str, *, network: Network, house: House) -> None:
    """Print the whole transcript of a draw that has been made, to be published."""
    now(draws.print_transcript(network, house, on_sale))


@status.command(name="verify")
def status_verify(address: str, *, keys: str = "") -> None:
    """Check that a status, or the summary of a sale that is over, is the house's own, wherever it is served.

    Parameters
    ----------
    address
        Where it is served: at the house, at an edge, at any mirror.
    keys
        Where the house publishes its keys; left out, on the machine of `address`, which proves nothing of a mirror.
    """
    sys.exit(uvloop.run(checks.verify_status(address, keys)))
