"""Webhooks go to the public internet, or to what a house's network file names; whatever the name leads to by then."""

import socket
from collections.abc import Sequence
from pathlib import Path

import aiohttp
import pytest

from engine.destinations import LOOKUPS_AT_ONCE, Gate, Lookups, NotAllowed, is_public, read_url
from engine.errors import BadInput
from tests.certificates import make_certificate
from tests.receiver import ADDRESS, Receiver, trust

PUBLIC = (
    *("1.1.1.1", "93.184.216.34", "172.15.255.255", "172.32.0.0", "100.63.255.255", "100.128.0.0", "223.255.255.255"),
    *("2606:4700:4700::1111", "2a00:1450:400e:80d::200e"),
)
HIDDEN = {
    "loopback": ("127.0.0.1", "127.255.255.254", "::1"),
    "unspecified": ("0.0.0.0", "0.1.2.3", "::"),
    "private": ("10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "fc00::1", "fdff::1"),
    "link-local": ("169.254.0.1", "fe80::1", "febf::1", "fe80::1%eth0"),
    "a cloud's own": ("169.254.169.254", "168.63.129.16", "fd00:ec2::254", "100.100.100.200", "192.0.0.192"),
    "of a carrier's NAT": ("100.64.0.1", "100.127.255.255"),
    "multicast": ("224.0.0.1", "239.255.255.255", "ff02::1", "ff0e::1"),
    "broadcast and reserved": ("255.255.255.255", "240.0.0.1"),
    "for documentation": ("192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"),
    "for benchmarks": ("198.18.0.1", "198.19.255.255", "2001:2::1"),
    "mapped": ("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:1.1.1.1", "::127.0.0.1", "::ffff:0:127.0.0.1"),
    "NAT64": ("64:ff9b::7f00:1", "64:ff9b::101:101", "64:ff9b:1::1"),
    "6to4 and Teredo": ("2002:7f00:1::1", "2002:101:101::1", "2001::1", "192.88.99.1"),
    "once site-local": ("fec0::1",),
    "discard": ("100::1",),
    "no address": ("", "localhost", "1.1.1", "0x7f.1", "2130706433", "1.1.1.1.1", "127.0.0.1 ", "::g"),
}


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_public_internet_is_public(address: str) -> None:
    assert is_public(address)
    assert Gate(()).lets(address)


@pytest.mark.parametrize(("kind", "address"), [(kind, each) for kind, those in HIDDEN.items() for each in those])
def test_no_other_address_is(kind: str, address: str) -> None:
    assert not is_public(address)
    assert not Gate(()).lets(address)
    assert not Gate(("192.168.77.0/24", "fd77::/64")).lets(address)


def test_what_a_house_names_is_let_through_and_nothing_beside_it() -> None:
    gate = Gate(("10.1.2.3", "10.2.0.0/24", "fd77::/64"))
    lets = {
        "10.1.2.3": True,
        "10.1.2.4": False,
        "10.2.0.255": True,
        "10.2.1.0": False,
        "fd77::5": True,
        "fd78::5": False,
    }
    assert {address: gate.lets(address) for address in lets} == lets
    assert not gate.lets("::ffff:10.1.2.3")


URLS = {
    "https://example.org/hook": True,
    "https://example.org:443/hook?key=1": True,
    "https://example.org:8443/": True,
    "https://93.184.216.34/": True,
    "http://example.org/": False,
    "ftp://example.org/": False,
    "//example.org/": False,
    "example.org": False,
    "https://": False,
    "https:///path": False,
    "https://user@example.org/": False,
    "https://user:password@example.org/": False,
    "https://example.org/#part": False,
    "https://example.org:22/": False,
    "https://example.org:0/": False,
    "https://example.org:65536/": False,
    "https://exa mple.org/": False,
    "https://example.org/a\nb": False,
    "https://example.org\\@127.0.0.1/": False,
    "https://１２７.0.0.1/": False,
    "https://example.org/" + "a" * 500: False,
    "": False,
}


@pytest.mark.parametrize("url", URLS)
def test_a_url_says_https_a_host_and_nothing_that_hides_something(url: str) -> None:
    if URLS[url]:
        assert read_url(url)
        return
    with pytest.raises(BadInput, match="url"):
        read_url(url)


def leads_to(*answers: Sequence[str]) -> "tuple[Gate, list[str]]":
    """A gate whose names lead where the next of these answers says, and what was asked."""
    asked: list[str] = []

    async def look_up(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return answers[min(len(asked), len(answers)) - 1]

    return Gate((), look_up), asked


@pytest.mark.parametrize(
    ("addresses", "is_taken"),
    [
        (["93.184.216.34"], True),
        (["93.184.216.34", "2606:4700:4700::1111"], True),
        (["93.184.216.34", "10.0.0.1"], False),
        (["127.0.0.1"], False),
        (["::1"], False),
        ([], False),
    ],
)
async def test_a_name_is_registered_only_if_all_that_it_leads_to_is_public(
    addresses: "list[str]", is_taken: bool
) -> None:
    gate, asked = leads_to(addresses)
    if is_taken:
        assert await gate.check("https://house.example/hook") == "https://house.example/hook"
    else:
        with pytest.raises(BadInput, match="public internet"):
            await gate.check("https://house.example/hook")
    assert asked == ["house.example"]


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254", "[fe80::1%25eth0]"])
async def test_an_address_in_a_url_is_judged_as_it_stands(host: str) -> None:
    gate, asked = leads_to(["93.184.216.34"])
    with pytest.raises(BadInput, match="public internet"):
        await gate.check(f"https://{host}/hook")
    assert asked == []


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "0177.0.0.1", "127.1", "localhost"])
async def test_other_spellings_of_our_own_machine_lead_nowhere(host: str) -> None:
    with pytest.raises(BadInput, match=r"public internet|cannot be found"):
        await Gate(()).check(f"https://{host}/hook")


async def test_a_name_that_leads_elsewhere_by_the_time_of_sending_is_not_followed(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path / "receiver.pem")
    async with Receiver(certificate) as receiver:
        gate, asked = leads_to(["93.184.216.34"], [ADDRESS])
        assert await gate.check(receiver.url(host="localhost"))
        async with gate.session(2, trust(certificate)) as session:
            with pytest.raises(aiohttp.ClientConnectorError) as refused:
                await session.post(receiver.url(host="localhost"), data=b"{}")
        assert isinstance(refused.value.os_error, NotAllowed)
        assert len(asked) == 2
        assert receiver.received == []


@pytest.mark.parametrize("host", ["127.0.0.1", "[::ffff:127.0.0.1]", "127.1", "2130706433"])
async def test_an_address_that_nobody_has_to_look_up_is_judged_where_the_socket_is_made(
    tmp_path: Path, host: str
) -> None:
    certificate = make_certificate(tmp_path / "receiver.pem")
    async with Receiver(certificate) as receiver:
        gate, asked = leads_to(["93.184.216.34"])
        async with gate.session(2, trust(certificate)) as session:
            with pytest.raises(aiohttp.ClientError):
                await session.post(f"https://{host}:{receiver.port}/hook", data=b"{}")
        assert asked == []
        assert receiver.received == []


def test_a_socket_is_made_for_the_address_that_was_judged_and_no_other() -> None:
    gate = Gate((ADDRESS,))
    gate.socket_for((socket.AF_INET, socket.SOCK_STREAM, 0, "", (ADDRESS, 443))).close()
    for address in ("127.0.0.2", "10.0.0.1", "::1"):
        with pytest.raises(NotAllowed):
            gate.socket_for((socket.AF_INET, socket.SOCK_STREAM, 0, "", (address, 443)))


async def test_only_so_many_names_are_looked_up_at_once() -> None:
    lookups = Lookups()
    assert ADDRESS in await lookups("localhost", 443)
    lookups._under_way = LOOKUPS_AT_ONCE
    with pytest.raises(OSError, match="too many names"):
        await lookups("localhost", 443)
