"""A Redis behind TLS, by URL: by the small client and by redis-py, of one server and of a cluster."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from redis.exceptions import RedisError

from engine.client import FunctionClient
from engine.errors import CellUnavailable
from engine.redis_urls import connect
from tests.certificates import make_certificate
from tests.faults.nodes import PASSWORD, Node, wait_for
from tests.faults.patience import call_until_answered

COUNT = """#!lua name=tls_test
redis.register_function('count', function(keys, args) return redis.call('INCR', keys[1]) end)
"""


@pytest.fixture(scope="module")
def node(short_folder: Path) -> Iterator[Node]:
    """A cluster of one."""
    running = Node(short_folder / "tls", "--cluster-enabled", "yes")
    running.start()
    running.ask("CLUSTER", "ADDSLOTSRANGE", 0, 16_383)
    wait_for(lambda: "cluster_state:ok" in running.ask("CLUSTER", "INFO"), "it serves")
    running.ask("FUNCTION", "LOAD", COUNT)
    yield running
    running.stop()
    running.client.close()


@pytest.fixture(scope="module")
def certificate(short_folder: Path) -> Path:
    return make_certificate(short_folder / "redis.pem")


@pytest.fixture
async def port(node: Node, certificate: Path) -> AsyncIterator[int]:
    """Where TLS ends before the node: the Redis of the tests has none of its own."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, certificate.with_suffix(".key"))

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while chunk := await reader.read(65_536):
                writer.write(chunk)
                await writer.drain()
        writer.close()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_node, to_node = await asyncio.open_connection("127.0.0.1", node.port)
        await asyncio.gather(carry(reader, to_node), carry(from_node, writer))

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=context)
    yield server.sockets[0].getsockname()[1]
    server.close()


@pytest.mark.parametrize("scheme", ["rediss", "rediss+cluster"])
async def test_a_redis_behind_tls_is_reached_by_url(certificate: Path, port: int, scheme: str) -> None:
    url = f"{scheme}://default:{PASSWORD}@127.0.0.1:{port}/?ssl_ca_certs={certificate}"
    async with connect(url, "{noord}:n") as owner, FunctionClient(url, connect_timeout_ms=5_000) as client:
        await owner.set("{noord}:n", 41)
        assert await call_until_answered(client, "count", keys=["{noord}:n"]) == 42


@pytest.mark.parametrize("scheme", ["rediss", "rediss+cluster"])
async def test_a_redis_that_nobody_vouches_for_is_not_spoken_to(port: int, scheme: str) -> None:
    url = f"{scheme}://default:{PASSWORD}@127.0.0.1:{port}/"
    async with (
        connect(url, "{noord}:n") as owner,
        FunctionClient(url, timeout_ms=3_000, connect_timeout_ms=3_000) as client,
    ):
        with pytest.raises((RedisError, OSError)):
            await owner.get("{noord}:n")
        with pytest.raises(CellUnavailable, match="certificate"):
            await client.call("count", ["{noord}:n"], [])
