"""The small service that nginx asks before each request: `granian --interface asgi parvis_guard.service:application`.

`/parvis/check` says 204 or 401 of the request that nginx names, `/parvis/refuse` is what a visitor sees after a 401,
and the return path takes passes. Let nginx alone reach it: whoever can, can ask about requests that they make up.
"""

import asyncio

from parvis_guard.guard import Answer, Guard, Settings, target_of
from parvis_guard.pages import HEADERS
from parvis_guard.servers import GuardASGI, Receive, Scope, Send, request_in, request_of, send_answer


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
            is_in = await asyncio.to_thread(self.guard.goes_through, asked)
            await send_answer(Answer(204 if is_in else 401, [*HEADERS]), send)
        elif scope["path"] == "/parvis/refuse":
            answer = await asyncio.to_thread(self.guard.answer, asked)
            # Their turn came between the two questions.
            await send_answer(answer or Answer(303, [*HEADERS, ("location", target_of(asked))]), send)
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
