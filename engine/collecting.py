"""Collects for one cell what other houses contribute to its draws, from the closing of a list until its draw is due."""

import asyncio
from collections.abc import Awaitable
from typing import Final

import structlog

from engine.catalogue import Contributor, OnSale
from engine.cell import Cell, broken
from engine.contributions import ask_reveal, commitment_of
from engine.drawing import MISSING, closed_list, revealed_of
from engine.errors import BadInput, CellUnavailable, ForgedToken, LedgerUnavailable, Refused
from engine.instants import now_ms
from engine.ledger.attention import alarm_once
from engine.ledger.ledger import Ledger
from engine.lines import LineStatus
from engine.statements import NeighbourKeys, Statement
from engine.waiting_room import serve, status
from engine.words import LineName, OnSaleId

LOOK_SECONDS: Final = 0.2
LONGEST_ASK_SECONDS: Final = 0.5
"""Who does not answer is asked again while there is time."""
SOON_MS: Final = 60_000
"""Nobody reveals before the planned start: until then, by any clock that is not all wrong, nothing is looked at."""
UNASKED: Final = "this house did not ask in time, or whoever asked is gone"
OWN_FAULT: Final = "the list is not the one that it had signed"
log = structlog.get_logger()
LineOf = tuple[OnSaleId, LineName]


class Contributions:
    """What a keeper knows of the contributions to its cell's draws, in one epoch: a recovery may have lost them."""

    def __init__(self, cell: Cell, ledger: Ledger) -> None:
        self._cell = cell
        self._ledger = ledger
        self._keys = NeighbourKeys()
        self._last_error = ""
        self._epoch = ""
        self._settled: set[LineOf] = set()
        self._lists: dict[LineOf, Statement] = {}
        self._missing: dict[tuple[LineOf, str], str] = {}
        """Why somebody's contribution is not there; empty once it is."""

    def _begin(self) -> None:
        """Nothing that was seen before a recovery is known still to be so; why somebody gave nothing is."""
        self._epoch = self._cell.epoch
        self._settled.clear()
        self._lists.clear()
        self._missing = {each: why for each, why in self._missing.items() if why}

    async def look(self) -> None:
        """Asks those who have not revealed yet, and raises an alarm where a draw was made without one of them.

        What keeps it from that in one on-sale keeps it from no other; it is logged, unless others say so.
        """
        if self._epoch != self._cell.epoch:
            self._begin()
        soon_ms = now_ms() + SOON_MS
        looked_at = [
            each
            for each in self._cell.catalogue.on_sales.values()
            if each.contributors and min(map(each.opens_at_of, each.line_names)) <= soon_ms
        ]
        await asyncio.gather(*(self._tried(each.on_sale, self._look_at(each)) for each in looked_at))

    async def _look_at(self, on_sale: OnSale) -> None:
        cell, name = self._cell, on_sale.on_sale
        if {(name, line) for line in on_sale.line_names} <= self._settled:
            return
        await serve(cell, name)
        now = await status(cell, name)
        if now.phase == "closed":  # what did not open by then is never drawn
            self._settled |= {(name, each.line) for each in now.all_lines if not each.draw.is_closed}
        await asyncio.gather(*(self._tried(name, self._collect(on_sale, each, now.now_ms)) for each in now.all_lines))

    async def _tried(self, name: OnSaleId, doing: Awaitable[None]) -> None:
        try:
            await doing
        except (CellUnavailable, LedgerUnavailable, Refused):
            return  # others say so, or it was put up a moment ago
        except Exception as error:  # a draw may lack a contribution, and the house goes on
            if repr(error) != self._last_error:
                log.exception("contributions are not collected", house=self._cell.house.slug, on_sale=name)
            self._last_error = repr(error)

    async def _collect(self, on_sale: OnSale, line: LineStatus, now_ms: int) -> None:
        of = on_sale.on_sale, line.line
        contributors = on_sale.contributors_of(line.line)
        if of in self._settled:
            return
        if line.draw.is_made:
            await self._settle(of, contributors, line.draw.contributions)
        elif line.draw.is_closed and now_ms < line.draw.due_at_ms:
            told = self._lists.get(of)
            if told is None:
                found = await closed_list(self._cell, on_sale, line.line)
                if found is None:
                    return
                draw = self._cell.house.slug, *of, on_sale.opens_at_of(line.line)
                told = Statement(*draw, found.entrants, found.root, found.bound)
                self._lists[of] = told
            seconds = min(LONGEST_ASK_SECONDS, (line.draw.due_at_ms - now_ms) / 1000)
            missing = [each for each in contributors if self._missing.get((of, each.house)) != ""]
            await asyncio.gather(*(self._ask(on_sale, each, told, seconds) for each in missing))

    async def _settle(self, of: LineOf, contributors: tuple[Contributor, ...], contributions: str) -> None:
        revealed = revealed_of(contributions, len(contributors))
        missing = [each.house for each, (secret, _) in zip(contributors, revealed, strict=True) if secret == MISSING]
        if missing:
            why = [f"{house}: {self._missing.get((of, house), UNASKED) or OWN_FAULT}" for house in missing]
            about = dict(zip(("on_sale", "line"), of, strict=True))
            await alarm_once(
                self._ledger, "draw-withheld", about, {"houses": ", ".join(missing), "why": "; ".join(why)}
            )
        self._settled.add(of)

    async def _ask(self, on_sale: OnSale, contributor: Contributor, told: Statement, seconds: float) -> None:
        self._missing[(told.on_sale, told.line), contributor.house] = await self._why_not(
            on_sale, contributor, told, seconds
        )

    async def _why_not(self, on_sale: OnSale, contributor: Contributor, told: Statement, seconds: float) -> str:
        """Takes in what a house reveals. Answers what is the matter with it, or nothing."""
        cell, house = self._cell, contributor.house
        try:
            async with asyncio.timeout(seconds):
                found = await ask_reveal(cell, contributor, on_sale, told)
                of = told.house, told.on_sale, told.line, told.planned_ms
                if commitment_of(house, *of, found.secret) != contributor.commitment:
                    return "what it revealed is not what it had committed to"
                text = told.text(house, contributor.commitment)
                await self._keys.check(cell.house, house, text, found.signature)
        except Refused:
            return "it had signed another list of this draw, and signs no second one"
        except ForgedToken:
            return "it revealed, and none of its keys signed the list"
        except TimeoutError:  # the last time there was hardly any left
            return self._missing.get(((told.on_sale, told.line), house)) or "it did not answer in time"
        except (BadInput, CellUnavailable) as error:
            return str(error)
        reply = await cell.call(
            "waiting_room/reveal",
            (cell.keys.cell, cell.keys.sale(told.on_sale)),
            (told.line, house, found.secret, told.bound, found.signature),
        )
        match reply[0]:
            case b"revealed":
                return ""
            case b"untimely" | b"unknown_on_sale":
                return "it answered too late"
            case _:
                raise broken("waiting_room/reveal", reply)
