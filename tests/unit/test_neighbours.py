"""Whoever asks is known by what trusted proxies say of them, and by nothing that they say of themselves."""

import time
from types import SimpleNamespace
from typing import Any

import pytest
from structlog.testing import capture_logs

from api import neighbours
from api.neighbours import Neighbours, client_address, forwarded_scheme, network_of
from engine.network import Network


def asked(count: int, *headers: tuple[str, str], peer: str | None = "192.0.2.9", scheme: str = "http") -> Any:
    app = SimpleNamespace(state=SimpleNamespace(network=Network("Test", (), (), count)))
    told = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    return {"litestar_app": app, "headers": told, "client": (peer, 1234) if peer else None, "scheme": scheme}


FOR, PROTO = "x-forwarded-for", "x-forwarded-proto"


@pytest.mark.parametrize(
    ("count", "said", "address"),
    [
        (0, ["203.0.113.5"], "192.0.2.9"),
        (0, [], "192.0.2.9"),
        (1, [], "192.0.2.9"),
        (1, ["203.0.113.5"], "203.0.113.5"),
        (1, ["10.0.0.1, 8.8.8.8, 203.0.113.5"], "203.0.113.5"),
        (1, ["10.0.0.1", "203.0.113.5"], "203.0.113.5"),
        (2, ["10.0.0.1, 203.0.113.5, 198.51.100.7"], "203.0.113.5"),
        (2, ["203.0.113.5"], "203.0.113.5"),
        (3, ["1.1.1.1, 203.0.113.5, 198.51.100.7, 198.51.100.8"], "203.0.113.5"),
        (2, ["nonsense, 198.51.100.7"], "198.51.100.7"),
        (1, ["nonsense"], "192.0.2.9"),
        (1, ["203.0.113.5, "], "192.0.2.9"),
        (1, ["203.0.113.5:4711"], "203.0.113.5"),
        (1, ["[2001:db8::1]:4711"], "2001:db8::1"),
        (1, ["2001:DB8:0::1"], "2001:db8::1"),
        (1, ["::ffff:203.0.113.5"], "203.0.113.5"),
        (1, ["<script>"], "192.0.2.9"),
    ],
)
def test_an_address_is_what_the_outermost_trusted_proxy_heard(count: int, said: list[str], address: str) -> None:
    assert client_address(asked(count, *((FOR, each) for each in said))) == address


def test_a_proxy_of_our_own_network_that_is_not_counted_is_told_of_once() -> None:
    with capture_logs() as told:
        client_address(asked(0, (FOR, "198.51.100.7"), peer="8.8.8.8"))  # anybody may send that
        client_address(asked(0, peer="10.0.0.7"))
        client_address(asked(1, (FOR, "198.51.100.7"), peer="10.0.0.7"))
        assert told == []
        scope = asked(0, (FOR, "198.51.100.7"), peer="10.0.0.7")
        for _ in range(3):
            assert client_address(scope) == "10.0.0.7"
    assert [(entry["log_level"], entry["address"]) for entry in told] == [("warning", "10.0.0.7")]


def test_other_headers_say_nothing() -> None:
    forged = [("x-real-ip", "1.1.1.1"), ("forwarded", "for=1.1.1.1"), ("cf-connecting-ip", "1.1.1.1")]
    assert client_address(asked(1, *forged)) == "192.0.2.9"
    assert client_address(asked(0, peer=None)) == neighbours.UNKNOWN


@pytest.mark.parametrize(
    ("count", "said", "scheme", "spoken"),
    [
        (0, ["https"], "http", "http"),
        (0, [], "https", "https"),
        (1, ["https"], "http", "https"),
        (1, ["http"], "https", "http"),
        (1, [], "http", "http"),
        (1, ["https, http"], "http", "http"),
        (2, ["http, https, http"], "http", "https"),
    ],
)
def test_a_scheme_is_believed_of_a_trusted_proxy_alone(count: int, said: list[str], scheme: str, spoken: str) -> None:
    assert forwarded_scheme(asked(count, *((PROTO, each) for each in said), scheme=scheme)) == spoken


def test_neighbours_share_a_prefix() -> None:
    assert network_of("203.0.113.5") == network_of("203.0.113.250") == "203.0.113.0/24"
    assert network_of("2001:db8:1:2ff::1") == network_of("2001:db8:1:200::9") != network_of("2001:db8:1:300::1")


def test_what_was_done_a_minute_ago_counts_less_and_less(monkeypatch: pytest.MonkeyPatch) -> None:
    at = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: at)
    near = Neighbours()
    for _ in range(100):
        near.note("a")
    assert (near.count("a"), near.count("b")) == (100, 0)
    at += 60
    assert near.count("a") == 100
    at += 30
    assert near.count("a") == 50
    at += 30
    assert near.count("a") == 0


def test_of_too_many_networks_the_rest_counts_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "MOST_PREFIXES", 3)
    near = Neighbours()
    for number in range(10):
        near.note(f"10.0.{number}.0/24")
    assert near.count("10.0.0.0/24") == 1
    assert near.count("172.16.0.0/24") == 7, "nobody hides behind so many"
    alone = Neighbours(answers_for_others=False)
    for number in range(10):
        alone.note(f"10.0.{number}.0/24")
    assert (alone.count("10.0.0.0/24"), alone.count("172.16.0.0/24")) == (1, 0), "nobody answers for so many others"
