"""A run: faults for some minutes, then none, then the verdict."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from engine.embedded.child import ServerFailed
from engine.torture.checks import Watch, at_rest, revive
from engine.torture.faults import Faults
from engine.torture.options import STRUCK, Options, Strike
from engine.torture.shoppers import Shoppers
from engine.torture.stage import Stage
from engine.words import HouseSlug

GO_HOME_SECONDS: Final = 120.0
LISTED: Final = 10
Say = Callable[[str], None]


class Verdict(msgspec.Struct, frozen=True):
    """What came of a run. It is good when nothing is `broken` and no fault was `blind`.

    `drawn` and `bitten`: strikes by kind, those that fell and those that were seen to bite. `turned_away`: requests
    that the struck house answered with 503, or not at all; they were asked again. `lively_s`: how long each house
    took to live again after the faults.
    """

    seed: int
    minutes: float
    operations: int
    visits: int
    orders_confirmed: int
    orders_recorded: int
    turned_away: int
    repeats: int
    payments: dict[str, int]
    drawn: dict[str, int]
    bitten: dict[str, int]
    blind: tuple[str, ...]
    left_out: tuple[str, ...]
    looks: int
    audits: int
    lively_s: dict[HouseSlug, float]
    seconds: float
    broken: tuple[str, ...]

    @property
    def is_good(self) -> bool:
        """Whether every promise was kept, and every fault tried it."""
        return not self.broken and not self.blind


class Torture:
    """One run of the options given. `say` is told what happens."""

    def __init__(self, options: Options, left_out: Sequence[str], say: Say) -> None:
        self._options, self._left_out, self._say = options, tuple(left_out), say
        self._broken: list[str] = []

    async def run(self, stage: Stage) -> Verdict:
        """On a stage whose servers run. Raises `ServerFailed` when they cannot be served."""
        started = time.monotonic()
        async with stage.links:
            await stage.open()
            self._say(f"open after {time.monotonic() - started:.1f} s")
            shoppers = {slug: Shoppers(stage, slug) for slug in self._options.houses}
            faults = Faults(stage, [each.told for each in shoppers.values()])
            watches = {slug: Watch(stage, slug, faults) for slug in self._options.houses}
            looking = [
                asyncio.create_task(look()) for watch in watches.values() for look in (watch.look_on, watch.audit_on)
            ]
            shopping = [asyncio.create_task(each.shop()) for each in shoppers.values()]
            try:
                await self._safety(faults, shopping)
                lively = await self._liveness(stage)
                for each in shoppers.values():
                    each.go_home()
                async with asyncio.timeout(GO_HOME_SECONDS):
                    await asyncio.gather(*shopping)
            finally:
                for task in (*looking, *shopping):
                    task.cancel()
                for ended in await asyncio.gather(*looking, *shopping, return_exceptions=True):
                    if isinstance(ended, Exception):
                        self._broken.append(f"the torture itself: {ended!r}")
            recorded = 0
            for slug, each in shoppers.items():
                count, wrong = await at_rest(stage, slug, each.told)
                recorded += count
                felt = each.told.felt_next_door if slug != STRUCK else ()
                self._note(slug, [*wrong, *each.told.broken, *watches[slug].broken, *felt])
        told = [each.told for each in shoppers.values()]
        return Verdict(
            seed=self._options.seed,
            minutes=self._options.minutes,
            operations=sum(each.operations for each in told),
            visits=sum(each.visits for each in told),
            orders_confirmed=sum(len(each.confirmed) for each in told),
            orders_recorded=recorded,
            turned_away=shoppers[STRUCK].told.turned_away,
            repeats=sum(each.repeats for each in told),
            payments=dict(sum((each.payments for each in told), Counter[str]())),
            drawn=dict(faults.struck),
            bitten=dict(faults.bitten),
            blind=tuple(faults.blind),
            left_out=self._left_out,
            looks=sum(watch.looks for watch in watches.values()),
            audits=sum(watch.audits for watch in watches.values()),
            lively_s={slug: round(seconds, 1) for slug, seconds in lively.items()},
            seconds=round(time.monotonic() - started, 1),
            broken=tuple(self._broken),
        )

    def _note(self, slug: HouseSlug, broken: Sequence[str]) -> None:
        counted = Counter(f"{slug}: {each}" for each in broken)
        self._broken += [
            f"{what} ({count} times)" if count > 1 else what for what, count in counted.most_common(LISTED)
        ]

    async def _safety(self, faults: Faults, shopping: "Sequence[asyncio.Task[None]]") -> None:
        """Strikes as they were drawn, and waits until every one has ended."""
        started = time.monotonic()

        async def strike(each: Strike) -> None:
            await asyncio.sleep(max(0.0, started + each.at_s - time.monotonic()))
            try:
                felt = await faults.strike(each)
            except ServerFailed as error:
                self._broken.append(f"{each.kind}: {error}")
                felt = 0
            self._say(
                f"{time.monotonic() - started:6.1f} s  {each.kind:<16} {'felt' if felt > 0 else 'NOT FELT'} ({felt})"
            )

        strikes = [asyncio.create_task(strike(each)) for each in self._options.strikes]
        await asyncio.gather(*strikes, asyncio.sleep(self._options.minutes * 60))
        for task in shopping:
            if task.done():
                task.result()

    async def _liveness(self, stage: Stage) -> dict[HouseSlug, float]:
        """No more faults: every house lives again within its time."""
        self._say("no more faults")
        revived = await asyncio.gather(*(revive(stage, slug) for slug in self._options.houses))
        for slug, (_, missing) in zip(self._options.houses, revived, strict=True):
            self._note(slug, missing)
        return {slug: seconds for slug, (seconds, _) in zip(self._options.houses, revived, strict=True)}
