"""Where requests come from: the client's address behind the proxies that a network trusts, and who came from near it.

What a client says of its own address is believed of nobody but the configured count of proxies: each of them appends
whom it heard, so that the right end of `X-Forwarded-For` is theirs, and whatever stands before it is anybody's.
"""

import ipaddress
import time
from typing import Final

import structlog
from litestar.types import Scope

V4_PREFIX: Final = 24
V6_PREFIX: Final = 56
"""What one customer of a provider has, and a neighbour does not."""
WINDOW_SECONDS: Final = 60.0
MOST_PREFIXES: Final = 50_000
REST: Final = ""
"""Those for whom there is no room, together."""
UNKNOWN: Final = "0.0.0.0"
log = structlog.get_logger()


def trusted_proxies(scope: Scope) -> int:
    """How many proxies stand before this process, by the network's file."""
    count: int = scope["litestar_app"].state.network.trusted_proxies
    return count


def _plain(text: str) -> str:
    """An address in its usual spelling; empty for what is none. A port or brackets around it are left out."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    mapped = getattr(found, "ipv4_mapped", None)
    return str(mapped or found)


def _look_for_proxy(scope: Scope, address: str) -> None:
    """Says once a process that somebody of our own network passes others' requests on, whom the network's file does not
    trust: to us all of its visitors are one. What comes from outside says nothing: anybody may send the header.
    """
    state = scope["litestar_app"].state
    is_told = getattr(state, "is_proxy_told", False)
    if is_told or not address or not ipaddress.ip_address(address).is_private:
        return
    if any(key == b"x-forwarded-for" for key, _ in scope["headers"]):
        state.is_proxy_told = True
        log.warning("a proxy that trusted_proxies does not count", address=address)


def client_address(scope: Scope) -> str:
    """Whoever asks, as the outermost trusted proxy heard them; without such a proxy, whoever is connected."""
    peer = scope.get("client")
    address = _plain(peer[0]) if peer else ""
    count = trusted_proxies(scope)
    if not count:
        _look_for_proxy(scope, address)
    else:
        told = b",".join(value for key, value in scope["headers"] if key == b"x-forwarded-for").decode("latin-1")
        for each in told.split(",")[: -count - 1 : -1]:
            plain = _plain(each)
            if not plain:
                break  # a proxy of ours writes addresses: from here on it is somebody else's text
            address = plain
    return address or UNKNOWN


def forwarded_scheme(scope: Scope) -> str:
    """`https` or `http`, as the visitor's browser speaks to us or to the outermost trusted proxy."""
    count, told = trusted_proxies(scope), ""
    if count:
        told = b",".join(value for key, value in scope["headers"] if key == b"x-forwarded-proto").decode("latin-1")
    said = [each.strip() for each in told.split(",") if each.strip()][-count:] if told else []
    return said[0] if said else str(scope["scheme"])


def network_of(address: str) -> str:
    """The prefix under which an address is counted: /24, or /56 of IPv6."""
    prefix = V6_PREFIX if ":" in address else V4_PREFIX
    return str(ipaddress.ip_network(f"{address}/{prefix}", strict=False))


class Neighbours:
    """How often something was done from each network within about a minute, in this process. Bounded; never exact.

    Two windows slide: of the one before, as much counts as still lies within a minute. Those for whom there is no room
    count as one; or nobody answers for others, and theirs is not known.
    """

    def __init__(self, seconds: float = WINDOW_SECONDS, *, answers_for_others: bool = True) -> None:
        self._seconds = seconds
        self._answers_for_others = answers_for_others
        self._began = time.monotonic()
        self._now: dict[str, int] = {}
        self._before: dict[str, int] = {}

    def _turn(self) -> float:
        """Begins a new window where one is over. Answers how much of the window before still counts, 0 to 1."""
        at = time.monotonic()
        passed = (at - self._began) / self._seconds
        if passed >= 1:
            self._before = self._now if passed < 2 else {}
            self._now, self._began, passed = {}, at, 0.0
        return 1 - passed

    def count(self, name: str) -> int:
        """How often of late."""
        share = self._turn()
        return self._of(self._now, name) + int(self._of(self._before, name) * share)

    def note(self, name: str) -> None:
        """Once more."""
        self._turn()
        if name not in self._now and len(self._now) >= MOST_PREFIXES:
            name = REST
        self._now[name] = self._now.get(name, 0) + 1

    def _of(self, counts: dict[str, int], name: str) -> int:
        return counts.get(name, counts.get(REST, 0) if self._answers_for_others else 0)
