"""A town of two houses whose servers are stopped, frozen and killed; each fault test opens a sale of its own."""

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.torture.shim import Shim
from tests.town import Town


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    # A town a file: what one breaks breaks no other. The faults strike the first house; the second may be slow on a
    # busy machine, but it may not refuse.
    running = Town(("noord", "zuid"), own_limits={"zuid": {"redis_timeout_ms": 5_000}}).start()
    try:
        asyncio.run(running.until_ready())
        yield running
    finally:
        running.stop()


@pytest.fixture
def shim() -> Iterator[Shim]:
    """What Redis runs with, to make its disk slow, its clock jump, and to know what is on disk."""
    folder = Path(tempfile.mkdtemp(prefix="pt-"))
    made = Shim(folder)
    yield made
    made.close()
    shutil.rmtree(folder)
