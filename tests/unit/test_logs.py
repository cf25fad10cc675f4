"""A log that nobody reads any more, or that has no room, ends nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import structlog
from engine.logs import configure
configure()
for number in range(2000):
    structlog.get_logger().info("still here", number=number)
print("went on", flush=True)
"""


@pytest.mark.parametrize("where", ["nobody reads", "full"])
def test_a_log_that_cannot_be_written_ends_nothing(where: str) -> None:
    if where == "full" and not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    reader, writer = os.pipe()
    os.close(reader)
    target = writer if where == "nobody reads" else os.open("/dev/full", os.O_WRONLY)
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=target, text=True, timeout=60, check=False
    )
    os.close(target)
    assert ran.stdout == "went on\n"
