"""The small service that nginx asks before each request: `granian --interface asgi parvis_guard.service:application`.

`/parvis/check` says 204 or 401 of the request that nginx names, with a cookie for who comes straight in;
`/parvis/refuse` is what a visitor sees after a 401, and the return path takes passes. Let nginx alone reach it: whoever
can, can ask about requests that they make up.
"""

import asyncio
from functools import partial

from parvis_guard.guard import Guard
from parvis_guard.messages import Answer, target_of
from parvis_guard.pages import HEADERS
from parvis_guard.servers import GuardASGI, Receive, Scope, Send, request_in, request_of, send_answer
from parvis_guard.settings import Settings


class Service:
    """What nginx's `auth_request` needs, as an ASGI app."""

    def __init__(self, guard: Guard) -> None:
        self.guard = guard
        self._own = GuardASGI(_nothing, guard)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers nginx, or takes a pass."""
        if scope["type"] != "http" or scope["path"].startswith(self.guard.settings.return_path):
            await self._own(scope, receive, send)
            return
        asked = request_in(dict(request_of(scope).headers))
        if scope["path"] == "/parvis/check":
            verdict = await asyncio.to_thread(self.guard.decide, asked)
            await send_answer(Answer(401 if verdict.answer else 204, [*HEADERS, *verdict.headers]), send)
        elif scope["path"] == "/parvis/refuse":
            verdict = await asyncio.to_thread(partial(self.guard.decide, is_counted=False), asked)
            # Their turn came between the two questions.
            await send_answer(verdict.answer or Answer(303, [*HEADERS, ("location", target_of(asked))]), send)
        else:
            await send_answer(Answer(404, [*HEADERS]), send)


async def _nothing(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return


application = Service(Guard(Settings.from_environment()))
