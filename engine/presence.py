"""Whoever leaves the shop gives their slot back after a moment. Beside `lua/waiting_room/leave.lua`."""

from engine.catalogue import PASS_LEEWAY_MS
from engine.cell import Cell, broken
from engine.errors import Refused
from engine.waiting_room import moved_elsewhere
from engine.words import OnSaleId


async def leave(cell: Cell, on_sale: OnSaleId, token: str, said_ms: int, *, is_leaving: bool) -> int:
    """Takes note that whoever has a pass has left, or is here again: who comes back in time has their pass as it was.

    `said_ms`: when, by their own clock; the newest word counts. Answers until when the pass lets them in by now.
    Raises `ForgedToken`, and `Refused` for the pass of another on-sale, one that has ended, or was taken over.
    """
    verified = cell.signer.read_pass(token)
    if verified.on_sale != on_sale:
        raise Refused("not-your-place", "this pass is of another on-sale")
    grace_ms = cell.house.limits.leave_grace_seconds * 1000 if is_leaving else 0
    claim = f"{verified.index} {verified.generation}"
    reply = await cell.call(
        "waiting_room/leave",
        (cell.keys.cell, cell.keys.live(on_sale), cell.keys.presence(on_sale, claim)),
        (claim, said_ms, verified.ends_at_ms + PASS_LEEWAY_MS, grace_ms),
    )
    match reply[0]:
        case b"inside":
            return min(int(reply[1]), verified.ends_at_ms)
        case b"moved":
            raise moved_elsewhere()
        case b"pass_ended":
            raise Refused("pass-ended", "this pass has ended")
    raise broken("waiting_room/leave", reply)
