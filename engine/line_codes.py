"""What it takes to join a line beside the public one: a code of a batch that was made for it, or a signed invitation.

Both are checked before anything costs anything; that each gives one place is decided where places are given
(`lua/waiting_room/join.lua`). Whoever has none learns nothing: what is unknown, ended or for another line sounds alike.
"""

from typing import Final

from engine.catalogue import Line, OnSale
from engine.cell import Cell
from engine.conditions import LONGEST_PROOF, code_id
from engine.errors import BadInput, ForgedToken, Refused
from engine.signing import Invitation
from engine.words import LineName

MOST_INVITATIONS: Final = 10_000
CODE_KEPT_SECONDS: Final = 86_400
"""So long a visitor who joins again with a code that was theirs finds their place: others are told that it is used."""
HIGHEST_NUMBER: Final = 100_000_000


def find_line(on_sale: OnSale, name: str) -> Line:
    """A line besides the public one. Raises `Refused` (`unknown-line`)."""
    line = on_sale.line(name)
    if line is None:
        raise Refused("unknown-line", "this on-sale has no such queue")
    return line


def check_code(cell: Cell, on_sale: OnSale, name: str, text: str) -> tuple[str, int]:
    """What a code or an invitation is counted under, and until when it counts (ms; 0: as long as its line is open).

    Raises `Refused` (`unknown-line`, `code-required`, `unknown-code`).
    """
    line = find_line(on_sale, name)
    if not text.strip():
        raise Refused("code-required", "this queue asks for a code or an invitation", line=name)
    unknown = Refused("unknown-code", "this code or invitation does not open this queue", line=name)
    if line.by == "invitation":
        try:
            invitation = cell.signer.read(Invitation, text.strip())
        except ForgedToken:
            raise unknown from None
        if (invitation.on_sale, invitation.line) != (on_sale.on_sale, name):
            raise unknown
        return f"#{invitation.number}", invitation.expires_at_ms
    if len(text) > LONGEST_PROOF:
        raise unknown
    found = code_id(cell.signer, text)
    batch = cell.catalogue.batch_of_code.get(found)
    if batch is None or batch.is_disabled or (batch.on_sale, batch.line) != (on_sale.on_sale, name):
        raise unknown
    return found, 0


def invitations(cell: Cell, on_sale: OnSale, name: str, numbers: range, expires_at_ms: int) -> list[str]:
    """The signed invitations of these numbers: made again they are the same. `expires_at_ms`: 0 for the line's end.

    Raises `BadInput`, `Refused` (`unknown-line`).
    """
    line = find_line(on_sale, name)
    if line.by != "invitation":
        raise BadInput(f"{name} is joined by {line.by}; make a batch of codes for it")
    if not 0 < len(numbers) <= MOST_INVITATIONS or numbers.start < 1 or numbers[-1] > HIGHEST_NUMBER:
        raise BadInput(f"between 1 and {MOST_INVITATIONS} invitations at a time, numbered from 1")
    until_ms = expires_at_ms or line.closes_at_ms
    made = (Invitation(on_sale.on_sale, LineName(name), number, until_ms) for number in numbers)
    return [cell.signer.sign(invitation) for invitation in made]


def link_of(house: str, on_sale: str, name: str, code: str) -> str:
    """Where an invitation leads, within the site. Behind the #: it reaches no log and no other site."""
    return f"/h/{house}/{on_sale}#line={name}&code={code}"
