"""Which price types somebody may have, and what of codes and numbers is used up by it.

A code is used up by a price that needs it, else by a seat or place that is kept for its batch. What can be said before
anybody looks at the hall is said here; how often a code was used is counted where the seats are held, in the same step
(`lua/seats/hold.lua`). The house's own staff vouch for whom they see: no condition binds them, and a code they give
is counted like any.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from engine.catalogue import CodeBatch, PriceType
from engine.cell import Cell
from engine.entries import Item
from engine.errors import BadInput, Refused
from engine.halls.layout import Layout
from engine.shares import live_allotments
from engine.signing import Signer
from engine.wishes import Wish, wish_size
from engine.words import PerformanceId

MOST_CODES: Final = 20
LONGEST_PROOF: Final = 100
ID_LETTERS: Final = 16
NO_LIMIT: Final = 1_000_000_000
WHEELCHAIR: Final = "wheelchair"
Asked = tuple[PerformanceId, str]
"""A performance and a price type."""


class Proofs(msgspec.Struct, frozen=True):
    """What somebody shows: codes, and for a price type a number (of a member, of a card)."""

    codes: tuple[str, ...] = ()
    numbers: dict[str, str] = {}


NOTHING: Final = Proofs()


class Granted(msgspec.Struct, frozen=True):
    """What is used up: for each seat the id of its code, or an empty text; `counted` as `lua/seats/hold.lua` takes it.

    `batches`: of all the codes that were shown.
    """

    codes: tuple[str, ...] = ()
    counted: tuple[str | int, ...] = ()
    batches: tuple[CodeBatch, ...] = ()


def code_id(signer: Signer, text: str) -> str:
    """The id of a code, however somebody spells its letters and gaps."""
    return signer.derive("code-id", "".join(text.upper().replace("-", "").split()))[:ID_LETTERS]


def number_id(signer: Signer, performance: PerformanceId, price_type: str, number: str) -> str:
    """What a number's uses for one performance are counted under: nothing that it could be found by."""
    return signer.derive("number-id", f"{performance}|{price_type}|{''.join(number.upper().split())}")[:ID_LETTERS]


def check_proofs(proofs: Proofs) -> None:
    """Raises `BadInput` for what no visitor can mean."""
    texts = [*proofs.codes, *proofs.numbers.values()]
    if len(texts) > MOST_CODES:
        raise BadInput(f"at most {MOST_CODES} codes and numbers at a time")
    if not all(text.strip() and len(text) <= LONGEST_PROOF and text.isprintable() for text in texts):
        raise BadInput(f"a code and a number have between 1 and {LONGEST_PROOF} plain characters")


def counted_of(cell: Cell, items: Iterable[Item]) -> tuple[str | int, ...]:
    """What items use up, as `lua/orders/rebook.lua` takes it; what nobody knows any more is counted without a limit."""
    most: dict[str, int] = {}
    used = Counter(item.code for item in items if item.code)
    for item in items:
        batch = cell.catalogue.batch_of_code.get(item.code)
        known = cell.catalogue.performances.get(item.performance)
        of_number = known.type_of(item.price_type).at_most if known else 0
        most[item.code] = batch.uses if batch else of_number or NO_LIMIT
    return tuple(part for code, count in used.items() for part in (code, count, most[code]))


async def grant(
    cell: Cell, wishes: Sequence[Wish], price_types: Sequence[str], proofs: Proofs, *, is_staff: bool
) -> Granted:
    """What the wishes use up at these price types (none: standard prices).

    Raises `Refused` (`unknown-code`, `condition-not-met`, `number-refused`, `number-unchecked`).
    """
    check_proofs(proofs)
    shown = known_codes(cell, proofs.codes)
    performances = [wish.performance for wish in wishes for _ in range(wish_size(wish))]
    asked = list(zip(performances, price_types, strict=True)) if price_types else []
    counts = Counter(asked)
    kinds = {each: cell.performance(each[0]).type_of(each[1]) for each in counts}
    left = {name: batch.uses for name, batch in shown.items()}
    codes = _uses(cell, asked, kinds, shown, left, proofs, is_staff=is_staff) or ("",) * len(performances)
    if shown:
        kept_for = [batches for wish in wishes for batches in _kept_for(cell, wish)]
        codes = tuple(
            code or _next([name for name, batch in shown.items() if batch.batch in batches], left)
            for code, batches in zip(codes, kept_for, strict=True)
        )
    if not is_staff:
        for each, kind in kinds.items():
            _check(cell, wishes, each, kind, counts, proofs)
        await _check_numbers(cell, kinds, counts, proofs)
    most = {code: batch.uses for code, batch in shown.items()}
    most |= {
        number_id(cell.signer, *each, proofs.numbers[each[1]]): kind.at_most
        for each, kind in kinds.items()
        if kind.needs == "number" and each[1] in proofs.numbers
    }
    used = Counter(code for code in codes if code)
    counted = tuple(part for code, count in used.items() for part in (code, count, most[code]))
    return Granted(codes, counted, tuple(shown.values()))


def known_codes(cell: Cell, codes: Sequence[str]) -> dict[str, CodeBatch]:
    """The batch of each code that counts, by its id. Raises `Refused` (`unknown-code`)."""
    shown = {}
    for code in codes:
        name = code_id(cell.signer, code)
        batch = cell.catalogue.batch_of_code.get(name)
        if batch is None or batch.is_disabled:
            raise Refused("unknown-code", "this code is not known here, or counts no more", code=code)
        shown[name] = batch
    return shown


def _uses(
    cell: Cell,
    asked: Sequence[Asked],
    kinds: Mapping[Asked, PriceType],
    shown: Mapping[str, CodeBatch],
    left: dict[str, int],
    proofs: Proofs,
    *,
    is_staff: bool,
) -> tuple[str, ...]:
    """For each seat the id of what its price uses up. Raises `Refused` (`condition-not-met`) where no code fits.

    `left`: for how many seats more each code is good; see `_next`.
    """
    found = []
    for each in asked:
        kind, code = kinds[each], ""
        if kind.needs == "code":
            code = _next([name for name, batch in shown.items() if _fits(batch, each)], left)
            if not code and not is_staff:
                raise _unmet(each, kind, "a code is needed for this price")
        elif kind.needs == "number" and kind.at_most and each[1] in proofs.numbers:
            code = number_id(cell.signer, *each, proofs.numbers[each[1]])
        found.append(code)
    return tuple(found)


def _kept_for(cell: Cell, wish: Wish) -> list[frozenset[str]]:
    """For each seat and place of a wish the batches of codes that it may be kept for.

    Which of the seats that somebody names are kept only the hall knows: a code that seats are kept for is used up by
    each that is named with it.
    """
    aside = [each for each in live_allotments(cell.catalogue, wish.performance) if each.purpose == "code"]
    batches = frozenset(each.for_ for each in aside if wish.seats or each.name == wish.allotment)
    return [batches] * wish_size(wish)


def _next(fitting: Sequence[str], left: dict[str, int]) -> str:
    """Of several codes that fit each is used for as many seats as it is good for, in their order; the last for more.

    Empty where none fits.
    """
    code = next((name for name in fitting if left[name] > 0), fitting[-1] if fitting else "")
    if code:
        left[code] -= 1
    return code


def _fits(batch: CodeBatch, asked: Asked) -> bool:
    performance, price_type = asked
    return batch.price_type == price_type and (not batch.performances or performance in batch.performances)


def _check(
    cell: Cell, wishes: Sequence[Wish], asked: Asked, kind: PriceType, counts: Mapping[Asked, int], proofs: Proofs
) -> None:
    """Raises `Refused` (`condition-not-met`) for a price type that somebody may not have so."""
    performance, name = asked
    count = counts[asked]
    if count < kind.at_least:
        raise _unmet(asked, kind, f"this price is for {kind.at_least} together, or more")
    if kind.at_most and count > kind.at_most:
        raise _unmet(asked, kind, f"at most {kind.at_most} at this price")
    if kind.needs == "number" and name not in proofs.numbers:
        raise _unmet(asked, kind, "a number is needed for this price")
    if kind.needs == "series" and any(counts.get((each, name), 0) != count for each in kind.series):
        raise _unmet(asked, kind, "this price is for the whole series", series=list(kind.series))
    if kind.needs == "companion":
        mine = [wish for wish in wishes if wish.performance == performance]
        places = _wheelchair_places(cell.catalogue.layout(performance), mine)
        types = cell.performance(performance).type_of
        along = sum(counts[each] for each in counts if each[0] == performance and types(each[1]).needs == kind.needs)
        # One companion beside each wheelchair, at whichever such price, and for each wheelchair somebody who pays.
        if along > places or sum(map(wish_size, mine)) - along < places:
            raise _unmet(asked, kind, "this price is for whoever comes along with somebody in a wheelchair")


def _wheelchair_places(layout: Layout, wishes: Sequence[Wish]) -> int:
    """How many places for a wheelchair the wishes name, or ask for: of one that is released, a part is none."""
    named = Counter(layout.locate(seat)[0] for wish in wishes for seat in set(wish.seats))
    asked_for = sum(wish.best is not None and wish.best.unit == WHEELCHAIR for wish in wishes)
    blocks = [(layout.blocks[block], count) for block, count in named.items()]
    return asked_for + sum(block.unit == WHEELCHAIR and count >= block.length for block, count in blocks)


def _unmet(asked: Asked, kind: PriceType, why: str, **facts: object) -> Refused:
    performance, name = asked
    facts |= {field: getattr(kind, field) for field in ("needs", "at_least", "at_most") if getattr(kind, field)}
    return Refused("condition-not-met", why, performance=performance, price_type=name, **facts)


async def _check_numbers(
    cell: Cell, kinds: Mapping[Asked, PriceType], counts: Mapping[Asked, int], proofs: Proofs
) -> None:
    """Asks whoever knows the numbers, once for each price type. Raises `Refused`."""
    questions: dict[tuple[str, str], dict[PerformanceId, int]] = {}
    for (performance, name), kind in kinds.items():
        if kind.needs == "number" and kind.verify_url:
            questions.setdefault((kind.verify_url, name), {})[performance] = counts[performance, name]
    for (url, name), quantities in questions.items():
        await cell.numbers.check(url, name, proofs.numbers[name], quantities)
