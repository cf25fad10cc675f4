"""Who may take what is set aside: a partner only its own, the house's staff what is kept for them, anybody with a code
what is kept for it. To everybody else it is blocked.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from engine.catalogue import Allotment, Catalogue, CodeBatch
from engine.entries import Item
from engine.errors import BadInput, Refused
from engine.instants import now_ms
from engine.words import OPEN, AreaId, OnSaleId, PerformanceId

PARTNER: Final = "partner"
"""The channel of whoever may take nothing but its own allotments."""


class Owner(msgspec.Struct, frozen=True):
    """Who holds. `place` is the pass's live member; empty for the house's own staff, who need none, and for a partner.

    `channel`: `web`, `counter`, `api` or `partner`.
    """

    owner: str
    place: str
    on_sale: OnSaleId
    channel: str = ""
    generation: int = 0
    is_longer: bool = False
    """Whether they asked for more time."""

    @property
    def claim(self) -> str:
        """The place as a pass names it, see `lua/include/pass_of.lua`."""
        return f"{self.place} {self.generation}" if self.place else ""

    @property
    def is_partner(self) -> bool:
        """Whether it may take nothing but its own allotments."""
        return self.channel == PARTNER


def live_allotments(catalogue: Catalogue, performance: PerformanceId) -> list[Allotment]:
    """What is set aside of a performance now, by name."""
    now = now_ms()
    found = [each for each in catalogue.allotments.values() if each.performance == performance and each.is_live(now)]
    return sorted(found, key=lambda each: each.name)


def _is_for(allotment: Allotment, owner: Owner, batches: Sequence[CodeBatch]) -> bool:
    match allotment.purpose:
        case "house":
            return not owner.place and not owner.is_partner
        case "partner":
            return owner.owner == f"key:{allotment.for_}"
        case "channel":
            return owner.channel == allotment.for_
        case "code":
            return not owner.is_partner and any(batch.batch == allotment.for_ for batch in batches)
    return False


class Takeable:
    """What somebody may take of some performances."""

    def __init__(
        self, catalogue: Catalogue, performances: Sequence[PerformanceId], owner: Owner, batches: Sequence[CodeBatch]
    ) -> None:
        self._owner = owner
        self._allotments = {
            name: [each for each in live_allotments(catalogue, name) if _is_for(each, owner, batches)]
            for name in performances
        }
        self.letters = tuple(self._letters(found) for found in self._allotments.values())
        """For each performance what a seat that may be taken has in its row."""

    def _letters(self, found: Sequence[Allotment]) -> str:
        own = "".join(each.letter for each in found)
        # Something must stand there: nothing at all would be what is everybody's.
        return (own or "-") if self._owner.is_partner else OPEN + own

    def share(self, performance: PerformanceId) -> str | None:
        """The letters of all that a partner may take; None for whoever may take what is everybody's."""
        own = "".join(each.letter for each in self._allotments[performance])
        return own if self._owner.is_partner else None

    def letter(self, performance: PerformanceId, name: str) -> str:
        """The letter of the allotment that is meant, empty for none; a partner with only one need not name it.

        Raises `BadInput`, and `Refused` (`unknown-allotment`) alike for one that is not there and for another's.
        """
        mine = {each.name: each.letter for each in self._allotments[performance]}
        if name and name in mine:
            return mine[name]
        if name or (self._owner.is_partner and not mine):
            raise Refused("unknown-allotment", "there is no such allotment here", allotments=sorted(mine))
        if not self._owner.is_partner:
            return ""
        if len(mine) > 1:
            raise BadInput(f"which allotment: {', '.join(sorted(mine))}?")
        return next(iter(mine.values()))


def name_of(catalogue: Catalogue, performance: PerformanceId, letter: str) -> str:
    """The allotment behind a letter of a performance: the one that lives, else the last that did."""
    known = [each for each in catalogue.allotments.values() if (each.performance, each.letter) == (performance, letter)]
    return max(known, key=lambda each: each.made_at_ms).name if known else ""


def letter_of(catalogue: Catalogue, item: Item) -> str:
    """What an item's seat had in its row, or would have now: its allotment's letter, or an open seat's."""
    if not item.allotment:
        return OPEN
    known = catalogue.allotments.get(f"{item.performance}.{item.allotment}")
    return known.letter if known and known.is_live(now_ms()) else OPEN


def area_names(catalogue: Catalogue, items: Sequence[Item], numbers: Mapping[AreaId, int]) -> Iterator[int | str]:
    """For each standing place its area as the functions name it; `numbers`: of the hall's areas by their ids."""
    for item in items:
        if item.area:
            letter = letter_of(catalogue, item)
            yield numbers[item.area] if letter == OPEN else f"{letter}{numbers[item.area]}"
