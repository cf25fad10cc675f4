"""All tests, and once more, alone, what failed while the machine did other things: `python -m tests.twice`.

What real servers, a real browser or somebody else's program do can be late on a machine that is busy, or that stands
still for a minute. It is told both times. A rule, a script or a property is never tried again: it holds or it does not.
"""

import subprocess
import sys
from pathlib import Path
from typing import Final

import msgspec

FAILED: Final = Path(".pytest_cache/v/cache/lastfailed")
MAY_BE_LATE: Final = ("tests/browser/", "tests/chaos/", "tests/faults/", "tests/integration/")
MOST: Final = 6
"""More than these is no chance."""
SOME_FAILED: Final = 1
"""pytest's code for a run that came to its end; others stand for tests that never ran."""


def may_be_tried_again(failed: list[str]) -> bool:
    """Whether these tests, by pytest's names, are few, and each of a kind that a busy machine can break."""
    return 0 < len(failed) <= MOST and all(each.startswith(MAY_BE_LATE) for each in failed)


def run(*arguments: str) -> int:
    return subprocess.run([sys.executable, "-m", "pytest", *arguments], check=False).returncode


def main() -> int:
    """pytest's code: of the second run where there is one."""
    FAILED.unlink(missing_ok=True)
    code = run("-n", "2", "--dist", "loadfile", "--durations", "20", *sys.argv[1:])
    if code != SOME_FAILED or not FAILED.exists():
        return code
    failed = sorted(msgspec.json.decode(FAILED.read_bytes(), type=dict[str, bool]))
    if not may_be_tried_again(failed):
        print(f"{len(failed)} failed; none of them is tried again")
        return code
    print(f"{len(failed)} failed; tried once more, alone:", *failed, sep="\n  ", flush=True)
    return run(*failed)


if __name__ == "__main__":
    sys.exit(main())
