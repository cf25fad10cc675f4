"""Where a house's Redis listens, read from its URL: one server, the nodes of a cluster, or sentinels that know it."""

import re
from typing import Final, Literal
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

import msgspec

from engine.errors import BadInput

DEFAULT_PORT: Final = 6379
SENTINEL_PORT: Final = 26379
SEVERAL: Final = re.compile(
    r"(?P<plain>rediss?)\+(?P<kind>cluster|sentinel)://(?:(?P<account>[^/?#@]*)@)?(?P<hosts>[^/?#@]+)"
    r"(?:/(?P<name>[^/?#]*))?(?:\?(?P<query>.*))?"
)
FORMS: Final = (
    "A cluster's URL reads redis+cluster://user:password@host:port,host:port/, one of Sentinel "
    "redis+sentinel://user:password@sentinel:port,sentinel:port/name-of-the-primary; with TLS rediss+…."
)


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


class Location(msgspec.Struct, frozen=True, kw_only=True):
    """How a house's Redis is found: `seeds` are the server itself, some nodes of its cluster, or its sentinels."""

    kind: Literal["server", "cluster", "sentinel"] = "server"
    seeds: tuple[Address, ...]
    account: Address
    """Who we are at the Redis itself, wherever it is."""
    primary_name: str = ""
    """What the sentinels call it."""

    def at(self, host: str, port: int) -> Address:
        """The address of a node that one of the seeds named."""
        return msgspec.structs.replace(self.account, host=host, port=port, path="")


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


def location_of(url: str) -> Location:
    """Read what `address_of` reads, or a URL of several hosts: nodes of a cluster, or sentinels.

    `redis+cluster://user:password@host:port,host:port/` and
    `redis+sentinel://user:password@sentinel:port,sentinel:port/name` with the user that Redis itself knows;
    sentinels with accounts of their own: `?sentinel_user=…&sentinel_password=…`. With `rediss+` all of it is TLS.
    Raises `BadInput`, without the URL in its message.
    """
    if "+" not in url.partition("://")[0]:
        address = address_of(url)
        return Location(seeds=(address,), account=address)
    # By hand: `urlsplit` takes several hosts for one.
    found = SEVERAL.fullmatch(url)
    if found is None:
        raise BadInput(FORMS)
    plain, kind, account, hosts, name, query = (part or "" for part in found.groups())
    if (kind == "sentinel") != bool(name):
        raise BadInput(FORMS)
    options = {option: values[-1] for option, values in parse_qs(query).items()}
    of_sentinels = (options.pop("sentinel_user", ""), options.pop("sentinel_password", ""))
    nodes = [address_of(f"{plain}://{account}@{host}?{urlencode(options)}") for host in hosts.split(",")]
    if kind == "cluster":
        if any(of_sentinels):
            raise BadInput("A cluster has no sentinels: sentinel_user and sentinel_password mean nothing here.")
        return Location(kind="cluster", seeds=tuple(dict.fromkeys(nodes)), account=nodes[0])
    user, password = of_sentinels
    sentinels = [
        msgspec.structs.replace(node, user=user, password=password, port=urlsplit(f"//{host}").port or SENTINEL_PORT)
        for node, host in zip(nodes, hosts.split(","), strict=True)
    ]
    return Location(
        kind="sentinel", seeds=tuple(dict.fromkeys(sentinels)), account=nodes[0], primary_name=unquote(name)
    )
