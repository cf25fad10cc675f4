"""Before somebody joins: what is asked of whoever comes while many do, so that a crowd of programs pays for its places.

Nobody is turned away: whoever has no proof is told what to do, and by which way they come in without one.
"""

from collections import defaultdict
from typing import Final

import msgspec
from litestar.types import Scope

from api.hot import Answer, Call, Headers, hot
from api.neighbours import Neighbours, client_address, network_of
from api.waits import Waits
from api.wire import ChallengeReply, ChallengeRequest
from engine import proof
from engine.catalogue import OnSale
from engine.cell import Cell
from engine.contacts import CONTACT_SECONDS, read_contact
from engine.errors import ForgedToken, Refused
from engine.instants import now_ms
from engine.pressure import Level
from engine.signing import Wait
from engine.waiting_room import REPEAT_SECONDS, check_secret_hash
from engine.words import HouseSlug

CHALLENGE: Final = msgspec.json.Decoder(ChallengeRequest)
encode: Final = msgspec.json.Encoder().encode
NO_STORE: Final[Headers] = [(b"cache-control", b"no-store")]
WAIT_COUNTS_SECONDS: Final = 120
"""How long after its end a wait lets somebody join; where an address is shown first, as long as that counts."""
RETRY_SECONDS: Final = 60
NEIGHBOURS: Final[defaultdict[HouseSlug, Neighbours]] = defaultdict(Neighbours)
"""Who joined, or was about to, from each network: a house's own, in this process."""
WAITS: Final[defaultdict[HouseSlug, Waits]] = defaultdict(Waits)


def network_near(scope: Scope) -> str:
    """From which network a request comes."""
    return network_of(client_address(scope))


def person_for(cell: Cell, on_sale: OnSale, secret_hash: str, shown: str) -> str:
    """Who joins, where each person has one place; empty where anybody may. Raises as `engine.contacts.read_contact`."""
    return read_contact(cell.signer, on_sale.on_sale, secret_hash, shown) if on_sale.one_place_per else ""


class Doorbell:
    """One request to join an on-sale: from which network, and what is asked of it."""

    def __init__(self, scope: Scope, cell: Cell, on_sale: OnSale) -> None:
        self.cell, self.on_sale = cell, on_sale
        self._neighbours = NEIGHBOURS[cell.house.slug]
        self._joins, self.asks = 0, False
        if on_sale.proof_of_work == "off":
            return  # an address costs a third of a join to read, and nobody asks for it
        self._network = network_near(scope)
        self._joins = self._neighbours.count(self._network)
        strain = cell.worst_pressure
        self.asks = proof.is_asked(
            on_sale.proof_of_work, self._joins, is_strained=bool(strain.level or strain.slowed_percent)
        )

    def note(self) -> None:
        """Counts whoever joins, or asks for a challenge to join with: each of them once."""
        if self.on_sale.proof_of_work != "off":
            self._neighbours.note(self._network)

    def challenge(self, secret_hash: str) -> proof.Challenge:
        """A challenge for somebody, as hard as the pressure makes it."""
        self.note()
        most = proof.numbers_for(self._joins)
        return proof.make_challenge(self.cell.signer, self.on_sale.on_sale, secret_hash, most, now_ms())

    def check(self, secret_hash: str, shown: str) -> int:
        """How long, in seconds, what somebody showed counts. Raises `Refused` where a proof is asked for.

        `bad-proof` and `proof-ended` where it is none; `proof-required`, with a challenge, where nothing was shown.
        """
        check_secret_hash(secret_hash)
        if shown:
            at = now_ms()
            expires_at_ms = proof.check_proof(self.cell.signer, self.on_sale.on_sale, secret_hash, shown, at)
            return REPEAT_SECONDS + (expires_at_ms - at) // 1000
        if self.asks:
            challenge = msgspec.to_builtins(self.challenge(secret_hash))
            raise Refused("proof-required", "many are joining: a proof of work is needed first", challenge=challenge)
        self.note()
        return REPEAT_SECONDS

    def wait(self, secret_hash: str) -> str:
        """Instead of a challenge, for a browser without JavaScript: so long to wait; empty where nothing is asked.

        Raises `Refused` (`many-near-you`) where too many wait near it already.
        """
        self.note()
        if not self.asks:
            return ""
        numbers = proof.numbers_for(self._joins)
        over_at_ms = WAITS[self.cell.house.slug].take(self._network, numbers, now_ms())
        if over_at_ms is None:
            raise Refused("many-near-you", "very many are joining from near you", retry_after_s=RETRY_SECONDS)
        ends_at_ms = over_at_ms + (CONTACT_SECONDS if self.on_sale.one_place_per else WAIT_COUNTS_SECONDS) * 1000
        return self.cell.signer.sign(Wait(self.on_sale.on_sale, secret_hash, over_at_ms, ends_at_ms))


def read_wait(cell: Cell, on_sale: OnSale, secret_hash: str, text: str) -> tuple[int, int]:
    """How many seconds a wait lasts still (0: it is over), and how long it counts. Raises `Refused`.

    `bad-proof` for another's, or none of ours; `proof-ended` for one that was over long ago.
    """
    try:
        wait = cell.signer.read(Wait, text)
    except ForgedToken:
        wait = None
    if wait is None or wait.on_sale != on_sale.on_sale or wait.secret_hash != secret_hash:
        raise Refused("bad-proof", "this wait is not this visitor's")
    at = now_ms()
    if wait.expires_at_ms <= at:
        raise Refused("proof-ended", "this wait was over long ago")
    return max(0, -(-(wait.over_at_ms - at) // 1000)), REPEAT_SECONDS + (wait.expires_at_ms - at) // 1000


@hot(
    "POST",
    "/on-sales/{on_sale:str}/challenges",
    summary="A challenge to be solved before joining, in the format of ALTCHA",
    request=ChallengeRequest,
    answers={201: ChallengeReply},
    sheds=Level.JOINS,
)
async def make_challenge(call: Call) -> Answer:
    """A challenge for whoever keeps the secret behind `secret_hash`; its solution is shown as `proof` when joining."""
    on_sale = call.cell.on_sale(call.parameters["on_sale"])
    call.idempotency_key()
    request = await call.body(CHALLENGE)
    check_secret_hash(request.secret_hash)
    made = Doorbell(call.scope, call.cell, on_sale).challenge(request.secret_hash)
    return Answer(201, encode(ChallengeReply(**msgspec.structs.asdict(made))), NO_STORE)
