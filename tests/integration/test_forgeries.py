"""Places, passes, holds, order secrets and keys that were made, cut, bent or carried over: none of them works."""

import base64
import hashlib
import hmac
import json
import random
from collections.abc import Iterator
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import ECAlgorithm

from tests.integration.books import Books, changes
from tests.town import Sale, Town

SEED = 20261124
SAFE_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def bent(token: str, chance: random.Random) -> Iterator[str]:
    """The token with a character changed here and there, cut, lengthened, and spelled otherwise."""
    for _ in range(25):
        place = chance.randrange(len(token))
        other = chance.choice([letter for letter in SAFE_ALPHABET if letter != token[place]])
        yield token[:place] + other + token[place + 1 :]
    for length in sorted(chance.sample(range(1, len(token)), 8)):
        yield token[:length]
        yield token[length:]
    yield from (token + "A", token + "=", token + "==", "A" + token, token * 2, token[::-1], token.swapcase())
    yield token.replace("-", "+").replace("_", "/") + "."


def encoded(part: Any) -> str:
    data = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def forged_passes(token: str, public: bytes) -> Iterator[str]:
    """JWTs of other makers: no algorithm, the public key as a secret, another key, other claims, other headers."""
    header, claims, signature = token.split(".")
    known: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    told: dict[str, Any] = jwt.get_unverified_header(token)
    for algorithm in ("none", "None", "NONE", ""):
        yield f"{encoded(told | {'alg': algorithm})}.{claims}."
        yield f"{encoded(told | {'alg': algorithm})}.{claims}.{signature}"
    for algorithm, digest in (("HS256", hashlib.sha256), ("HS512", hashlib.sha512)):
        signed = f"{encoded(told | {'alg': algorithm})}.{claims}"
        for secret in (public, base64.urlsafe_b64encode(public), b""):
            yield f"{signed}.{encoded(hmac.digest(secret, signed.encode(), digest))}"
    other = ec.generate_private_key(ec.SECP256R1())
    yield jwt.encode(known, other, algorithm="ES256", headers={"kid": told["kid"]})
    own = ECAlgorithm.to_jwk(other.public_key(), as_dict=True)
    yield jwt.encode(known, other, algorithm="ES256", headers={"kid": "mine", "jwk": own})
    yield jwt.encode(known, other, algorithm="ES256", headers={"kid": "../../dev/null"})
    yield jwt.encode(known, Ed25519PrivateKey.generate(), algorithm="EdDSA", headers={"kid": told["kid"]})
    for claim, value in (("index", known["index"] + 1), ("sub", "0" * 32), ("aud", "zuid/x"), ("exp", 9_999_999_999)):
        yield f"{header}.{encoded(known | {claim: value})}.{signature}"
    yield f"{header}.{claims}"
    yield f"{header}..{signature}"
    yield f"{header}.{claims}.{signature}."


async def test_no_bent_token_is_taken_for_one_of_ours(town: Town) -> None:
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    async with await town.open_sale("noord", hold_seconds=600) as sale:
        place, secret = await sale.join()
        token = await sale.pass_for(place, secret)
        held = (await sale.hold(token, "zaal-A-1")).json["hold"]
        buyer = await sale.enter()
        order = (await sale.order(buyer, (await sale.hold(buyer, "zaal-A-3")).json["hold"])).json
        key = (await sale.get(f"{sale.base}/.well-known/jwks.json")).json["keys"][0]
        public = base64.urlsafe_b64decode(key["x"] + "=")
        with Books(town, "noord") as books:
            before, tried = books.settled(), 0
            for forged in bent(place, chance):
                answer = await sale.claim(forged, secret)
                assert (answer.status, answer.slug) == (401, "forged-token"), forged
                tried += 1
            for forged in (*bent(token, chance), *forged_passes(token, public)):
                for answer in (await sale.hold(forged, "zaal-B-1"), await sale.order(forged, held)):
                    assert (answer.status, answer.slug) == (401, "forged-token"), forged
                tried += 1
            for forged in bent(held, chance):
                answer = await sale.order(token, forged)
                assert (answer.status, answer.slug) == (404, "unknown-hold"), forged
                answer = await sale.ask("DELETE", f"/holds/{forged}", token=token)
                # With a slash in it, it is another address.
                assert (answer.status, answer.slug) == (404, "not-found" if "/" in forged else "unknown-hold"), forged
                tried += 1
            for forged in bent(order["order_secret"], chance):
                answer = await sale.get(f"/orders/{order['order']}", token=forged)
                assert (answer.status, answer.slug) == (404, "unknown-order"), forged
                tried += 1
            for forged in bent(sale.manage_key, chance):
                answer = await sale.get("/manage/keys", token=forged)
                assert (answer.status, answer.slug) == (401, "key-required"), forged
                tried += 1
            assert tried > 200
            assert not changes(before, books.read())
        # And the real ones still do.
        assert (await sale.hold(token, "zaal-B-1")).status == 201
        assert (await sale.order(token, held)).status == 202


async def test_a_token_is_good_where_it_was_given_alone(town: Town) -> None:
    async with (
        await town.open_sale("noord") as sale,
        await town.open_sale("noord") as other,
        await town.open_sale("zuid") as far,
    ):
        place, secret = await sale.join()
        token = await sale.pass_for(place, secret)
        assert (await far.claim(place, secret)).slug == "forged-token"
        assert (await far.hold(token, "zaal-A-1")).slug == "forged-token"
        assert (await other.claim(place, secret)).slug == "not-your-place"
        assert (await other.hold(token, "zaal-A-1")).slug == "unknown-performance"


async def test_a_pass_opens_no_door_besides_its_shoppers(town: Town, shared: Sale) -> None:
    async with shared as sale:
        token = await sale.enter()
        for path in ("/manage/orders", "/manage/keys", "/manage/on-sales", "/manage/orders.csv"):
            assert (await sale.get(path, token=token)).slug == "key-required"
        for kind in ("bearer", "BEARER", "Bearer  "):
            answer = await sale.post("/holds", {"items": []}, headers={"Authorization": f"{kind} {token}"})
            assert answer.slug == "bad-input", "the scheme's name has no case"
        for header in (f"Basic {token}", f"Token {token}", token, "Bearer"):
            answer = await sale.post("/holds", {"items": []}, headers={"Authorization": header})
            assert answer.slug == "pass-required"
