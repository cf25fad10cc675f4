"""A house's database behind a proxy that misbehaves, by its DSN."""

import re
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from engine.torture.proxy import FaultProxy

SOCKET = ".s.PGSQL.5432"


@asynccontextmanager
async def behind_proxy(dsn: str, *, seed: int = 0) -> AsyncIterator[tuple[str, FaultProxy]]:
    """The DSN through the proxy, and the proxy. `dsn` names a unix socket's folder, as an embedded Postgres's does."""
    found = re.search(r"host=([^&]+)", dsn)
    assert found
    folder = found.group(1)
    with tempfile.TemporaryDirectory(prefix="pp-", dir="/tmp") as listen:
        async with FaultProxy(f"{folder}/{SOCKET}", f"{listen}/{SOCKET}", seed=seed) as proxy:
            yield dsn.replace(folder, listen), proxy
