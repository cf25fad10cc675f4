"""What a verdict finds."""

from typing import Any, Final

import msgspec

KINDS: Final = (
    *("double_sale", "lost_order", "broken_limit", "broken_line"),
    *("broken_promise", "unbalanced_books", "missing_evidence"),
)
CLOCKS_MS: Final = 500
"""How far the clocks of houses and of the crowd's processes may differ."""
Told = dict[str, Any]


class Fault(msgspec.Struct, frozen=True):
    """Something that must never happen, of one of the `KINDS`."""

    kind: str
    what: str
