"""The Redis URLs of a network file: one server, a cluster's nodes, or sentinels."""

import pytest

from engine.address import Address, location_of
from engine.errors import BadInput
from engine.network_checks import identities


def test_one_address_is_one_server() -> None:
    for url in ("redis://u:p@one:7001", "rediss://u:p@one:7001", "unix://u:p@/run/redis.sock"):
        found = location_of(url)
        assert (found.kind, found.seeds) == ("server", (found.account,))
        assert (found.account.user, found.account.password) == ("u", "p")


@pytest.mark.parametrize(
    ("url", "hosts", "is_tls"),
    [
        ("redis+cluster://u:p%40%2F@one:7001,two:7002/", [("one", 7001), ("two", 7002)], False),
        ("redis+cluster://u:p%40%2F@one,two:7002", [("one", 6379), ("two", 7002)], False),
        ("redis+cluster://u:p%40%2F@one,one,two", [("one", 6379), ("two", 6379)], False),
        ("rediss+cluster://u:p%40%2F@[::1]:7001,[fe80::2]", [("::1", 7001), ("fe80::2", 6379)], True),
    ],
)
def test_nodes_of_a_cluster_share_one_account(url: str, hosts: list[tuple[str, int]], is_tls: bool) -> None:
    found = location_of(url)
    assert found.kind == "cluster"
    assert [(seed.host, seed.port) for seed in found.seeds] == hosts
    for seed in (*found.seeds, found.account):
        assert (seed.user, seed.password, seed.is_tls) == ("u", "p@/", is_tls)
    assert found.at("three", 7003) == Address(host="three", port=7003, user="u", password="p@/", is_tls=is_tls)


def test_sentinels_have_an_account_of_their_own_or_none() -> None:
    found = location_of("redis+sentinel://u:p@one:5001,two/house-primary")
    assert (found.kind, found.primary_name) == ("sentinel", "house-primary")
    assert found.seeds == (Address(host="one", port=5001), Address(host="two", port=26379))
    assert found.at("three", 7003) == Address(host="three", port=7003, user="u", password="p")
    found = location_of("rediss+sentinel://u:p@one/m?sentinel_user=s&sentinel_password=a%26b&ssl_ca_certs=/ca.pem")
    assert found.seeds == (Address(host="one", port=26379, user="s", password="a&b", is_tls=True, ca_file="/ca.pem"),)
    assert found.at("three", 7003).ca_file == "/ca.pem"


@pytest.mark.parametrize(
    "url",
    [
        "redis+cluster://",
        "redis+cluster://u:secret-word@one,,two",
        "redis+cluster://u:secret-word@one:port",
        "redis+cluster://u:secret-word@one/house-primary",
        "redis+cluster://u:secret@word@one",
        "redis+cluster://u:secret-word@one?db=3",
        "redis+cluster://u:secret-word@one?sentinel_user=s",
        "redis+sentinel://u:secret-word@one",
        "redis+sentinel://u:secret-word@one/",
        "redis+sentinel://u:secret-word@one/a/b",
        "redis+sentinel://u:secret-word@/house-primary",
        "redis+sentinel://u:secret-word@one/house-primary?quorum=2",
        "redis+pigeons://u:secret-word@one",
        "unix+cluster:///run/redis.sock",
    ],
)
def test_several_hosts_that_cannot_be_right_are_refused_without_telling_the_password(url: str) -> None:
    with pytest.raises(BadInput) as refusal:
        location_of(url)
    assert "secret" not in str(refusal.value)
    assert "word" not in str(refusal.value).replace("password", "")


def test_two_houses_may_share_a_cluster_but_not_a_user_on_it() -> None:
    one = set(identities({"redis_url": "redis+cluster://noord:p@one,two"}))
    assert one & set(identities({"redis_url": "redis+cluster://noord:q@two,three"}))
    assert one & set(identities({"redis_url": "redis://noord:q@two"}))
    assert not one & set(identities({"redis_url": "redis+cluster://zuid:p@one,two"}))
    watched = set(identities({"redis_url": "redis+sentinel://u:p@one/of-noord"}))
    assert watched & set(identities({"redis_url": "redis+sentinel://u:q@two,one/of-noord"}))
    assert not watched & set(identities({"redis_url": "redis+sentinel://u:p@one/of-zuid"}))
