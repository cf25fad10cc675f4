"""Showing that an e-mail address or a phone number is one's own, before joining a line in which each has one place.

Nobody is looked up: an address that the house knows and one that it does not get the same answer, at once.
"""

from collections import defaultdict
from typing import Final

import msgspec

from api.doorbell import NO_STORE, Doorbell, network_near
from api.hot import Answer, Call, hot
from api.neighbours import Neighbours
from api.wire import ContactCodeReply, ContactCodeRequest, ContactReply, ContactRequest
from engine.catalogue import OnSale
from engine.contacts import ask_for, check_code, person_of, read_address
from engine.errors import Refused
from engine.instants import to_rfc3339
from engine.pressure import Level
from engine.waiting_room import check_secret_hash
from engine.words import HouseSlug

CODES: Final = msgspec.json.Decoder(ContactCodeRequest)
CONTACT: Final = msgspec.json.Decoder(ContactRequest)
encode: Final = msgspec.json.Encoder().encode
WINDOW_SECONDS: Final = 600.0
CODES_A_PERSON: Final = 4
CODES_A_SECRET: Final = 8
"""Of one proof of work, or one wait: strangers are not mailed for nothing, and somebody may mistype."""
CODES_A_NETWORK: Final = 200
"""A school or a carrier shares one address."""
TRIES_A_PERSON: Final = 10
ANYWHERE: Final = 10
"""So many times as much for one person, from wherever it is asked."""
RETRY_SECONDS: Final = 120


def _nobody_yet() -> Neighbours:
    return Neighbours(WINDOW_SECONDS, answers_for_others=False)


SENT: Final[defaultdict[HouseSlug, Neighbours]] = defaultdict(_nobody_yet)
TRIED: Final[defaultdict[HouseSlug, Neighbours]] = defaultdict(_nobody_yet)


def _limit(
    counts: Neighbours,
    network: str,
    at: str,
    person: str,
    a_person: int,
    whys: "tuple[str, str]",
    secret_hash: str = "",
) -> None:
    """Counts for a network, for a person `at` where they ask, and for the person wherever; what is refused not at all.
    With a secret hash for that, too.

    A person is limited where they ask, so that nobody can use up what somebody elsewhere has. `whys`: of the network,
    and of the person. Raises `Refused` (`too-many-codes`).
    """
    limits = (
        (network, CODES_A_NETWORK, whys[0]),
        (f"{at} {person}", a_person, whys[1]),
        (person, ANYWHERE * a_person, whys[1]),
        *([(secret_hash, CODES_A_SECRET, whys[1])] if secret_hash else []),
    )
    for name, most, why in limits:
        if counts.count(name) >= most:
            raise Refused("too-many-codes", why, retry_after_s=RETRY_SECONDS)
    for name, _, _ in limits:
        counts.note(name)


def _check_asked(on_sale: OnSale) -> None:
    if not on_sale.one_place_per:
        raise Refused("not-found", "this on-sale asks for no address")


def send_code(call: Call, on_sale: OnSale, contact: str, secret_hash: str, language: str) -> str:
    """Has a code sent. Answers until when it counts. Raises `BadInput`, `Refused` (`too-many-codes`, `not-found`)."""
    _check_asked(on_sale)
    address, cell = read_address(on_sale.one_place_per, contact), call.cell
    sent, person = SENT[cell.house.slug], person_of(cell.signer, on_sale.on_sale, address)
    whys = "very many codes were asked for from near you", "several codes were sent there already; wait a little"
    near = network_near(call.scope)
    _limit(sent, near, near, person, CODES_A_PERSON, whys, secret_hash)
    code = ask_for(cell.signer, cell.house, on_sale.on_sale, on_sale.one_place_per, address, secret_hash)
    if language in cell.house.languages:
        code = msgspec.structs.replace(code, language=language)
    cell.contacts.send(on_sale.contact_url, code)
    return code.expires_at


def confirm(call: Call, on_sale: OnSale, contact: str, secret_hash: str, code: str) -> tuple[str, int]:
    """What to join with, and until when (ms). Raises `BadInput`, `Refused` (`bad-contact-code` and as above)."""
    _check_asked(on_sale)
    address = read_address(on_sale.one_place_per, contact)
    tried = TRIED[call.cell.house.slug]
    whys = "very many codes were tried from near you", "too many codes were tried for this address"
    person = person_of(call.cell.signer, on_sale.on_sale, address)
    _limit(tried, network_near(call.scope), secret_hash, person, TRIES_A_PERSON, whys)
    return check_code(call.cell.signer, on_sale.on_sale, address, secret_hash, code)


@hot(
    "POST",
    "/on-sales/{on_sale:str}/contact-codes",
    summary="Have a code sent to an e-mail address or a phone number, to show that it is yours",
    request=ContactCodeRequest,
    answers={202: ContactCodeReply},
    sheds=Level.JOINS,
)
async def make_contact_code(call: Call) -> Answer:
    """The same answer for every address. The code is for whoever keeps the secret behind `secret_hash` alone."""
    on_sale = call.cell.on_sale(call.parameters["on_sale"])
    call.idempotency_key()
    request = await call.body(CODES)
    Doorbell(call.scope, call.cell, on_sale).check(request.secret_hash, request.proof)
    ends_at = send_code(call, on_sale, request.contact, request.secret_hash, request.language)
    return Answer(202, encode(ContactCodeReply(expires_at=ends_at)), NO_STORE)


@hot(
    "POST",
    "/on-sales/{on_sale:str}/contacts",
    summary="Show with a code that an e-mail address or a phone number is yours",
    request=ContactRequest,
    answers={201: ContactReply},
    sheds=Level.JOINS,
)
async def confirm_contact(call: Call) -> Answer:
    """What is shown as `contact` when joining."""
    on_sale = call.cell.on_sale(call.parameters["on_sale"])
    call.idempotency_key()
    request = await call.body(CONTACT)
    check_secret_hash(request.secret_hash)
    token, ends_at_ms = confirm(call, on_sale, request.contact, request.secret_hash, request.code)
    return Answer(201, encode(ContactReply(contact=token, expires_at=to_rfc3339(ends_at_ms))), NO_STORE)
