"""A start of sales while Postgres is away: how long the draw takes that is made of what nobody has recorded."""

import hashlib
import time
from typing import Any, Final

from engine.draw import encode
from engine.drawing import make_draw
from engine.folding import Folder
from engine.waiting_room import PUBLIC, drawn_status
from tests.backstage import running_theatre
from tests.bench.rounds import AT_MOST, Bar, Part

JOINS: Final = 150_000
SINCE: Final = 1_000
"""So many join between the last look of whoever folds and the start."""
A_PIPELINE: Final = 5_000
ROUNDS: Final = 3
BAR: Final = Bar(
    what=f"making a draw of {JOINS:,} of whom Postgres has taken nobody, the outbox folded ahead, seconds",
    yardstick="the same, with all of them read and folded at the start",
    sense=AT_MOST,
    bar=0.2,
)
TELLING: Final = Bar(
    what="the longest that the public status waits for it meanwhile, seconds", yardstick="1 s", sense=AT_MOST, bar=1
)


async def opening() -> list[Part]:
    """Both draw the same; one after the other, in a house of their own."""
    whole: list[float] = []
    ahead: list[float] = []
    told: list[float] = []
    with running_theatre() as theatre:
        async with theatre.house() as stage:
            await stage.open()
            on_sale = await stage.put_on(opens_at_ms=10**13)
            name, key = on_sale.on_sale, stage.keys.sale(on_sale.on_sale)
            _join(stage, name, range(JOINS - SINCE))
            for number in range(ROUNDS):
                folder = Folder(stage.owner, stage.keys)
                began_s = time.perf_counter()
                await folder.look()
                folding_s = time.perf_counter() - began_s
                if number == 0:
                    _join(stage, name, range(JOINS - SINCE, JOINS))
                    stage.redis.hset(key, "joined", JOINS)
                    await stage.tell(on_sale, "open")
                    kept: Any = stage.redis.hgetall(stage.keys.folded)
                stage.redis.hset(stage.keys.folded, mapping=kept)
                roots = []
                for taken in (ahead, whole):
                    began_s = time.perf_counter()
                    assert (await drawn_status(stage.cell, name)).draw.is_closed
                    told.append(time.perf_counter() - began_s)
                    await make_draw(stage.cell, name, PUBLIC)
                    taken.append(time.perf_counter() - began_s)
                    roots.append(stage.redis.hget(key, "root"))
                    stage.redis.hdel(key, "root", "drawn_seed", "contributions")
                    stage.redis.delete(stage.keys.folded)
                assert roots[0] == roots[1]
                if number == 0:
                    folded_s = folding_s
    return [
        BAR.judge(ahead, whole, f"s; folding them took {folded_s:.2g} s, away from everybody"),
        TELLING.judge_ratios([max(told)], "who comes first waits a moment, others do not"),
    ]


def _join(stage: Any, on_sale: str, indices: range) -> None:
    """Leaves in the outbox what joining does."""
    for first in range(indices.start, indices.stop, A_PIPELINE):
        pipeline = stage.redis.pipeline(transaction=False)
        for index in range(first, min(first + A_PIPELINE, indices.stop)):
            secret = encode(hashlib.sha256(b"%d" % index).digest())
            fields = {"kind": "join", "on_sale": on_sale, "line": "public", "index": index, "secret_hash": secret}
            pipeline.xadd(stage.keys.outbox, fields)
        pipeline.execute()
