"""Whatever is in a network file, it is read or explained in words."""

import copy
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import BadNetworkFile
from engine.network import load, read_slugs

POLICY = {"fees": "f", "refunds": "r", "delivery": "d"}
RIGHT: dict[str, Any] = {
    "name": "Network",
    "policies": {"shared": dict(POLICY)},
    "houses": [
        {
            "slug": "noord",
            "name": "Huis Noord",
            "languages": ["nl", "en"],
            "colours": {"primary": "#102030"},
            "redis_url": "redis://noord:secret@noord.internal:6379",
            "redis_owner_url": "redis://default:secret@noord.internal:6379",
            "postgres_dsn": "postgresql://noord:secret@postgres.internal/noord",
            "secrets_path": "secrets/noord",
            "allowed_origins": ["https://www.noord.example"],
            "return_addresses": ["https://www.noord.example/tickets"],
            "listed": True,
            "operator_contact": "ops@noord.example",
            "policy": "shared",
            "limits": {"batch": 5},
        },
        {
            "slug": "zuid",
            "name": "Huis Zuid",
            "redis_url": "redis://zuid:secret@zuid.internal:6379",
            "postgres_dsn": "postgresql://zuid:secret@postgres.internal/zuid",
            "operator_contact": "ops@zuid.example",
            "policy": dict(POLICY),
        },
    ],
}
VALUES = st.one_of(
    st.integers(-5, 10**18),
    st.booleans(),
    st.floats(),
    st.sampled_from(["", "x", "${PARVIS_NO_SUCH_NAME}", "\x7f", "#12345", "https://", "http://[::1", "redis://"]),
    st.sampled_from(["postgresql://h:notaport/x", "postgresql://x@h:99999999/d?port=x", "unix:///p?user=%zz", "noord"]),
    st.sampled_from([[], [[]], [5], ["nl", "nl"], {}, {"x": 1}, {"fees": "${PARVIS_NO_SUCH_NAME}"}]),
)


def places(node: Any) -> list[tuple[Any, Any]]:
    """Every holder and key within a document."""
    pairs = list(node.items()) if isinstance(node, dict) else list(enumerate(node)) if isinstance(node, list) else []
    return [(node, key) for key, _ in pairs] + [place for _, value in pairs for place in places(value)]


def faults_of(read: Callable[[Path], object], file: Path) -> tuple[str, ...] | None:
    """None where the file is read; any other error than the one of its kind is a failure."""
    try:
        read(file)
    except BadNetworkFile as error:
        return error.problems
    return None


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_whatever_a_value_is_the_file_is_read_or_explained(data: st.DataObject) -> None:
    document = copy.deepcopy(RIGHT)
    for _ in range(data.draw(st.integers(1, 3))):
        holder, key = data.draw(st.sampled_from(places(document)))
        holder[key] = copy.deepcopy(data.draw(VALUES))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "network.toml"
        file.write_text(tomli_w.dumps(document))
        for read in (load, read_slugs):
            told = faults_of(read, file)
            assert told != ()
            assert "secret@" not in " ".join(told or ())


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (
            lambda document: document["policies"]["shared"].update(fees="${PARVIS_NO_SUCH_NAME}"),
            "policy shared, fees: the environment has no PARVIS_NO_SUCH_NAME",
        ),
        (
            lambda document: document["houses"][1]["policy"].update(delivery="${PARVIS_NO_SUCH_NAME}"),
            "house zuid, policy, delivery: the environment has no PARVIS_NO_SUCH_NAME",
        ),
    ],
)
def test_a_variable_that_is_not_set_in_a_policy_is_one_fault(spoil: Any, problem: str, tmp_path: Path) -> None:
    document = copy.deepcopy(RIGHT)
    spoil(document)
    file = tmp_path / "network.toml"
    file.write_text(tomli_w.dumps(document))
    with pytest.raises(BadNetworkFile) as refused:
        load(file)
    assert refused.value.problems == (problem,)


@pytest.mark.parametrize("slug", [[], {}, 5, True, "A", ""])
def test_a_slug_that_is_none_is_told_before_there_are_servers(slug: Any, tmp_path: Path) -> None:
    document = copy.deepcopy(RIGHT)
    document["houses"][0]["slug"] = slug
    file = tmp_path / "network.toml"
    file.write_text(tomli_w.dumps(document))
    with pytest.raises(BadNetworkFile) as refused:
        read_slugs(file)
    assert refused.value.problems == (
        "house 1, slug: a slug is made of a-z, 0-9 and inner hyphens, at most 40 characters",
    )
