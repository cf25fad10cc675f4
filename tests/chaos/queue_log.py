"""People who queue over HTTP and keep their own log: what they were shown, and which place and pass each one got."""

import asyncio
import random
import uuid
from collections import Counter
from typing import Any, Self

import aiohttp
import jwt
import msgspec

from engine.draw import Draw, decode
from tests.town import Answer, Sale

GIVE_UP_SECONDS = 60.0
PAUSE_S = 0.03


class Shown(msgspec.Struct, frozen=True):
    """What one look at the public status said."""

    epoch: int
    phase: str
    now_serving: int
    joined: int
    entrants: int
    seed: str


class Queuer(msgspec.Struct):
    """One visitor. `subjects`: who each of their passes says they are."""

    secret: str
    place: str = ""
    index: int = -1
    subjects: list[str] = []


class Queue:
    """Visitors of one on-sale, and one who only looks; an async context manager."""

    def __init__(self, sale: Sale, seed: int) -> None:
        self.sale = sale
        self.chance = random.Random(seed)
        self.shown: list[Shown] = []
        self.queuers: list[Queuer] = []
        self.refused = 0
        self._is_over = False
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._look_on())]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._is_over = True
        async with asyncio.timeout(GIVE_UP_SECONDS):
            await asyncio.gather(*self._tasks)

    async def _look_on(self) -> None:
        while not self._is_over:
            answer = await self._once(lambda: self.sale.get(f"/on-sales/{self.sale.on_sale}/status"))
            if answer is not None and answer.status == 200:
                found, line = answer.json, answer.json["lines"]["public"]
                draw = found["draw"]
                self.shown.append(
                    Shown(
                        found["epoch"],
                        found["phase"],
                        line["now_serving"],
                        line["joined"],
                        draw.get("entrants") or 0,
                        draw.get("seed") or "",
                    )
                )
            else:
                assert answer is None or answer.status == 503, (answer.json, self.sale.town.log()[-6000:])
            await asyncio.sleep(PAUSE_S)

    async def _once(self, ask: Any) -> Answer | None:
        """An answer; None where nobody knows what became of it."""
        try:
            answer: Answer = await ask()
        except (aiohttp.ClientError, TimeoutError):
            self.refused += 1
            return None
        self.refused += answer.status == 503
        return answer

    async def join(self, count: int, pause_s: float = 0.0) -> None:
        """So many new visitors, each of whom asks again with the same key until they know their place."""

        async def one() -> None:
            queuer = Queuer(uuid.uuid4().hex)
            key = str(uuid.uuid4())
            async with asyncio.timeout(GIVE_UP_SECONDS):
                while not queuer.place:
                    answer = await self._once(lambda: self.sale.join_once(queuer.secret, key=key))
                    if answer is not None and answer.status == 201:
                        queuer.place, queuer.index = answer.json["place"], answer.json["index"]
                        self.queuers.append(queuer)
                    else:
                        assert answer is None or answer.status == 503, answer.json
                        await asyncio.sleep(PAUSE_S)

        for _ in range(count):
            self._tasks.append(asyncio.create_task(one()))
            await asyncio.sleep(pause_s)

    async def claim_all(self) -> None:
        """Everybody who has a place claims the turn until it has come."""
        await asyncio.gather(*map(self.claim, list(self.queuers)))

    async def claim(self, queuer: Queuer) -> None:
        """Claims until it is this visitor's turn."""
        async with asyncio.timeout(GIVE_UP_SECONDS):
            while True:
                answer = await self._once(lambda: self.sale.claim(queuer.place, queuer.secret))
                if answer is not None and answer.status == 201:
                    claims = jwt.decode(answer.json["pass"], options={"verify_signature": False})
                    queuer.subjects.append(claims["sub"])
                    return
                assert answer is None or answer.status in {409, 503}, answer.json
                await asyncio.sleep(PAUSE_S * 3)

    def is_called(self, queuer: Queuer, shown: Shown) -> bool:
        """Whether what was shown told this visitor that the turn has come."""
        if not shown.seed:
            return False
        return Draw(decode(shown.seed), shown.entrants).position(queuer.index) < shown.now_serving

    def faults(self) -> list[str]:
        """What somebody who compared all logs would complain of."""
        pairs = list(zip(self.shown, self.shown[1:], strict=False))
        found = [
            f"{name} went back: {before}, {after}"
            for before, after in pairs
            for name in ("epoch", "now_serving", "joined")
            if getattr(after, name) < getattr(before, name)
        ]
        found += [
            f"the published draw is another: {before}, {after}"
            for before, after in pairs
            if before.seed and (after.entrants, after.seed) != (before.entrants, before.seed)
        ]
        indices = Counter(queuer.index for queuer in self.queuers)
        found += [f"index {index} was given to {count} visitors" for index, count in indices.items() if count > 1]
        whose: dict[str, set[int]] = {}
        for queuer in self.queuers:
            if len(set(queuer.subjects)) > 1:
                found.append(f"index {queuer.index} came in as {len(set(queuer.subjects))} shoppers")
            for subject in queuer.subjects:
                whose.setdefault(subject, set()).add(queuer.index)
        return found + [f"indices {people} came in as one" for people in whose.values() if len(people) > 1]
