"""What a house's manager sets up: halls, performances, on-sales, keys. The ledger first, then Redis.

Each step can be repeated: recovery brings a cell up from the ledger's documents with the very same `bring_up`.
"""

import hashlib
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from engine.aside import allot
from engine.catalogue import (
    LONE_RULES,
    NEEDS,
    SCOPES,
    Allotment,
    ApiKey,
    CodeBatch,
    Hall,
    Line,
    OnSale,
    OpenHall,
    Performance,
    PriceType,
    Release,
    open_hall,
)
from engine.cell import Cell, broken, pack
from engine.contacts import KINDS
from engine.contributions import committed
from engine.destinations import Gate
from engine.draw import ALGORITHM, commitment, encode, new_seed
from engine.errors import BadInput, Refused
from engine.halls.layout import Layout
from engine.halls.pretix import export_plan, import_plan
from engine.halls.sheet import corrected
from engine.instants import now_ms
from engine.known_user import check_event
from engine.ledger.allotments import read_allotments
from engine.ledger.ledger import Ledger
from engine.lines import check_lines
from engine.on_sale import FASTEST_PER_MINUTE, check_guard, check_pace, put_up
from engine.prices import WHOLE, share_of, with_shares
from engine.proof import POLICIES
from engine.schedule import check_steps
from engine.seats import install
from engine.windows import anchored, check_windows
from engine.words import HallId, KeyId, OnSaleId, PerformanceId, is_slug

LONGEST_TITLE = 200
DEAREST = 100_000_00
MOST_OF_A_TYPE = 1_000
LONGEST_SECONDS = 86_400
Document = TypeVar("Document", Hall, Performance, OnSale, ApiKey, CodeBatch)
Drawn = TypeVar("Drawn", OnSale, Line)


class Change(msgspec.Struct, frozen=True):
    """Who of the house does something, and why."""

    who: str
    why: str


def check_id(what: str, name: str) -> None:
    """Raises `BadInput` for a name that cannot stand in an address."""
    if not is_slug(name):
        raise BadInput(f"{what} {name!r} is not made of a-z, 0-9 and hyphens, at most 40")


def check_title(what: str, title: str) -> None:
    """Raises `BadInput` for what cannot stand on a page."""
    if not title.strip() or len(title) > LONGEST_TITLE or not title.isprintable():
        raise BadInput(f"{what} has between 1 and {LONGEST_TITLE} plain characters")


async def publish(cell: Cell, documents: Mapping[str, str]) -> None:
    """Gives documents (JSON; empty takes one away) to every API process of the house."""
    reply = await cell.call("cell/publish", (cell.keys.cell, cell.keys.catalogue), (pack(dict(documents)),))
    if reply[0] != b"published":
        raise broken("cell/publish", reply)


async def bind(cell: Cell, operation: str, fingerprint: str) -> None:
    """Binds an operation id to one payload. Raises `Refused` (`key-reused`) where it belongs to another."""
    reply = await cell.call("cell/bind", (cell.keys.cell, cell.keys.operation(operation)), (fingerprint,))
    if reply[0] != b"bound":
        raise broken("cell/bind", reply)


def published_form(document: Any) -> str:
    """A document as API processes may know it: without a draw's seed, and why who has set what aside."""
    if isinstance(document, OnSale):
        lines = tuple(msgspec.structs.replace(line, seed="") for line in document.lines)
        document = msgspec.structs.replace(document, seed="", lines=lines)
    if isinstance(document, Allotment):
        document = msgspec.structs.replace(document, why="", who="", seats=(), is_pending=False)
    return msgspec.json.encode(document).decode()


async def create(ledger: Ledger, kind: str, name: str, document: Document, change: Change) -> Document:
    """The document that the ledger keeps of this name from now on: two who create it at once get the same one."""
    what = f"create {kind.removeprefix('api_').replace('_', '-')}"
    kept = await ledger.create(kind, name, msgspec.json.encode(document), who=change.who, what=what, why=change.why)
    return msgspec.json.decode(kept, type=type(document))


async def add_hall(
    cell: Cell,
    ledger: Ledger,
    hall: str,
    name: str,
    document: object,
    change: Change,
    *,
    ids: Any = "guid",
    aisles: str = "",
) -> OpenHall:
    """Creates a hall from a plan in pretix's format. `aisles`: a sheet that corrects them, see `engine.halls.sheet`.

    Raises `BadPlan` with every fault, `BadInput`, `Refused`.
    """
    check_id("hall", hall)
    check_title("name", name)
    plan = export_plan(corrected(import_plan(document, ids), aisles))
    import_plan(plan)  # an aisle in the middle of a table shows only now
    made = Hall(hall=hall, name=name, plan=plan)  # type: ignore[arg-type]
    opened = open_hall(await create(ledger, "hall", hall, made, change))
    if opened.plan != open_hall(made).plan:
        raise Refused("already-exists", "there is a hall of this name with another plan", hall=hall)
    await publish(cell, {f"hall:{hall}": published_form(opened.hall)})
    await cell.look()
    return opened


def find_hall(cell: Cell, hall: str) -> OpenHall:
    """The hall. Raises `Refused` (`unknown-hall`)."""
    found = cell.catalogue.halls.get(HallId(hall))
    if found is None:
        raise Refused("unknown-hall", "there is no such hall here", halls=sorted(cell.catalogue.halls))
    return found


def check_prices(performance: Performance, layout: Layout) -> None:
    """Raises `BadInput` unless every category of the hall has a price and every price can be meant."""
    missing = [category for category in layout.categories if not performance.prices.get(category)]
    unknown = [category for category in performance.prices if category not in layout.categories]
    problems = [f"category {category!r} has no price" for category in missing]
    problems += [f"the hall has no category {category!r}" for category in unknown]
    for category, prices in performance.prices.items():
        for price_type, amount in prices.items():
            if not price_type.strip() or len(price_type) > LONGEST_TITLE or not price_type.isprintable():
                problems.append(f"{category}: {price_type!r} has not between 1 and {LONGEST_TITLE} plain characters")
            if not 0 <= amount <= DEAREST:
                problems.append(f"{category}, {price_type}: {amount} does not lie between 0 and {DEAREST}")
    for name, kind in performance.price_types.items():
        problems += [f"{name}: {fault}" for fault in _faults(performance, name, kind)]
    if not 0 <= performance.vat_rate <= WHOLE:
        problems.append(f"vat_rate: {performance.vat_rate} does not lie between 0 and {WHOLE}")
    if not 0 <= performance.fee <= DEAREST:
        problems.append(f"fee: {performance.fee} does not lie between 0 and {DEAREST}")
    if not re.fullmatch(r"[A-Z]{3}", performance.currency):
        problems.append(f"currency {performance.currency!r} is not an ISO 4217 code such as EUR")
    if problems:
        raise BadInput("the prices do not fit the hall", tuple(problems))


def _faults(performance: Performance, name: str, kind: PriceType) -> Iterator[str]:
    """What is wrong with a price type, in words."""
    amounts = [prices for prices in performance.prices.values() if name in prices]
    if not amounts:
        yield "no category has this price"
    if any(next(iter(prices)) == name for prices in amounts) and (
        kind.needs or kind.share is not None or kind.at_least
    ):
        yield "the standard price is everybody's, and a share of no other"
    if kind.share is not None and any(
        prices[name] != share_of(next(iter(prices.values())), kind.share) for prices in amounts
    ):
        yield "its amount is not that share of the standard price; leave the amount out"
    if kind.share is not None and not 0 <= kind.share <= WHOLE:
        yield f"share: {kind.share} does not lie between 0 and {WHOLE}"
    if kind.needs not in NEEDS:
        yield f"needs is one of {', '.join(filter(None, NEEDS))}, or empty"
    if not 0 <= kind.at_least <= MOST_OF_A_TYPE or not 0 <= kind.at_most <= MOST_OF_A_TYPE:
        yield f"at_least and at_most lie between 0 and {MOST_OF_A_TYPE}"
    if kind.at_most and kind.at_least > kind.at_most:
        yield "at_least is more than at_most"
    if kind.fee is not None and not 0 <= kind.fee <= DEAREST:
        yield f"fee: {kind.fee} does not lie between 0 and {DEAREST}"
    if kind.vat_rate is not None and not 0 <= kind.vat_rate <= WHOLE:
        yield f"vat_rate: {kind.vat_rate} does not lie between 0 and {WHOLE}"
    if bool(kind.series) != (kind.needs == "series"):
        yield "series names its performances where it needs series, and nowhere else"
    if kind.series and (performance.performance not in kind.series or len(set(kind.series)) < max(2, len(kind.series))):
        yield "series names at least two performances, each once, this one among them"
    if kind.verify_url and kind.needs != "number":
        yield "verify_url is for a price that needs a number"


def check_release(steps: Sequence[Release]) -> None:
    """Raises `BadInput` for steps that cannot be meant."""
    instants = [step.at_ms for step in steps]
    if instants != sorted(set(instants)) or not all(1 <= step.percent <= 100 for step in steps):
        raise BadInput("access_release goes on in time, and each step has between 1 and 100 percent")


async def add_performance(cell: Cell, ledger: Ledger, made: Performance, change: Change) -> Performance:
    """Creates a performance with its prices, those that are a share worked out. Raises `BadInput`, `Refused`."""
    check_id("performance", made.performance)
    check_title("title", made.title)
    hall = find_hall(cell, made.hall)
    made = with_shares(made)
    check_prices(made, hall.layout)
    check_release(made.access_release)
    for kind in made.price_types.values():
        if kind.verify_url:
            await Gate(cell.house.webhooks_to).check(kind.verify_url)
    if await create(ledger, "performance", made.performance, made, change) != made:
        raise Refused("already-exists", "there is another performance of this name", performance=made.performance)
    await publish(cell, {f"performance:{made.performance}": published_form(made)})
    await cell.look()
    return made


def _committed(drawn: Drawn) -> Drawn:
    """An on-sale or one of its lines, with the secret seed of its draw and the commitment to it."""
    seed = new_seed()
    return msgspec.structs.replace(drawn, seed=encode(seed), commitment=commitment(seed))


def _undrawn(on_sale: OnSale) -> OnSale:
    """An on-sale without what its draws were given when it was made."""
    lines = tuple(msgspec.structs.replace(line, seed="", commitment="", anchor="") for line in on_sale.lines)
    return msgspec.structs.replace(on_sale, seed="", commitment="", anchor="", draw="", lines=lines)


async def add_on_sale(cell: Cell, ledger: Ledger, made: OnSale, change: Change) -> OnSale:
    """Puts performances on sale: lays seats out, commits to the draw's seed. Raises `BadInput`, `Refused`."""
    check_id("on_sale", made.on_sale)
    check_title("title", made.title)
    _check_on_sale(cell, made)
    check_lines(made)
    for line in made.lines:
        check_title(f"the title of {line.line}", line.title)
    if made.contact_url:
        await Gate(cell.house.webhooks_to).check(made.contact_url)
    made = await committed(cell.house, made)
    drawn = _committed(msgspec.structs.replace(made, draw=ALGORITHM, lines=tuple(map(_committed, made.lines))))
    if made.fair_window_seconds:
        drawn = anchored(cell.signer, drawn)
    kept = await create(ledger, "on_sale", made.on_sale, drawn, change)
    if _undrawn(kept) != _undrawn(made):
        raise Refused("already-exists", "there is another on-sale of this name", on_sale=made.on_sale)
    while True:
        plans = [cell.hall_keys(performance) for performance in kept.performances]
        await bring_up(cell, kept)
        for performance in kept.performances:
            for allotment in await read_allotments(ledger, performance):
                if allotment.is_live(now_ms()):
                    await allot(cell, allotment)
        await publish(cell, {f"on_sale:{made.on_sale}": published_form(kept)})
        await cell.look()
        # A plan that changed meanwhile found no seats to move: they are laid out by it now.
        if plans == [cell.hall_keys(performance) for performance in kept.performances]:
            return kept


def _check_on_sale(cell: Cell, made: OnSale) -> None:
    if not made.performances or len(set(made.performances)) != len(made.performances):
        raise BadInput("an on-sale has at least one performance, each once")
    for performance in made.performances:
        cell.performance(performance)
        taken_by = cell.catalogue.on_sale_of(performance)
        if taken_by not in {made.on_sale, OnSaleId("counter")}:
            raise Refused("already-on-sale", f"{performance} is sold by another on-sale", on_sale=taken_by)
    if made.opens_at_ms < made.prequeue_at_ms:
        raise BadInput("opens_at lies before prequeue_at")
    check_pace(made.rate_per_minute, made.cap)
    check_steps(made.rates, FASTEST_PER_MINUTE)
    check_guard(made.safety_net_per_minute, made.fails)
    check_windows(made)
    check_event(made.known_user_event)
    if not 0 <= made.burst_percent <= 100:
        raise BadInput("burst_percent lies between 0 and 100")
    if not 0 <= made.more_time_percent <= 300:
        raise BadInput("more_time_percent lies between 0 and 300")
    for name in ("grace_seconds", "longest_stay_seconds"):
        if not 0 <= getattr(made, name) <= LONGEST_SECONDS:
            raise BadInput(f"{name} lies between 0 and {LONGEST_SECONDS}")
    for name in ("hold_seconds", "pass_seconds", "turn_seconds"):
        if not 1 <= getattr(made, name) <= LONGEST_SECONDS:
            raise BadInput(f"{name} lies between 1 and {LONGEST_SECONDS}")
    if not 0 <= made.return_delay_seconds <= LONGEST_SECONDS:
        raise BadInput(f"return_delay_seconds lies between 0 and {LONGEST_SECONDS}")
    for name in ("lone_seats_last", "unpaid_holds", "seats_a_customer", "visitors_a_seat"):
        if not 0 <= getattr(made, name) <= 1000:
            raise BadInput(f"{name} lies between 0 and 1000")
    if not 0 <= made.cool_down_seconds <= LONGEST_SECONDS:
        raise BadInput(f"cool_down_seconds lies between 0 and {LONGEST_SECONDS}")
    if not 1 <= made.longest_hold_seconds <= LONGEST_SECONDS:
        raise BadInput(f"longest_hold_seconds lies between 1 and {LONGEST_SECONDS}")
    if made.lone_seats not in LONE_RULES:
        raise BadInput(f"lone_seats is one of {', '.join(LONE_RULES)}")
    if made.one_place_per not in KINDS:
        raise BadInput(f"one_place_per is one of {', '.join(filter(None, KINDS))}, or empty")
    if bool(made.one_place_per) != bool(made.contact_url):
        raise BadInput("contact_url is who sends the codes for one_place_per: both, or neither")
    if made.proof_of_work not in POLICIES:
        raise BadInput(f"proof_of_work is one of {', '.join(POLICIES)}")
    if not 1 <= made.seats_a_hold <= made.seats_a_place <= 1000:
        raise BadInput("seats_a_hold is at least 1 and at most seats_a_place, which is at most 1000")


async def bring_up(
    cell: Cell, on_sale: OnSale, stood: Mapping[str, str | int | bytes] | None = None, *, is_anew: bool = False
) -> list[PerformanceId]:
    """Lays out an on-sale's performances and puts it up, where that is not done. Answers what was laid out just now.

    `stood`: what was known of it before a loss; `is_anew`: it is put up so even where it is.
    """
    fresh = [
        performance
        for performance in on_sale.performances
        if await install(cell, performance, cell.catalogue.layout(performance), on_sale.return_delay_seconds * 1000)
    ]
    await put_up(cell, on_sale, stood, is_anew=is_anew)
    return fresh


def hash_key(secret: str) -> str:
    """What is kept of an API key."""
    return encode(hashlib.sha256(secret.encode()).digest())


async def add_key(
    cell: Cell, ledger: Ledger, name: str, scopes: tuple[str, ...], change: Change, operation: str
) -> tuple[ApiKey, str]:
    """Creates an API key, or gives the one that this operation id made. Answers it with its secret.

    Raises `BadInput`, and `Refused` (`key-reused`) for a repeat with another name or other scopes.
    """
    check_title("name", name)
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        raise BadInput(f"scopes are one or more of {', '.join(SCOPES)}", tuple(f"unknown scope {s!r}" for s in unknown))
    # Derived, not drawn: a repeat gets the same secret though nobody keeps it.
    key_id = KeyId(cell.signer.derive("api-key-id", operation)[:16].lower().replace("_", "x").replace("-", "y"))
    secret = f"pk_{key_id}_{cell.signer.derive('api-key', operation)}"
    made = ApiKey(
        key_id=key_id,
        name=name,
        secret_hash=hash_key(secret),
        scopes=tuple(dict.fromkeys(scopes)),
        created_at_ms=now_ms(),
    )
    kept = await create(ledger, "api_key", key_id, made, change)
    if (kept.name, kept.scopes) != (made.name, made.scopes):
        raise Refused("key-reused", "this Idempotency-Key was used before, with another request")
    await publish(cell, {f"api_key:{key_id}": published_form(kept)})
    await cell.look()
    return kept, secret


async def revoke_key(cell: Cell, ledger: Ledger, key_id: str, change: Change) -> None:
    """Ends an API key. Raises `Refused` (`unknown-key`)."""
    known = cell.catalogue.api_keys.get(KeyId(key_id))
    if known is None:
        raise Refused("unknown-key", "there is no such key here")
    made = msgspec.structs.replace(known, is_revoked=True)
    body = msgspec.json.encode(made)
    await ledger.save("api_key", key_id, body, who=change.who, what="revoke key", why=change.why)
    await publish(cell, {f"api_key:{key_id}": published_form(made)})
    await cell.look()


def find_key(cell: Cell, secret: str) -> ApiKey | None:
    """The live key that a secret belongs to, compared in constant time; None when there is none."""
    parts = secret.split("_", 2)
    known = cell.api_key(parts[1]) if len(parts) == 3 and parts[0] == "pk" else None
    is_right = secrets.compare_digest(hash_key(secret), known.secret_hash if known else "")
    return known if known and is_right and not known.is_revoked else None
