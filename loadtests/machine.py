"""Where a figure comes from: the machine, the code and the versions. Only what a reader needs to judge it by."""

import os
import platform
import subprocess
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]


def commit_of() -> str:
    """The commit that is checked out here, with a plus sign where files differ from it; empty where there is none."""
    said = subprocess.run(
        ["git", "-C", str(_ROOT), "describe", "--always", "--abbrev=12", "--dirty=+", "--exclude=*"],
        capture_output=True,
        text=True,
        check=False,
    )
    return said.stdout.strip()


def describe_machine() -> dict[str, str]:
    """What it all ran on."""
    processor = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.processor(),
    )
    memory = next((line.split()[1] for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), "0")
    return {
        "cores": str(os.cpu_count()),
        "processor": processor,
        "memory": f"{int(memory) / 1_048_576:.1f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "load average": " ".join(f"{load:.1f}" for load in os.getloadavg()),
    }


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
