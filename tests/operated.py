"""A town with an operator, who may see how each of its houses is doing."""

import hashlib
import os
import signal
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import aiohttp
import tomli_w
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from engine.words import HouseSlug
from tests.backstage import until
from tests.town import Answer, Sale, Town

OPERATOR_KEY: Final = "po_of-the-tests"
OPERATOR_KEY_HASH: Final = hashlib.sha256(OPERATOR_KEY.encode()).hexdigest()


@contextmanager
def frozen(town: Town, house: str) -> Iterator[None]:
    """The house's Redis answers nobody, and is not known to be dead."""
    pid = town.servers.redis[HouseSlug(house)].pid
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


class Operated(Town):
    """Houses served by two API processes, whose network names an operator's key."""

    workers = 2

    def __init__(self, slugs: Sequence[str], **options: Any) -> None:
        super().__init__(slugs, **options)
        described = tomllib.loads(self.source.read_text())
        self.source.write_text(tomli_w.dumps(described | {"operator_keys": [OPERATOR_KEY_HASH]}))

    async def open_sale(self, slug: str, **options: Any) -> Sale:
        """As of any town; every process knows of it."""
        sale = await super().open_sale(slug, **options)

        async def is_known() -> bool:
            path = f"/v1/houses/{slug}/on-sales/{sale.on_sale}/status"
            return {(await self.read(path)).status for _ in range(10)} == {200}

        await until(is_known, "every process knows of the on-sale")
        return sale

    async def read(self, path: str, token: str = "") -> Answer:
        """Reads a document over a connection of its own: whichever process takes it."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with aiohttp.ClientSession() as session, session.get(self.url + path, headers=headers) as response:
            body = await response.read()
            found = await response.json(content_type=None) if "json" in response.content_type else None
            return Answer(response.status, found, response.headers, body)

    async def ops(self, slug: str) -> Any:
        """How a house is doing, as its operator reads it."""
        answer = await self.read(f"/v1/houses/{slug}/ops", OPERATOR_KEY)
        assert answer.status == 200, answer.body
        return answer.json

    async def metrics(self) -> "dict[str, Metric]":
        """What Prometheus reads, by name."""
        answer = await self.read("/metrics")
        return {family.name: family for family in text_string_to_metric_families(answer.body.decode())}

    async def number(self, name: str, **labels: str) -> float:
        """The sum of a metric's samples that have these labels; `name` as a sample is called."""
        return sum(
            sample.value
            for family in (await self.metrics()).values()
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )
