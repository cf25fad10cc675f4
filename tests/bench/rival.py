"""P6's rival: the best hold that Postgres alone can do, behind Litestar's ordinary typed handler.

`SKIP LOCKED` in one CTE, a pool of 16, an index of what is open: no visitor waits for another's lock. It checks
no pass, keeps no limits, answers no repeats and prices nothing.
"""

import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import asyncpg
import msgspec
from litestar import Litestar, post
from litestar.datastructures import State

DSN_VARIABLE: Final = "BENCH_DSN"
POOL: Final = 16
SCHEMA: Final = """
DROP TABLE IF EXISTS rival_seats, rival_holds;
CREATE TABLE rival_holds (hold uuid PRIMARY KEY, owner text NOT NULL, expires_at timestamptz NOT NULL);
CREATE TABLE rival_seats (performance int, rank int, hold uuid, PRIMARY KEY (performance, rank));
CREATE INDEX rival_open ON rival_seats (performance, rank) WHERE hold IS NULL;
"""
FILL: Final = "INSERT INTO rival_seats SELECT p, r FROM generate_series(1, $1::int) p, generate_series(1, $2::int) r"
HOLD: Final = """
WITH picked AS (
  SELECT performance, rank FROM rival_seats WHERE performance = $1 AND hold IS NULL
  ORDER BY rank LIMIT $2 FOR UPDATE SKIP LOCKED
), held AS (
  INSERT INTO rival_holds SELECT $3, $4, now() + interval '10 minutes'
), taken AS (
  UPDATE rival_seats s SET hold = $3 FROM picked p WHERE s.performance = p.performance AND s.rank = p.rank
  RETURNING s.rank
)
SELECT rank FROM taken
"""


class HoldRequest(msgspec.Struct):
    """So many of the best seats."""

    performance: int
    quantity: int
    owner: str


class HoldReply(msgspec.Struct):
    """The hold and its seats."""

    hold: uuid.UUID
    seats: list[int]


@post("/rival/holds")
async def hold(data: HoldRequest, state: State) -> HoldReply:
    """Holds the best seats that are open."""
    made = uuid.uuid4()
    rows = await state.pool.fetch(HOLD, data.performance, data.quantity, made, data.owner)
    return HoldReply(hold=made, seats=[row["rank"] for row in rows])


@asynccontextmanager
async def lifespan(app: Litestar) -> AsyncIterator[None]:
    """The pool."""
    async with asyncpg.create_pool(os.environ[DSN_VARIABLE], min_size=POOL, max_size=POOL) as pool:
        app.state.pool = pool
        yield


def from_environment() -> Litestar:
    """The rival's app."""
    return Litestar([hold], lifespan=[lifespan], openapi_config=None, logging_config=None)
