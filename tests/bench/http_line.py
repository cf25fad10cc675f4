"""P1 and P3: what the waiting room costs over HTTP, beside the least that the same server can do."""

import secrets
from statistics import median
from typing import Any, Final

import msgspec

from engine.instants import now_ms
from engine.waiting_room import hash_secret
from tests.bench.load import request
from tests.bench.rounds import AT_LEAST, Bar, Part, interleave
from tests.bench.stand import SLUG, VISITORS, Stand
from tests.town import Sale

POLLS: Final = 16_000
STATUS_ROUNDS: Final = 15
JOINS: Final = 4_000
ROUNDS: Final = 9

STATUS = Bar(
    what="status poll over HTTP",
    yardstick="an empty @asgi handler on the same server",
    sense=AT_LEAST,
    bar=0.9,
)
ONE_WRITE = "an empty @asgi POST that makes one FCALL with one write, same AOF"
JOIN = Bar(what="join over HTTP", yardstick=ONE_WRITE, sense=AT_LEAST, bar=0.65, moonshot=0.8)
BOTH = Bar(
    what="join, then admit, over HTTP: two requests a visitor, the second answered with a signed pass",
    yardstick=ONE_WRITE,
    sense=AT_LEAST,
    bar=0.65,
    moonshot=0.8,
)


async def status(stand: Stand) -> list[Part]:
    """P1."""
    sale = await stand.open_sale(SLUG)
    polls = [request("GET", stand.path(sale, "status"))] * POLLS
    nothing = [request("GET", "/yardstick/empty")] * POLLS
    await _until_known(stand, sale)

    async def ours() -> float:
        return (await stand.load.send(stand.port, polls, VISITORS, 200)).a_second

    async def empty() -> float:
        return (await stand.load.send(stand.port, nothing, VISITORS, 200)).a_second

    found = await interleave(STATUS_ROUNDS, {"ours": ours, "empty": empty})
    return [STATUS.judge(found["ours"], found["empty"], "a second")]


async def _until_known(stand: Stand, sale: Sale) -> None:
    """The API's process looks at the catalogue twice a second."""
    async with sale:
        assert (await sale.get(f"/on-sales/{sale.on_sale}/status")).status == 200


async def join_and_admit(stand: Stand) -> list[Part]:
    """P3: each round its own visitors, who join and then claim their turn."""
    sale = await stand.open_sale(SLUG, cap=1_000_000)
    await _until_known(stand, sale)
    await stand.call_everybody(sale)
    joined: list[tuple[str, str]] = []
    """Place and secret of those who have not been admitted yet."""

    async def join() -> float:
        secrets_by_order = [secrets.token_urlsafe(24) for _ in range(JOINS)]
        requests = [_post(stand.path(sale, "places"), {"secret_hash": hash_secret(each)}) for each in secrets_by_order]
        answers = await stand.load.send(stand.port, requests, VISITORS, 201, is_kept=True)
        places = [msgspec.json.decode(body)["place"] for body in answers.bodies]
        joined.extend(zip(places, secrets_by_order, strict=True))
        return answers.a_second

    async def admit() -> float:
        taken = [joined.pop() for _ in range(JOINS)]
        requests = [_post(stand.path(sale, "passes"), {"place": place, "secret": secret}) for place, secret in taken]
        return (await stand.load.send(stand.port, requests, VISITORS, 201)).a_second

    async def one_write() -> float:
        requests = [_post("/yardstick/one-write", {"secret_hash": "x" * 43}) for _ in range(JOINS)]
        return (await stand.load.send(stand.port, requests, VISITORS, 201)).a_second

    await join()
    found = await interleave(ROUNDS, {"one write": one_write, "join": join, "admit": admit})
    both = [2 / (1 / joins + 1 / admits) for joins, admits in zip(found["join"], found["admit"], strict=True)]
    return [
        JOIN.judge(found["join"], found["one write"], "a second"),
        BOTH.judge(both, found["one write"], f"a second; {median(found['admit']):,.0f} admitted a second"),
    ]


def _post(path: str, body: Any) -> bytes:
    """With a key that says when it was made, as our pages send it."""
    return request("POST", path, msgspec.json.encode(body), idempotency_key=f"{now_ms()}-{secrets.token_hex(16)}")
