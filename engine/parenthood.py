"""Children that end when their parent does, even if it was killed: nothing of ours is left behind."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from typing import Final

PR_SET_PDEATHSIG: Final = 1
"""Source: prctl(2)."""
_libc: Final = ctypes.CDLL(None) if sys.platform == "linux" else None


def die_with(parent: int, number: signal.Signals) -> None:
    """From now on the kernel sends this process `number` when the process `parent`, which started it, ends.

    Only Linux can. It sends the signal once for each thread of the parent: whoever cannot bear it twice is to be
    killed. A parent that has ended already takes this process along.
    """
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)
    if os.getppid() != parent:  # it died before the kernel knew what to do
        os._exit(1)


def child_of_this(number: signal.Signals = signal.SIGTERM) -> Callable[[], None]:
    """What a new child runs first (`preexec_fn`), so that it dies with this process."""
    return partial(die_with, os.getpid(), number)
