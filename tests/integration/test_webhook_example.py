"""The example of a program that takes webhooks takes them as it says: signed ones, each once."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from engine.instants import now_ms
from engine.ports import free_port
from engine.signing import Signer
from engine.webhooks import of_order, secret_of, sign
from engine.words import HouseSlug

EXERCISES = ("examples/webhooks/*",)
EXAMPLE = Path(__file__).parents[2] / "deploy/examples/webhooks/receiver.py"
EVENT = of_order("order.recorded", "0198-an-order", "a-sale", now_ms())


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> "list[str]":
    signer = Signer(HouseSlug("zeewind"), tmp_path_factory.mktemp("secrets"))
    return [secret_of(signer, "an-endpoint", number) for number in (1, 2, 3)]


@pytest.fixture(scope="module")
def example(secrets: "list[str]", tmp_path_factory: pytest.TempPathFactory) -> "Iterator[tuple[str, Path]]":
    """Where the example listens, with the first two secrets, and its queue."""
    port, queue = free_port(), tmp_path_factory.mktemp("queue") / "webhooks.sqlite"
    environment = os.environ | {"WEBHOOK_SECRET": " ".join(secrets[:2]), "WEBHOOK_QUEUE": str(queue)}
    process = subprocess.Popen([sys.executable, str(EXAMPLE), str(port)], env=environment, stderr=subprocess.DEVNULL)
    try:
        yield f"http://127.0.0.1:{port}/", queue
    finally:
        process.terminate()
        process.wait(10)


async def send(url: str, body: str, headers: "dict[str, str]") -> int:
    """The status that is answered; waits for the example to start."""
    deadline = time.monotonic() + 20
    async with aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.post(url, data=body.encode(), headers=headers) as response:
                    return response.status
            except aiohttp.ClientConnectorError:
                assert time.monotonic() < deadline


async def test_what_is_signed_with_either_secret_is_taken_once(
    example: "tuple[str, Path]", secrets: "list[str]"
) -> None:
    url, queue = example
    for used in ([secrets[0]], [secrets[1]], [secrets[2], secrets[1]]):
        assert await send(url, EVENT.body, sign(used, EVENT.event, EVENT.body, now_ms())) == 204
    with sqlite3.connect(queue) as kept:
        rows = kept.execute("SELECT id, type, data FROM events").fetchall()
    assert [(name, kind, json.loads(data)) for name, kind, data in rows] == [
        (EVENT.event, "order.recorded", {"order": "0198-an-order", "on_sale": "a-sale"})
    ]


@pytest.mark.parametrize("what", ["another secret", "another body", "another id", "long ago", "unsigned", "nonsense"])
async def test_what_is_not_is_refused(example: "tuple[str, Path]", secrets: "list[str]", what: str) -> None:
    url, _ = example
    headers = sign([secrets[2 if what == "another secret" else 0]], EVENT.event, EVENT.body, now_ms())
    body = EVENT.body.replace("an-order", "no-order") if what == "another body" else EVENT.body
    match what:
        case "another id":
            headers["webhook-id"] = "another"
        case "long ago":
            headers = sign([secrets[0]], EVENT.event, EVENT.body, now_ms() - 3_600_000)
        case "unsigned":
            headers = {}
        case "nonsense":
            headers |= {"webhook-signature": "v1", "webhook-timestamp": "soon"}
    assert await send(url, body, headers) == 401
