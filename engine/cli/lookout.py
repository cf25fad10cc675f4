"""Whether the API that was started lives: a start that sticks would be silent, and nobody would be served."""

import asyncio
from http import HTTPStatus
from typing import Final

import aiohttp
import structlog

from engine.figures import DOOR_KIND, Figures

LOOK_SECONDS: Final = 2.0
ANSWER_SECONDS: Final = 3.0
TOLD_AFTER: Final = 5
"""So many looks in a row that were not answered are told of, again and again."""
STUCK_AFTER: Final = 30
"""After so many without any sign of life it is stuck. Looks are counted, not seconds: this process may have stood
still itself."""
log = structlog.get_logger()


class Lookout:
    """Looks at an API at `url` that has just been started, whose processes tell `figures`.

    `patience`: how many times as many looks as usual its start may take. Where a machine is slow, one that is begun
    again each time too soon would never come.
    """

    def __init__(self, url: str, figures: Figures, patience: int = 1) -> None:
        self._url = url
        self._figures = figures
        self._told = figures.marks(DOOR_KIND)
        self._patience = patience
        self.has_lived = False
        """Whether it ever gave a sign of life."""

    async def until_stuck(self) -> None:
        """Says when it answers first, when it does not, and when it does again; returns once it is stuck."""
        has_answered, unanswered, silent = False, 0, 0
        while silent < STUCK_AFTER * (1 if self.has_lived else self._patience):
            if await self._answers():
                if not has_answered or unanswered >= TOLD_AFTER:
                    log.info("the API answers", at=self._url)
                has_answered, unanswered = True, 0
            else:
                unanswered += 1
                if unanswered % TOLD_AFTER == 0:
                    log.warning("the API does not answer", at=self._url, looks=unanswered)
            # One that only cannot be reached from here lives; so does one that has no room to tell its figures.
            is_alive = not unanswered or self._has_told()
            silent = 0 if is_alive else silent + 1
            self.has_lived = self.has_lived or is_alive
            await asyncio.sleep(LOOK_SECONDS)

    async def _answers(self) -> bool:
        # A connection of its own: an old one leads to the process that answered before.
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        try:
            async with aiohttp.ClientSession(timeout=timeout) as session, session.get(f"{self._url}/healthz") as answer:
                return answer.status == HTTPStatus.OK
        except (aiohttp.ClientError, OSError):
            return False

    def _has_told(self) -> bool:
        before, self._told = self._told, self._figures.marks(DOOR_KIND)
        return self._told != before
