"""Where a webhook may go: to the public internet by https, and to what a house's own network file names; nowhere else.

A name is looked up whenever somebody connects, and the address that a socket is made for is judged right there, in
`Gate.socket_for`: what was looked up a moment earlier, or under another name, proves nothing.
"""

import asyncio
import errno
import ipaddress
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from engine.errors import BadInput

LONGEST_URL: Final = 500
LOOK_UP_SECONDS: Final = 5.0
LOOKUPS_AT_ONCE: Final = 8
"""For one house in one process: a name server that never answers keeps no other house from being reached."""
FIRST_FREE_PORT: Final = 1024
HTTPS_PORT: Final = 443
PUBLIC_V6: Final = ipaddress.ip_network("2000::/3")
"""What IANA gives out as global unicast. NAT64, mapped, local and multicast addresses all lie outside of it."""
NOT_PUBLIC: Final = tuple(
    map(
        ipaddress.ip_network,
        (
            *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
            *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15"),
            *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
            # Answers every machine of one cloud with that machine's own secrets, though it looks public.
            "168.63.129.16/32",
            # Teredo and its like, benchmarks, documentation, 6to4: each leads on to an address inside it, or nowhere.
            *("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
        ),
    )
)
"""Source: IANA's special-purpose address registries (RFC 6890 and its successors)."""
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
LookUp = Callable[[str, int], Awaitable[Sequence[str]]]


class NotAllowed(OSError):
    """Nothing of ours connects there."""

    def __init__(self, address: str) -> None:
        super().__init__(errno.EACCES, f"{address} is not an address of the public internet")


def is_public(text: str) -> bool:
    """Whether an address is one of the public internet, however it is spelled; what is no address is not."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address not in PUBLIC_V6:
        return False
    return address.is_global and not any(
        address in network for network in NOT_PUBLIC if address.version == network.version
    )


class Lookups:
    """Looks names up, each in a thread of its own that nobody waits for at the end."""

    def __init__(self) -> None:
        self._under_way = 0

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """The addresses of a name. Raises `OSError`, `TimeoutError`."""
        if self._under_way >= LOOKUPS_AT_ONCE:
            raise OSError(errno.EAGAIN, "too many names are being looked up")
        loop = asyncio.get_running_loop()
        found: asyncio.Future[Sequence[str]] = loop.create_future()

        def done(result: "list[str] | OSError") -> None:
            self._under_way -= 1
            if found.done():
                return
            if isinstance(result, OSError):
                found.set_exception(result)
            else:
                found.set_result(result)

        def look_up() -> None:
            result: list[str] | OSError
            try:
                result = [str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
            except (OSError, UnicodeError) as error:
                result = error if isinstance(error, OSError) else OSError(errno.EINVAL, str(error))
            if not loop.is_closed():
                loop.call_soon_threadsafe(done, result)

        self._under_way += 1
        threading.Thread(target=look_up, daemon=True, name="look-up").start()
        async with asyncio.timeout(LOOK_UP_SECONDS):
            return await found


class Gate(AbstractResolver):
    """What one house may connect to. `inside`: addresses and networks besides the public ones, of its network file."""

    def __init__(self, inside: Sequence[str], look_up: LookUp | None = None) -> None:
        self._inside: tuple[Network, ...] = tuple(ipaddress.ip_network(each, strict=False) for each in inside)
        self._look_up = look_up or Lookups()

    def lets(self, address: str) -> bool:
        """Whether anything of this house may connect to an address."""
        try:
            found = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        is_inside = any(found in network for network in self._inside if network.version == found.version)
        return is_inside or is_public(address)

    def socket_for(self, address: Any) -> socket.socket:
        """A socket to connect to exactly this address. Raises `NotAllowed`."""
        family, kind, protocol, _, where = address
        if not self.lets(str(where[0])):
            raise NotAllowed(str(where[0]))
        return socket.socket(family=family, type=kind, proto=protocol)

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002 - whatever there is
    ) -> list[ResolveResult]:
        """Every address of a name that may be connected to. Raises `NotAllowed` where there is none."""
        found = list(dict.fromkeys(await self._look_up(host, port)))
        allowed = [address for address in found if self.lets(address)]
        if not allowed:
            raise NotAllowed(found[0]) if found else OSError(errno.EHOSTUNREACH, f"{host} has no address")
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in allowed
        ]

    async def close(self) -> None:
        """There is nothing to close."""

    async def check(self, text: str) -> str:
        """The URL as it is kept, if a webhook may go there. Raises `BadInput`.

        Where the name leads to is looked at again whenever something is sent.
        """
        url = read_url(text)
        host = url.host or ""
        try:
            addresses = [host] if _is_address(host) else await self._look_up(host, url.port or HTTPS_PORT)
        except (OSError, TimeoutError) as error:
            raise BadInput(f"url: {host} cannot be found") from error
        if not addresses or not all(map(self.lets, addresses)):
            raise BadInput(
                "url: it does not lead to the public internet, and webhooks_to of the house does not name it"
            )
        return str(url)

    def session(self, seconds: float, context: ssl.SSLContext | None = None) -> aiohttp.ClientSession:
        """What connects for this house: no redirects, cookies or proxies, `seconds` for all of a request."""
        connector = aiohttp.TCPConnector(
            resolver=self,
            socket_factory=self.socket_for,
            use_dns_cache=False,
            ssl=context or ssl.create_default_context(),
        )
        return aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=seconds, sock_connect=seconds / 2),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            headers={"User-Agent": "Parvis", "Content-Type": "application/json"},
        )


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def read_url(text: str) -> URL:
    """A URL that a webhook could go to, whatever its name leads to. Raises `BadInput`."""
    if not 1 <= len(text) <= LONGEST_URL or not text.isascii() or not text.isprintable() or " " in text or "\\" in text:
        raise BadInput(f"url: at most {LONGEST_URL} characters of ASCII, without spaces")
    try:
        url = URL(text)
        port = url.port
    except ValueError as error:
        raise BadInput(f"url: {error}") from error
    if url.scheme != "https" or not url.host:
        raise BadInput("url: it begins with https:// and names a host")
    if url.user is not None or url.password is not None or url.raw_fragment:
        raise BadInput("url: no name, password or fragment stands in it")
    if port != HTTPS_PORT and not FIRST_FREE_PORT <= (port or 0) <= 65_535:
        raise BadInput(f"url: its port is {HTTPS_PORT}, or {FIRST_FREE_PORT} and more")
    return url
