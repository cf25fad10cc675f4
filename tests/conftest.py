"""Real servers for every test: one Redis and one Postgres a test process, emptied between tests."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis  # noqa: F401 - else its plugin imports it after the last test, which CPython 3.11 at times fails at
import pytest
import redis

from engine.address import address_of
from engine.embedded.redis import EmbeddedRedis
from engine.library import assemble


@pytest.fixture(scope="session")
def short_folder() -> Iterator[Path]:
    """A folder whose path leaves room for a socket's name."""
    folder = Path(tempfile.mkdtemp(prefix="pt-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def redis_server(short_folder: Path) -> Iterator[EmbeddedRedis]:
    """A Redis with the function library, as a house has it: every answer on disk before it leaves."""
    server = EmbeddedRedis(short_folder / "redis")
    server.start()
    connection = owner_of(server)
    connection.execute_command("FUNCTION", "LOAD", assemble().source)
    connection.close()
    yield server
    server.stop()


def owner_of(server: EmbeddedRedis) -> redis.Redis:
    """A plain connection with the owner's rights."""
    address = address_of(server.owner_url)
    return redis.Redis(unix_socket_path=address.path, username=address.user or None, password=address.password)


@pytest.fixture
def owner(redis_server: EmbeddedRedis) -> Iterator[redis.Redis]:
    """The owner's connection to an empty Redis whose gates are closed."""
    connection = owner_of(redis_server)
    connection.flushall()
    yield connection
    connection.close()
