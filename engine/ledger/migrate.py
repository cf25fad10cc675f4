"""Brings a house's database to this release's tables (Alembic; the SQL stands in the migrations)."""

import time
from importlib.resources import as_file, files
from threading import Lock
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

LOCK: Final = 0x50_61_72_76
"""Any number, the same in every process: two releases that start together migrate one after the other."""
CONNECT_SECONDS: Final = 5
PAUSE_SECONDS: Final = 0.1
NEWEST: Final = "head"
_one_at_a_time: Final = Lock()
"""Alembic keeps its context in the module."""


def _take_turns(connection: Connection) -> None:
    """Waits outside of any transaction: an index that is built concurrently waits for all that are open."""
    while not connection.execute(text(f"SELECT pg_try_advisory_lock({LOCK})")).scalar():
        connection.commit()
        time.sleep(PAUSE_SECONDS)
    connection.commit()


def migrate(dsn: str) -> None:
    """Runs what has not run yet; harmless to repeat, and from several processes at once.

    `dsn` is a libpq URL. Raises SQLAlchemy's `OperationalError` while Postgres is away.
    """
    url = make_url(dsn).set(drivername="postgresql+psycopg")
    engine = create_engine(url, poolclass=NullPool, connect_args={"connect_timeout": CONNECT_SECONDS})
    with (
        _one_at_a_time,
        as_file(files("engine.ledger").joinpath("migrations")) as folder,
        engine.connect() as connection,
    ):
        config = Config()
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        _take_turns(connection)
        try:
            command.upgrade(config, NEWEST)
            connection.commit()
        finally:
            connection.rollback()
            connection.execute(text(f"SELECT pg_advisory_unlock({LOCK})"))
            connection.commit()
