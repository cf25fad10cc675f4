"""Where a house's Redis listens, read from its URL."""

from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

from engine.errors import BadInput

DEFAULT_PORT: Final = 6379


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """Where a Redis listens and who we are there; `path` (a unix socket) stands instead of host and port."""

    host: str = ""
    port: int = DEFAULT_PORT
    path: str = ""
    user: str = ""
    password: str = ""
    is_tls: bool = False
    ca_file: str = ""

    def __repr__(self) -> str:
        # The password must not travel into logs and tracebacks.
        return self.path or f"{self.host}:{self.port}"


def address_of(url: str) -> Address:
    """Read `redis://`, `rediss://` (`?ssl_ca_certs=FILE`) or `unix:///path?user=…&password=…`.

    Raises `BadInput`, without the URL in its message (it may hold a password).
    """
    parts = urlsplit(url)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    user = unquote(parts.username or "") or query.get("user", "") or query.get("username", "")
    password = unquote(parts.password or "") or query.get("password", "")
    unknown = query.keys() - {"user", "username", "password", "ssl_ca_certs", "db"}
    if unknown:
        raise BadInput(f"The Redis URL has options that mean nothing here: {', '.join(sorted(unknown))}.")
    database = query.get("db", "0") if parts.scheme == "unix" else parts.path.strip("/") or query.get("db", "0")
    if database != "0":
        raise BadInput("A cell lives in database 0 of its Redis; the URL names another.")
    if parts.scheme == "unix" and parts.path:
        return Address(path=unquote(parts.path), user=user, password=password)
    if parts.scheme not in {"redis", "rediss"} or not parts.hostname:
        raise BadInput("A Redis URL reads redis://host:port, rediss://host:port or unix:///path/redis.sock.")
    try:
        port = parts.port or DEFAULT_PORT
    except ValueError as error:
        raise BadInput("The port in the Redis URL is not a port number.") from error
    return Address(
        host=parts.hostname,
        port=port,
        user=user,
        password=password,
        is_tls=parts.scheme == "rediss",
        ca_file=query.get("ssl_ca_certs", ""),
    )
