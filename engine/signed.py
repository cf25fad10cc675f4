"""A public document as a mirror serves it: whether the house itself said it, checked with its published keys alone."""

from typing import Any, Final

import aiohttp
import jwt
import msgspec

from engine.errors import BadInput, CellUnavailable, ForgedToken
from engine.key_files import base64url
from engine.pass_keys import DOCUMENT

SIGNATURE: Final = "Parvis-Signature"
TIME_OUT: Final = aiohttp.ClientTimeout(total=10)


class Told(msgspec.Struct, frozen=True):
    """What a verified status says of itself: of which on-sale it is, and when it was so (RFC 3339).

    A summary says no time: what it tells of is over.
    """

    house: str
    on_sale: str
    phase: str
    server_time: str = ""


def verify(body: bytes, signature: str, keys: dict[str, Any], kind: str = DOCUMENT) -> None:
    """Raises `ForgedToken` unless `signature` (a JWS without its payload) is of these bytes by a key of the set.

    `kind`: what the signature has to be of, see `engine.pass_keys`.
    """
    try:
        header, payload, made = signature.split(".")
        said = jwt.get_unverified_header(f"{header}..{made}")
        if payload or said.get("typ") != kind:
            raise ForgedToken(f"this is not the signature of a {kind}")
        key = jwt.PyJWKSet.from_dict(keys)[str(said.get("kid"))]
        jwt.PyJWS().decode(f"{header}.{base64url(body).decode()}.{made}", key, algorithms=["ES256"])
    except (jwt.PyJWTError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise ForgedToken("no key of this house signed these bytes") from error


async def read_signed(address: str, keys: str) -> Told:
    """Fetches a status from wherever it is served, and checks it with the keys that are at another address.

    Raises `ForgedToken`; `BadInput` for what is no status; `CellUnavailable` where nobody answers.
    """
    try:
        async with aiohttp.ClientSession(timeout=TIME_OUT) as session:
            async with session.get(address) as answer:
                body, signature = await answer.read(), answer.headers.get(SIGNATURE, "")
                if answer.status != 200:
                    raise BadInput(f"{address} answers with {answer.status}")
            async with session.get(keys) as answer:
                verify(body, signature, msgspec.json.decode(await answer.read(), type=dict[str, Any]))
        return msgspec.json.decode(body, type=Told)
    except msgspec.MsgspecError as error:
        raise BadInput(f"{address} or {keys} is not what it should be: {error}") from error
    except (aiohttp.ClientError, TimeoutError) as error:
        raise CellUnavailable(f"{address} or {keys} cannot be read: {error}") from error
