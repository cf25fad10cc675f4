"""One place per e-mail address or phone number, where a house wants that: a code shows that it is somebody's own.

The house itself sends the code, asked as it is asked about numbers (`engine/numbers.py`): we keep no address and need
no mail server. What is known of an address is a MAC under the house's key, which leads to nobody: `person_of`.
"""

import asyncio
import contextlib
import hmac
import re
from typing import Final

import aiohttp
import msgspec
import structlog
from yarl import URL

from engine.destinations import Gate
from engine.draw import decode
from engine.errors import BadInput, Refused
from engine.instants import now_ms, to_rfc3339
from engine.network import House
from engine.of_line import PERSON
from engine.signing import Contact, Signer
from engine.webhooks import secret_of, sign
from engine.words import OnSaleId

KINDS: Final = ("", "email", "phone")
"""Of what each has one place: nothing, an e-mail address, a phone number."""
EMAIL: Final = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[a-z0-9.-]{1,180}\.[a-z0-9-]{2,60}")
"""Without comments and quotes, which mail servers leave aside: they would make several persons of one."""
PHONE: Final = re.compile(r"\+[1-9][0-9]{7,14}")
CODE_DIGITS: Final = 8
"""So many that nobody finds one by trying, as often as they may."""
CODE_SECONDS: Final = 600
"""How long a code counts, at least; at most twice as long."""
CONTACT_SECONDS: Final = 1_800
"""How long it is known that somebody showed a code: they may be asked for a proof of work in between."""
QUESTIONS: Final = "contacts"
ANSWER_SECONDS: Final = 3.0
TRIES: Final = 3
PAUSE_SECONDS: Final = 1.0
AT_ONCE: Final = 200
"""Codes on their way, of a house in one process."""
log = structlog.get_logger()


def read_address(kind: str, text: str) -> str:
    """An e-mail address, or a phone number with its country: in one spelling. Raises `BadInput`."""
    if kind == "phone":
        number = re.sub(r"\(0\)|[\s()./-]", "", text)
        number = "+" + number[2:] if number.startswith("00") else number
        if not PHONE.fullmatch(number):
            raise BadInput("contact: a phone number with its country, such as +32 470 12 34 56")
        return number
    name, _, domain = text.strip().lower().rpartition("@")
    with contextlib.suppress(UnicodeError):  # what no name of a domain can be is refused below
        domain = domain.encode("idna").decode()
    address = f"{name}@{domain}"
    if not EMAIL.fullmatch(address):
        raise BadInput("contact: an e-mail address, such as name@example.org")
    return address


def person_of(signer: Signer, on_sale: OnSaleId, address: str) -> str:
    """Who an address is in one on-sale. What mail servers leave aside (`name+anything@`) makes nobody else of them."""
    name, at, domain = address.partition("@")
    owner = name.partition("+")[0] + at + domain if at else address
    return PERSON + signer.derive("person", f"{on_sale}|{owner}")[:22]


def code_of(signer: Signer, on_sale: OnSaleId, address: str, secret_hash: str, at_ms: int) -> str:
    """The code for whoever keeps the secret, as it is sent at an instant. Nothing is stored: it is made again."""
    window = at_ms // (CODE_SECONDS * 1000)
    made = signer.derive("contact-code", f"{on_sale}|{address}|{secret_hash}|{window}")
    return f"{int.from_bytes(decode(made)) % 10**CODE_DIGITS:0{CODE_DIGITS}}"


def check_code(signer: Signer, on_sale: OnSaleId, address: str, secret_hash: str, code: str) -> tuple[str, int]:
    """What to join with, and until when (ms). Raises `Refused` (`bad-contact-code`)."""
    at_ms, typed = now_ms(), "".join(code.split()).encode()
    right = [code_of(signer, on_sale, address, secret_hash, at_ms - ago * CODE_SECONDS * 1000) for ago in (0, 1)]
    # Both are compared, however the first one comes out.
    if not sum(hmac.compare_digest(typed, each.encode()) for each in right):
        raise Refused("bad-contact-code", "this is not the code that was sent, or it is too old")
    expires_at_ms = at_ms + CONTACT_SECONDS * 1000
    person = person_of(signer, on_sale, address)
    return signer.sign(Contact(on_sale, person, secret_hash, expires_at_ms)), expires_at_ms


def read_contact(signer: Signer, on_sale: OnSaleId, secret_hash: str, shown: str) -> str:
    """Who it is that joins. Raises `ForgedToken`, `Refused` (`contact-required`, `contact-ended`)."""
    if not shown:
        raise Refused("contact-required", "show first that an e-mail address or a phone number is yours")
    found = signer.read(Contact, shown)
    if (found.on_sale, found.secret_hash) != (on_sale, secret_hash):
        raise Refused("contact-required", "this was shown for another place")
    if found.expires_at_ms <= now_ms():
        raise Refused("contact-ended", "that was shown too long ago; ask for another code")
    return found.person


def contact_secret(signer: Signer) -> str:
    """What the requests to send a code are signed with, as Standard Webhooks writes it."""
    return secret_of(signer, QUESTIONS, 1)


class Code(msgspec.Struct, frozen=True):
    """What the house is asked to send, and to whom: the body of the request. `contact` is in no log of ours."""

    house: str
    on_sale: str
    kind: str
    contact: str
    code: str
    language: str
    expires_at: str


class CodeSender:
    """Asks one house to send codes. Nobody waits for it: how long that takes tells nothing of whom it knows."""

    def __init__(self, house: House, signer: Signer) -> None:
        self._house = house
        self._signer = signer
        self._session: aiohttp.ClientSession | None = None
        self._under_way: set[asyncio.Task[None]] = set()

    def send(self, url: str, code: Code) -> None:
        """Has it sent, soon. Raises `Refused` (`house-busy`) while too many are on their way."""
        if len(self._under_way) >= AT_ONCE:
            raise Refused("house-busy", "too many codes are on their way", retry_after_s=5)
        task = asyncio.create_task(self._send(url, code))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _send(self, url: str, code: Code) -> None:
        for attempt in range(1, TRIES + 1):
            try:
                await self._ask(url, code)
            except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
                log.warning("a code was not taken", house=self._house.slug, why=type(error).__name__, attempt=attempt)
                await asyncio.sleep(attempt * PAUSE_SECONDS)
            else:
                return

    async def _ask(self, url: str, code: Code) -> None:
        if self._session is None:
            self._session = Gate(self._house.webhooks_to).session(ANSWER_SECONDS)
        body = msgspec.json.encode(code).decode()
        # The same code, asked for again, has the same id: a house may send it once.
        event = f"contact-{self._signer.derive('contact-event', body)[:22]}"
        headers = sign([contact_secret(self._signer)], event, body, now_ms())
        async with asyncio.timeout(ANSWER_SECONDS):
            post = self._session.post(URL(url), data=body.encode(), headers=headers, allow_redirects=False)
            async with post as response:
                if not 200 <= response.status < 300:
                    raise ValueError(f"it answered {response.status}")

    async def close(self) -> None:
        """Ends its connections."""
        for task in tuple(self._under_way):
            task.cancel()
        session, self._session = self._session, None
        if session is not None:
            await session.close()


def ask_for(signer: Signer, house: House, on_sale: OnSaleId, kind: str, address: str, secret_hash: str) -> Code:
    """The code for an address, as the house is asked to send it; its language is yet to be said."""
    at_ms = now_ms()
    window_ms = CODE_SECONDS * 1000
    ends_at_ms = (at_ms // window_ms + 2) * window_ms
    code = code_of(signer, on_sale, address, secret_hash, at_ms)
    return Code(house.slug, on_sale, kind, address, code, house.languages[0], to_rfc3339(ends_at_ms))
