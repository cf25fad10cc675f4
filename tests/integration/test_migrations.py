"""A ledger that has many entrants gets its index while more are recorded, whatever is cut off half way."""

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from sqlalchemy.exc import SQLAlchemyError

from engine.ledger import migrate as migrating
from engine.ledger.migrate import migrate
from engine.words import HouseSlug
from tests.backstage import Theatre, until

ENTRANTS = 20_000
INSERT = "INSERT INTO entrants (on_sale, line, index, secret_hash) VALUES ('sale', $1, $2, $3)"
WAITING = "SELECT pid FROM pg_locks WHERE NOT granted AND locktype IN ('virtualxid', 'relation')"
INDEX = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('entrants_by_secret')"
IMPATIENT = {"statement_timeout": "5s"}


@pytest.fixture
async def dsn(theatre: Theatre, monkeypatch: pytest.MonkeyPatch) -> str:
    """A ledger as an earlier release left it, with entrants."""
    dsn = theatre.postgres.ensure_house(HouseSlug(theatre.new_slug()))
    with monkeypatch.context() as patched:
        patched.setattr(migrating, "NEWEST", "0012")
        await asyncio.to_thread(migrate, dsn)
    connection = await asyncpg.connect(dsn)
    await connection.execute(
        "INSERT INTO entrants (on_sale, line, index, secret_hash) "
        f"SELECT 'sale', 'public', n, md5(n::text) FROM generate_series(1, {ENTRANTS}) n"
    )
    await connection.close()
    return dsn


@pytest.fixture
async def slow(dsn: str) -> AsyncIterator[Any]:
    """A writer in the middle of a batch, for which a new index has to wait."""
    connection = await asyncpg.connect(dsn)
    await connection.execute("BEGIN")
    await connection.execute(INSERT, "slow", 1, "x")
    yield connection
    await connection.close()


async def waiting(dsn: str) -> int:
    """The process of whoever migrates, once it waits for somebody."""
    found: list[int] = []
    connection = await asyncpg.connect(dsn)

    async def is_waiting() -> bool:
        found[:] = [row[0] for row in await connection.fetch(WAITING)]
        return bool(found)

    await until(is_waiting, "the index is being built")
    await connection.close()
    return found[0]


async def check_whole(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    assert await connection.fetchval(INDEX) is True
    assert await connection.fetchval("SELECT version_num FROM alembic_version") > "0012"
    assert await connection.fetchval("SELECT count(*) FROM entrants") > ENTRANTS
    await connection.close()


async def test_a_writer_goes_on_while_the_index_is_built(dsn: str, slow: Any) -> None:
    migration = asyncio.create_task(asyncio.to_thread(migrate, dsn))
    await waiting(dsn)
    writer = await asyncpg.connect(dsn, server_settings=IMPATIENT)
    for index in range(50):
        await writer.execute(INSERT, "quick", index, f"{index}")
    assert not migration.done()
    await slow.execute("COMMIT")
    await migration
    await writer.execute(INSERT, "quick", 50, "50")
    await writer.close()
    await check_whole(dsn)
    await asyncio.to_thread(migrate, dsn)


async def test_what_was_cut_off_half_way_is_built_again(dsn: str, slow: Any) -> None:
    for _ in range(2):
        migration = asyncio.create_task(asyncio.to_thread(migrate, dsn))
        killer = await asyncpg.connect(dsn)
        await killer.execute(f"SELECT pg_terminate_backend({await waiting(dsn)})")
        with pytest.raises(SQLAlchemyError):
            await migration
        assert await killer.fetchval(INDEX) is False
        await killer.close()
    await slow.execute("COMMIT")
    await asyncio.to_thread(migrate, dsn)
    await check_whole(dsn)


async def test_two_releases_that_start_together_do_not_wait_for_each_other(dsn: str, slow: Any) -> None:
    program = "import sys; from engine.ledger.migrate import migrate; migrate(sys.argv[1])"
    named = f"{dsn}{'&' if '?' in dsn else '?'}application_name=release"
    both = [await asyncio.create_subprocess_exec(sys.executable, "-c", program, named) for _ in range(2)]
    await waiting(dsn)
    watcher = await asyncpg.connect(dsn)

    async def are_both_there() -> bool:
        count = (
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'release' AND query ~ 'INDEX|COMMIT|lock'"
        )
        return bool(await watcher.fetchval(count) >= 2)

    await until(are_both_there, "both have begun")
    await watcher.close()
    await slow.execute("COMMIT")
    assert [await asyncio.wait_for(each.wait(), 60) for each in both] == [0, 0]
    await check_whole(dsn)
