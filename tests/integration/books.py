"""What a house keeps, as one value to compare before and after: nothing may change where something was refused."""

import time
from typing import Any, Self

import psycopg
import redis

from engine.address import address_of
from engine.instants import now_ms
from engine.words import HouseSlug
from tests.town import Town

CLOCKWORK = {
    *(b"phase", b"now_serving", b"served_at_ms", b"mark", b"mark_at_ms", b"gone", b"entrants", b"door", b"door_at_ms"),
    *(b"sequence", b"calls", b"watched", b"watched_at_ms", b"is_held", b"crowd", b"crowd_until_ms"),
}
"""Fields that the line's clock and the keeper's sweep turn by themselves."""
TABLES = (
    "orders",
    "order_items",
    "entrants",
    "documents",
    "actions",
    "refund_requests",
    "dead_letters",
    "alarms",
    "webhooks",
)
COUNTS = "SELECT " + ", ".join(f"(SELECT count(*) FROM {table})" for table in TABLES)
QUIET_MS = 30_000
LONGEST_SECONDS = 80.0
FLEETING = (":op:", ":retry:")
"""Keys that run out by themselves."""


def _lasting(kind: bytes, value: Any) -> Any:
    """What of a key's value nobody but people change."""
    match kind:
        case b"hash":
            return {name: each for name, each in value.items() if name not in CLOCKWORK}
        case b"stream":
            return value["entries-added"]
    return value


class Books:
    """A house's Redis and ledger, read with the owner's rights. A context manager."""

    def __init__(self, town: Town, slug: str) -> None:
        house = HouseSlug(slug)
        address = address_of(town.servers.redis[house].owner_url)
        self.redis = redis.Redis(
            unix_socket_path=address.path, username=address.user or None, password=address.password
        )
        self.postgres = psycopg.connect(town.network.house(house).postgres_dsn, autocommit=True)

    def __enter__(self) -> Self:
        """Waits until no hold ends in a while: others' would else change what is compared."""
        deadline = time.monotonic() + LONGEST_SECONDS
        while any(self.redis.zcount(due, 0, now_ms() + QUIET_MS) for due in self.redis.keys("*:due")):
            assert time.monotonic() < deadline, "holds end all the time"
            time.sleep(0.2)
        return self

    def __exit__(self, *_: object) -> None:
        self.redis.close()
        self.postgres.close()

    def settled(self) -> dict[str, Any]:
        """What is read once the writer has recorded everything."""
        before = self.read()
        for _ in range(100):
            after = self.read()
            if not changes(before, after) and not any(map(self.redis.xlen, self.redis.keys("*:outbox"))):
                return after
            before = after
        raise AssertionError(changes(before, after))

    def read(self) -> dict[str, Any]:
        """Everything in Redis besides the clockwork and the writer's mark, and how many rows each table has."""
        keys = [key for key in self.redis.scan_iter(count=1000) if not key.endswith(b"}:recorded")]
        lasting = [key for key in keys if not any(part.encode() in key for part in FLEETING)]
        kept: dict[str, Any] = {key.decode(): True for key in keys}
        with self.redis.pipeline(transaction=False) as pipeline:
            for key in lasting:
                pipeline.type(key)
            kinds = pipeline.execute()
            for key, kind in zip(lasting, kinds, strict=True):
                match kind:
                    case b"hash":
                        pipeline.hgetall(key)
                    case b"zset":
                        pipeline.zrange(key, 0, -1, withscores=True)
                    case b"stream":
                        pipeline.xinfo_stream(key)
                    case _:
                        pipeline.get(key)
            for key, kind, value in zip(lasting, kinds, pipeline.execute(), strict=True):
                kept[key.decode()] = _lasting(kind, value)
        rows = self.postgres.execute(COUNTS).fetchone()
        assert rows is not None
        return kept | dict(zip(TABLES, rows, strict=True))


def changes(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    """What was added, altered or taken away; a retry record that ran out is no change."""
    altered = {name for name, value in after.items() if name not in before or before[name] != value}
    gone = {name for name in before.keys() - after.keys() if not any(part in name for part in FLEETING)}
    return altered | gone
