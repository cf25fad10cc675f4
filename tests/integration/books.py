"""What a house keeps, as one value to compare before and after: nothing may change where something was refused."""

from typing import Any

import redis

from engine.address import address_of
from engine.cli.sales import at_house
from engine.words import HouseSlug
from tests.town import Town

CLOCKWORK = {
    *(b"phase", b"now_serving", b"served_at_ms", b"mark", b"mark_at_ms", b"gone", b"entrants", b"paced_until_ms"),
    *(b"sequence",),
}
"""Fields that the line's clock and the keeper's sweep turn by themselves."""
TABLES = ("orders", "order_items", "entrants", "documents", "actions", "refund_requests", "dead_letters", "alarms")


def owner_of(town: Town, slug: str) -> redis.Redis:
    """A connection to the house's Redis with the owner's rights."""
    address = address_of(town.servers.redis[HouseSlug(slug)].owner_url)
    return redis.Redis(unix_socket_path=address.path, username=address.user or None, password=address.password)


def _read(connection: redis.Redis, key: bytes) -> Any:
    match connection.type(key):
        case b"hash":
            fields: Any = connection.hgetall(key)
            return {name: value for name, value in fields.items() if name not in CLOCKWORK}
        case b"zset":
            return connection.zrange(key, 0, -1, withscores=True)
        case b"stream":
            return connection.xinfo_stream(key)["entries-added"]
        case _:
            return connection.get(key)


async def books(town: Town, slug: str) -> dict[str, Any]:
    """Everything in the house's Redis besides the clockwork, and how many rows each table of its ledger has."""
    with owner_of(town, slug) as connection:
        kept: dict[str, Any] = {key.decode(): _read(connection, key) for key in connection.scan_iter(count=1000)}
    async with at_house(town.network_file, slug) as (_, ledger), ledger.connection() as postgres:
        for table in TABLES:
            kept[table] = await postgres.fetchval(f"SELECT count(*) FROM {table}")
    # How far the writer is, is nobody's doing.
    return {name: value for name, value in kept.items() if not name.endswith("}:recorded")}


def changes(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    """What was added, altered or taken away; a retry record that ran out is no change."""
    altered = {name for name, value in after.items() if name not in before or before[name] != value}
    return altered | {name for name in before.keys() - after.keys() if ":op:" not in name and ":retry:" not in name}
