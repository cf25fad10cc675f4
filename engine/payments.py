"""Payment providers: the interface that a real one implements, the demo provider, and the counter's till."""

import asyncio
import hmac
from collections.abc import Mapping
from enum import Enum
from typing import Final, Protocol

import msgspec

from engine.errors import Refused
from engine.signing import Signer

SILENT_SECONDS: Final = 60.0


class Outcome(Enum):
    """What a provider says of a payment."""

    PAID = "paid"
    DECLINED = "declined"
    PENDING = "pending"


class PaymentEvent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a provider's event tells, in our words: how the payment with a reference ended."""

    reference: str
    is_paid: bool


class PaymentProvider(Protocol):
    """What Parvis asks of a payment provider. A reference is the provider's own, unique there."""

    name: str
    is_charged_first: bool
    """Whether a payment that is `PAID` has taken money already, to be given back if the hold has ended."""

    async def check(self, reference: str, total: int | None, currency: str) -> Outcome:
        """How a payment of `total` minor units (None: of whatever sum) stands. A visitor's word is not enough."""
        ...

    def read_event(self, signer: Signer, headers: Mapping[str, str], body: bytes) -> PaymentEvent:
        """A signed event. Raises `Refused` (`forged-event`) when the signature is not the provider's."""
        ...


class DemoProvider:
    """For demonstrations and tests: a reference says itself how it ends. `yes-…`, `no-…`, `late-…` by an event,
    or `silent-…`: the provider does not answer when asked.
    """

    name = "demo"
    is_charged_first = True
    SIGNATURE: Final = "parvis-demo-signature"

    async def check(self, reference: str, total: int | None, currency: str) -> Outcome:  # noqa: ARG002 - the interface's
        """The reference's first word decides."""
        match reference.partition("-")[0]:
            case "yes":
                return Outcome.PAID
            case "late":
                return Outcome.PENDING
            case "silent":
                await asyncio.sleep(SILENT_SECONDS)
        return Outcome.DECLINED

    def read_event(self, signer: Signer, headers: Mapping[str, str], body: bytes) -> PaymentEvent:
        """A body `{reference, is_paid}` with its HMAC-SHA-256 under a key that the house derives for the provider."""
        signature = headers.get(self.SIGNATURE, "")
        if not hmac.compare_digest(signature.encode(), signer.event_signature(self.name, body).encode()):
            raise Refused("forged-event", "the event's signature is not the provider's")
        try:
            return msgspec.json.decode(body, type=PaymentEvent)
        except msgspec.MsgspecError as error:
            raise Refused("bad-body", f"the event cannot be read: {error}") from error


class CounterTill:
    """Money that staff take at the counter, by cash or by card, at the moment of confirming."""

    name = "counter"
    is_charged_first = False

    async def check(self, reference: str, total: int | None, currency: str) -> Outcome:  # noqa: ARG002 - the interface's
        """Staff are believed; their key is on the order."""
        return Outcome.PAID if reference.partition("-")[0] in {"cash", "card"} else Outcome.DECLINED

    def read_event(self, signer: Signer, headers: Mapping[str, str], body: bytes) -> PaymentEvent:  # noqa: ARG002
        """A till sends no events."""
        raise Refused("forged-event", "the counter sends no events")


PROVIDERS: Final[dict[str, PaymentProvider]] = {provider.name: provider for provider in (DemoProvider(), CounterTill())}


def provider(name: str) -> PaymentProvider:
    """The provider of a name. Raises `Refused` (`unknown-provider`)."""
    found = PROVIDERS.get(name)
    if found is None:
        raise Refused("unknown-provider", "there is no such payment provider here", providers=sorted(PROVIDERS))
    return found
