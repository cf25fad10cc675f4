"""A town of two houses whose servers are stopped, frozen and killed; each fault test opens a sale of its own."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.town import Town


@pytest.fixture(scope="session")
def town() -> Iterator[Town]:
    # The faults strike the first house. The second may be slow on a busy machine, but it may not refuse.
    running = Town(("noord", "zuid"), own_limits={"zuid": {"redis_timeout_ms": 5_000}}).start()
    try:
        asyncio.run(running.until_ready())
        yield running
    finally:
        running.stop()
