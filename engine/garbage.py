"""How often Python looks for cycles: seldom, because hardly any are made here."""

import gc
from typing import Final

LIMIT: Final = 50_000
"""Objects made and not freed before cycles are looked for; Python's own 700 are twenty requests."""


def collect_seldom() -> None:
    """For a process that serves: what is here now lives as long as it does, and is not looked through again."""
    gc.freeze()
    gc.set_threshold(LIMIT)
