"""A house is added to a network file by a command."""

import stat
from pathlib import Path

import pytest

from engine.network import load
from tests.integration.commands import Parvis

ADD = (
    *("--redis-url", "redis://a:b@localhost:7001", "--postgres-dsn", "postgresql://a:b@localhost/a"),
    *("--operator-contact", "ops@example.org"),
)


def test_a_house_is_added_to_a_new_file_that_only_its_owner_reads(parvis: Parvis, tmp_path: Path) -> None:
    file = tmp_path / "network.toml"
    said = parvis("house", "add", "oost", "Huis [Oost]", *ADD, "--network", str(file))
    assert said.code == 0
    assert f"Huis [Oost] (oost) is in {file}. Next: parvis serve" in said.words
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    (house,) = load(file).houses
    assert (house.slug, house.name, house.listed) == ("oost", "Huis [Oost]", False)
    assert house.policy.fees
    assert list(tmp_path.iterdir()) == [file]


def test_a_house_is_added_behind_the_others_and_the_file_stays_as_it_was_written(
    parvis: Parvis, tmp_path: Path
) -> None:
    file = tmp_path / "network.toml"
    assert parvis("house", "add", "oost", "Oost", *ADD, "--network", str(file)).code == 0
    before = "# ours\n" + file.read_text().replace("shared", "ours")
    file.write_text(before)
    file.chmod(0o640)
    more = ("--redis-url", "redis://w:b@localhost:7002", "--postgres-dsn", "postgresql://w:b@localhost/w")
    words = ("house", "add", "west", "West", *more, "--operator-contact", "o@example.org", "--listed")
    assert parvis(*words, "--network", str(file)).code == 0
    assert file.read_text().startswith(before.rstrip())
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    oost, west = load(file).houses
    assert west.policy == oost.policy
    assert west.listed


@pytest.mark.parametrize(
    ("slug", "changed", "why"),
    [
        ("oost", (), "it has the same slug as house oost"),
        ("Oost", (), "a slug is made of a-z"),
        ("west", (), "it has the same Postgres database as house oost"),
        ("west", ("--policy", "none"), 'no policy is called "none" (there are: shared)'),
        ("west", ("--redis-url", "http://x"), "A Redis URL reads redis://host:port"),
        ("west", ("--postgres-dsn", "sqlite:x"), "a Postgres DSN reads postgresql://"),
    ],
)
def test_a_house_with_faults_leaves_the_file_as_it_was(
    parvis: Parvis, tmp_path: Path, slug: str, changed: tuple[str, ...], why: str
) -> None:
    file = tmp_path / "network.toml"
    parvis("house", "add", "oost", "Oost", *ADD, "--network", str(file))
    before = file.read_text()
    kept = [word for pair in zip(ADD[::2], ADD[1::2], strict=True) if pair[0] not in changed for word in pair]
    said = parvis("house", "add", slug, "West", *kept, *changed, "--network", str(file))
    assert said.code == 2
    assert "is left as it was" in said.words
    assert why in said.words
    assert file.read_text() == before
    assert list(tmp_path.iterdir()) == [file]
