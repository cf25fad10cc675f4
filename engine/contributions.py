"""What other houses of the network contribute to a draw: a secret each, committed to beforehand.

One honest house is enough to keep a draw fair: nobody knows the seed before all have revealed, and that is not before
the list of entrants is closed. A contribution is derived from the house's own key, so that nothing is kept.
"""

import hashlib

from engine.draw import encode
from engine.instants import to_rfc3339
from engine.signing import Signer
from engine.words import HouseSlug, LineName, OnSaleId


def contribution(signer: Signer, house: HouseSlug, on_sale: OnSaleId, line: LineName, planned_ms: int) -> str:
    """What a house (the signer's) contributes to another's draw: base64url of 32 bytes."""
    return signer.derive("draw-contribution", f"{house}/{on_sale}/{line} {planned_ms}")


def commitment_of(
    contributor: str, house: HouseSlug, on_sale: OnSaleId, line: LineName, planned_ms: int, secret: str
) -> str:
    """What is published beforehand of a contribution."""
    lines = ("parvis-contribution", contributor, f"{house}/{on_sale}/{line}", to_rfc3339(planned_ms), secret)
    return encode(hashlib.sha256("\n".join(lines).encode()).digest())
