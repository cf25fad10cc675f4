"""Children that end when their parent does, even if it was killed: nothing of ours is left behind."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from typing import Final

PR_SET_PDEATHSIG: Final = 1
"""Source: prctl(2)."""
_libc: Final = ctypes.CDLL(None) if sys.platform == "linux" else None


def die_with_parent(number: signal.Signals = signal.SIGTERM) -> None:
    """From now on the kernel sends this process `number` when its parent ends. Only Linux can."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)


def child_of_this(number: signal.Signals = signal.SIGTERM) -> Callable[[], None]:
    """What a new child runs first (`preexec_fn`), so that it dies with this process."""
    parent = os.getpid()

    def first() -> None:
        die_with_parent(number)
        if os.getppid() != parent:  # the parent died before the kernel knew what to do
            os._exit(1)

    return first
