"""The Redis URLs of a network file, as redis-py wants them: for everything that is not the hot path."""

from typing import TYPE_CHECKING, Any, Final

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from engine.address import address_of

if TYPE_CHECKING:
    from redis.asyncio import Redis

TIMEOUT_SECONDS: Final = 5.0


def connect(url: str) -> "Redis":
    """A redis-py client for a URL of the network file. Its own retries are off: there is one retry layer, ours."""
    address = address_of(url)
    common: dict[str, Any] = {
        "username": address.user or None,
        "password": address.password or None,
        "socket_timeout": TIMEOUT_SECONDS,
        "socket_connect_timeout": TIMEOUT_SECONDS,
        "retry": Retry(NoBackoff(), 0),
    }
    if address.path:
        return redis.asyncio.Redis(unix_socket_path=address.path, **common)
    return redis.asyncio.Redis(host=address.host, port=address.port, ssl=address.is_tls, **common)


def credentials(url: str) -> tuple[str, str]:
    """User and password of a URL; empty where it names none."""
    address = address_of(url)
    return address.user, address.password
