"""A code or a number without JavaScript: typed once, it unlocks the prices that ask for it."""

from typing import Final

import msgspec

from api.forms.door import IN_TURN, Visit, pages
from api.hot import Answer
from api.visitor import owner_of
from engine.catalogue import Performance
from engine.conditions import Proofs, check_proofs, known_codes
from engine.errors import BadInput, ForgedToken, Refused
from engine.pressure import Level

CODE: Final = "code"
NUMBER: Final = "number"


def typed_types(performance: Performance) -> "dict[str, str]":
    """The price types that ask for something to be typed, with what: `code` or `number`."""
    return {name: kind.needs for name, kind in performance.price_types.items() if kind.needs in {CODE, NUMBER}}


def offered(visit: Visit, performance: Performance, category: str, is_bay: bool = False) -> "dict[str, int]":
    """What a category costs at the prices that this visitor may choose, after what they typed.

    `is_bay`: beside a wheelchair, where somebody may come along.
    """
    proofs = visit.kept.proofs

    def is_offered(name: str) -> bool:
        match performance.type_of(name).needs:
            case "":
                return True
            case "code":
                return bool(proofs.codes)
            case "number":
                return name in proofs.numbers
            case "companion":
                return is_bay
        return False

    return {name: amount for name, amount in performance.prices.get(category, {}).items() if is_offered(name)}


async def keep(visit: Visit) -> Answer:
    """Keeps what was typed for this performance's prices, and says at once of a code that nobody knows it."""
    cell, kept, fields = visit.cell, visit.kept, visit.fields
    asked = fields.get("performance")
    performance = cell.performance(asked if asked in visit.on_sale.performances else visit.on_sale.performances[0])
    typed = typed_types(performance)
    numbers = {name: text for name, text in kept.proofs.numbers.items() if name not in typed}
    numbers |= {name: text for name in typed if (text := fields.get(f"number.{name}"))}
    code = fields.get(CODE)
    codes = ((code,) if code else ()) if CODE in typed.values() else kept.proofs.codes
    problem = ""
    try:
        owner_of(cell, kept.pass_)  # else whoever waits could try out which codes there are
        visit.kept = msgspec.structs.replace(kept, proofs=Proofs(codes, numbers))
        check_proofs(visit.kept.proofs)
        known_codes(cell, codes)
    except Refused as refusal:
        problem = refusal.slug
    except BadInput:
        problem = "bad-input"
    except ForgedToken:
        visit.keep(pass_="")
        return visit.go(problem="forged-token")
    if problem == "bad-input" or not visit.fits():
        visit.kept, problem = kept, "bad-input"
    where = {name: fields.get(name) for name in ("zone", "row")}
    return visit.go("/seats", performance=performance.performance, problem=problem, **where)


pages("/proofs", "plain_proofs", act=keep, needs=IN_TURN, sheds=Level.HOLDS)
