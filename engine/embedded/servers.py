"""The servers of a whole network in one folder: a Redis per house, one Postgres with walls between houses."""

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import Final, Self

import msgspec
import structlog

from engine.embedded.folders import make_private, password, take_lock
from engine.embedded.postgres import EmbeddedPostgres
from engine.embedded.redis import EmbeddedRedis
from engine.errors import BadInput, ParvisError
from engine.words import HouseSlug, is_slug

POSTGRES_FOLDER: Final = "_postgres"
"""No house's name: a slug has no underscore."""
STARTS_AT_ONCE: Final = 8
WATCH_SECONDS: Final = 1.0
log = structlog.get_logger()


def _log_start(name: str) -> None:
    log.warning("an embedded server had ended and was started again", server=name)


class ServerAddresses(msgspec.Struct, frozen=True):
    """Where a house's servers are, and where its secrets lie."""

    redis_url: str
    """As the house's API user, which `engine.library.install` makes."""
    redis_owner_url: str
    """As the ops side, which loads functions."""
    postgres_dsn: str
    secrets_path: Path

    def __repr__(self) -> str:
        # The URLs hold passwords.
        return f"ServerAddresses({str(self.secrets_path)!r})"


def _all(jobs: Sequence[Callable[[], object]]) -> None:
    """Does the jobs side by side, waits for every one, and raises the first error."""
    pool = ThreadPoolExecutor(max_workers=STARTS_AT_ONCE)
    try:
        futures = [pool.submit(job) for job in jobs]
        wait(futures)
    finally:  # after a Ctrl-C too: a start that goes on would be behind the back of whoever stops them all
        pool.shutdown(cancel_futures=True)
    for future in futures:
        future.result()


class EmbeddedServers:
    """The embedded servers of the houses `slugs`; everything they keep lies under `folder`.

    A context manager. `addresses`, `redis` and `postgres` can be asked for before it is entered too: another
    process finds the running servers that way. Raises `BadInput` for a slug that is none or stands twice.
    """

    def __init__(self, folder: Path, slugs: Sequence[HouseSlug]) -> None:
        wrong = [slug for slug in slugs if not is_slug(slug) or slugs.count(slug) > 1]
        if wrong:
            raise BadInput(f"not slugs of different houses: {', '.join(map(repr, wrong))}")
        # Root's servers run as another user, who has to walk through (not read) this folder.
        self.folder = make_private(folder, mode=0o711 if os.geteuid() == 0 else 0o700)
        self.postgres = EmbeddedPostgres(self.folder / POSTGRES_FOLDER)
        for slug in slugs:
            make_private(self.folder / slug)
        self.redis = {slug: EmbeddedRedis(self.folder / slug / "redis") for slug in slugs}
        self.addresses = {slug: self._addresses(slug) for slug in slugs}
        self._lock: int | None = None

    def start(self) -> None:
        """Starts everything and waits until it answers.

        Raises `FolderInUse` if another process has this folder, `ServerFailed` if a server does not come up;
        then none of them runs.
        """
        lock = take_lock(self.folder, wait_s=0)
        try:
            _all([self._start_postgres, *(server.start for server in self.redis.values())])
        except BaseException:
            self._stop_servers()
            os.close(lock)
            raise
        self._lock = lock

    @contextmanager
    def kept_up(self, say: Callable[[str], None] = _log_start) -> Iterator[None]:
        """Meanwhile a server that ends by itself, or is killed, is started again, as a service manager would.

        `say` is told its name, in the watcher's thread. One that was stopped in good order is left alone.
        """
        stop = Event()
        watcher = Thread(target=self._keep_up, args=(stop, say), name="parvis-servers", daemon=True)
        watcher.start()
        try:
            yield
        finally:
            stop.set()
            watcher.join()

    def _keep_up(self, stop: Event, say: Callable[[str], None]) -> None:
        # The ledger comes last: what is left of a Postgres that was killed may take seconds to end.
        servers: dict[str, EmbeddedRedis | EmbeddedPostgres] = {
            **{f"Redis of {slug}": server for slug, server in self.redis.items()},
            "Postgres": self.postgres,
        }
        while not stop.wait(WATCH_SECONDS):
            for name, server in servers.items():
                if not server.has_ended:
                    continue
                try:
                    server.start()
                except ParvisError as error:  # begun again at the next look
                    log.warning("an embedded server does not come up", server=name, why=str(error).splitlines()[0])
                else:
                    say(name)

    def stop(self) -> None:
        """Stops everything in good order; harmless if it does not run."""
        if self._lock is None:
            return
        self._stop_servers()
        os.close(self._lock)
        self._lock = None

    def erase(self) -> None:
        """Stops everything and deletes all data."""
        self.stop()
        self.postgres.erase()
        shutil.rmtree(self.folder)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start_postgres(self) -> None:
        self.postgres.start()
        for slug in self.redis:
            self.postgres.ensure_house(slug)

    def _stop_servers(self) -> None:
        _all([self.postgres.stop, *(server.stop for server in self.redis.values())])

    def _addresses(self, slug: HouseSlug) -> ServerAddresses:
        house, redis = self.folder / slug, self.redis[slug]
        return ServerAddresses(
            redis_url=redis.url_as(slug, password(house / "redis.password")),
            redis_owner_url=redis.owner_url,
            postgres_dsn=self.postgres.house_dsn(slug),
            secrets_path=house / "secrets",
        )
