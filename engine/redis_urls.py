"""The Redis URLs of a network file, as redis-py wants them: for everything that is not the hot path.

A house lives in one slot, so that one node has all of it: what works on a house's keys is a plain client that finds
this node whenever it connects. redis-py's own cluster client would spread commands over nodes that have nothing of
the house.
"""

from typing import TYPE_CHECKING, Any, Final

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ClusterDownError, ConnectionError, MovedError, ReadOnlyError  # noqa: A004 - redis-py's name

from engine.address import Address, location_of
from engine.errors import ParvisError
from engine.finding import Finder

if TYPE_CHECKING:
    from redis.asyncio import Redis

TIMEOUT_SECONDS: Final = 5.0


class _Found(redis.asyncio.Connection):
    """Connects to whichever node has the house just now, and leaves it when that has changed."""

    def __init__(self, *, finder: Finder, **options: Any) -> None:
        super().__init__(**options)
        self._finder = finder

    async def _connect(self) -> None:
        try:
            address = await self._finder.find()
        except ParvisError as error:
            raise ConnectionError(str(error)) from error
        self.host, self.port = address.host, address.port
        await super()._connect()  # type: ignore[no-untyped-call]

    async def read_response(self, *arguments: Any, **options: Any) -> Any:
        try:
            return await super().read_response(*arguments, **options)
        except (MovedError, ReadOnlyError, ClusterDownError):
            await self.disconnect()
            raise


class _FoundWithTls(_Found, redis.asyncio.SSLConnection):
    """The same, encrypted."""


def _options(address: Address) -> dict[str, Any]:
    # Its own retries are off: there is one retry layer, ours.
    common: dict[str, Any] = {
        "username": address.user or None,
        "password": address.password or None,
        "socket_timeout": TIMEOUT_SECONDS,
        "socket_connect_timeout": TIMEOUT_SECONDS,
        "retry": Retry(NoBackoff(), 0),
    }
    return common | ({"ssl_ca_certs": address.ca_file} if address.is_tls and address.ca_file else {})


def connect_to(address: Address) -> "Redis":
    """A redis-py client of one server."""
    options = _options(address)
    if address.path:
        return redis.asyncio.Redis(unix_socket_path=address.path, **options)
    return redis.asyncio.Redis(host=address.host, port=address.port, ssl=address.is_tls, **options)


def connect(url: str, key: str = "") -> "Redis":
    """A redis-py client of the node that has `key`, for a URL of the network file; `key` matters in a cluster only."""
    location = location_of(url)
    if location.kind == "server":
        return connect_to(location.account)
    kind = _FoundWithTls if location.account.is_tls else _Found
    pool = redis.asyncio.ConnectionPool(connection_class=kind, finder=Finder(url, key), **_options(location.account))
    return redis.asyncio.Redis.from_pool(pool)


def credentials(url: str) -> tuple[str, str]:
    """User and password of a URL; empty where it names none."""
    account = location_of(url).account
    return account.user, account.password
