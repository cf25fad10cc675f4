"""Ports to listen on."""

import contextlib
import secrets
import socket
from collections.abc import Iterable
from typing import Final

from engine.errors import BadInput

LARGEST_PORT: Final = 65_535
LOWEST_FREE: Final = 11_000
"""Below it lie some that browsers refuse to go to."""
HIGHEST_FREE: Final = 32_767
"""Above it Linux gives ports to connections that go out (ip_local_port_range)."""


def check_ports(ports: Iterable[int], host: str = "127.0.0.1") -> None:
    """Raises `BadInput` unless every port can be listened on here."""
    for port in ports:
        if not 1 <= port <= LARGEST_PORT:
            raise BadInput(f"port {port} does not lie between 1 and {LARGEST_PORT}")
        try:
            family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            with socket.socket(family, kind) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
        except OSError as error:
            raise BadInput(f"cannot listen on {host}, port {port} ({error}): choose others with --port") from error


def free_port(*above: int) -> int:
    """A port that can be listened on here, with those so far `above` it.

    The kernel gives it to no connection that goes out: whoever stops listening there, and begins again, finds it free.
    """
    while True:
        port = LOWEST_FREE + secrets.randbelow(HIGHEST_FREE - LOWEST_FREE - max(above, default=0))
        with contextlib.suppress(BadInput):  # taken
            check_ports((port, *(port + each for each in above)))
            return port
