"""Visitors for Locust: each lives a whole journey (see `queueing` and `shopping`) and keeps what it was told.

The package `locust` patches the standard library when it is imported: only this module, `shapes` and
`locustfile` know it.
"""

import itertools
from typing import Any, Final

import gevent
import msgspec
from locust import FastHttpUser, task
from locust.exception import StopUser

from loadtests.character import character
from loadtests.shopping import journey
from loadtests.visit import Visit
from loadtests.wire import UNKNOWN, Answer, Ask, Pause

LOG: Final[list[bytes]] = []
"""What the visitors of this process were told, a JSON line each, oldest first."""
_numbers: Final = itertools.count()


def note(entry: dict[str, Any]) -> None:
    """Keep what a visitor was told."""
    LOG.append(msgspec.json.encode(entry))


class Visitor(FastHttpUser):
    """One visitor: comes once, and leaves for good."""

    network_timeout = 10.0
    connection_timeout = 5.0
    max_retries = 0  # one retry layer, the journey's own, which knows what may be repeated
    concurrency = 2

    @task
    def visit(self) -> None:
        """The whole visit. Raises `StopUser` at its end."""
        options = self.environment.parsed_options
        assert options is not None
        worker = getattr(self.environment.runner, "worker_index", 0)
        number = worker * 1_000_000 + next(_numbers)
        visit = Visit(
            options.house,
            options.on_sale,
            character(options.seed, number, options.think_s),
            note,
            seed=options.seed,
        )
        steps = journey(visit)
        try:
            step = next(steps)
            while True:
                step = steps.send(self._live(step))
        except StopIteration as ended:
            raise StopUser from ended
        except gevent.GreenletExit:
            # Locust ends the run: what this visitor was told last stands, and says how far it came.
            visit.tell("left", why="sent_home")
            raise

    def _live(self, step: Pause | tuple[Ask, ...]) -> tuple[Answer, ...]:
        if isinstance(step, Pause):
            gevent.sleep(step.seconds)
            return ()
        asking = [gevent.spawn(self._send, ask) for ask in step[1:]]
        first = self._send(step[0])
        gevent.joinall(asking)
        return (first, *(each.value for each in asking))

    def _send(self, ask: Ask) -> Answer:
        """One request. A refusal is an answer too; silence and the house's own mistakes are failures."""
        with self.client.request(
            ask.method,
            ask.path,
            name=ask.name,
            data=ask.body.decode() or None,
            headers=ask.headers,
            catch_response=True,
        ) as response:
            status = response.status_code or UNKNOWN
            if status and status not in {500, 502, 504}:
                response.success()
            headers = {name.lower(): value for name, value in (response.headers or {}).items()}
            return Answer(status, response.content or b"", headers)
