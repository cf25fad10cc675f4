"""A million tokens that were bent, cut, carried over or made with another key, at the handlers that visitors meet:
nobody comes in, and Redis is not asked once. A sample over HTTP is in `test_forgeries.py`.
"""

import itertools
import json
import random
import time
import uuid
from base64 import b64decode, urlsafe_b64decode, urlsafe_b64encode
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from api import app as _routes  # noqa: F401 - imported for the routes that it registers
from api.hot import _find
from engine.cell import Cell
from engine.instants import now_ms
from engine.network import Network
from engine.proof import make_challenge
from engine.signing import Contact, Hold, Place, Signer, Wait
from engine.waiting_room import hash_secret
from engine.words import HoldId, HouseSlug, LineName, OnSaleId
from tests.backstage import Backstage
from tests.integration.test_forgeries import forged_passes
from tests.solver import solve

TRIED = 1_000_000
SEED = 20261129
SHARES = {"place": 60, "hold": 15, "proof": 12, "contact": 12, "pass": 1}
"""Per cent of all: a pass's signature takes as long to check as a hundred MACs."""
REFUSED = {
    "place": {"forged-token", "not-your-place"},
    "hold": {"forged-token", "unknown-hold", "not-found"},
    "proof": {"bad-proof", "proof-ended", "proof-required"},
    "contact": {"forged-token", "contact-required", "contact-ended"},
    "pass": {"forged-token", "pass-required"},
}
ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def bent(tokens: list[str], chance: random.Random) -> Iterator[str]:
    """Without an end: a bit flipped, cut at either side, spliced with another, lengthened, or all of it at random."""
    data = [urlsafe_b64decode(token + "=" * (-len(token) % 4)) for token in tokens]
    while True:
        whole = bytearray(chance.choice(data))
        match chance.randrange(8):
            case 0 | 1 | 2 | 3:
                at = chance.randrange(8 * len(whole))
                whole[at // 8] ^= 1 << at % 8
            case 4:
                whole = whole[: chance.randrange(len(whole))]
            case 5:
                whole = whole[chance.randrange(1, len(whole)) :]
            case 6:
                other = chance.choice(data)
                at = chance.randrange(1, len(whole))
                whole = whole[:at] + other[at:] if whole[:at] + other[at:] not in data else whole[:at]
            case 7:
                whole += chance.randbytes(chance.randrange(1, 20))
        yield urlsafe_b64encode(bytes(whole)).rstrip(b"=").decode()


def said_by(proof: str) -> Any:
    """What a proof says; nothing for what says nothing."""
    try:
        found = json.loads(b64decode(proof, validate=True))
    except ValueError:
        return None
    names = ("algorithm", "challenge", "number", "salt", "signature")
    return {name: found.get(name) for name in names} if isinstance(found, dict) else None


def count_calls(cell: Cell, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The functions that the cell asks Redis for from now on."""
    calls: list[Any] = []
    real = cell.client.call

    async def counted(*arguments: Any, **options: Any) -> Any:
        calls.append(arguments[0])
        return await real(*arguments, **options)

    monkeypatch.setattr(cell.client, "call", counted)
    return calls


class Door:
    """The lanes of one house as the server lays them, without a network in between."""

    def __init__(self, stage: Backstage) -> None:
        cell = stage.cell
        state = SimpleNamespace(
            cells={cell.house.slug: cell},
            ledgers={cell.house.slug: stage.ledger},
            network=Network("Test", (cell.house,)),
        )
        self.app, self.house = SimpleNamespace(state=state), cell.house.slug
        self.slugs: Counter[str] = Counter()

    async def ask(self, path: str, body: Any, token: str = "", key: str = "k") -> str:
        """The slug of what refuses it; empty for what was let through."""
        found = _find(f"/v1/houses/{self.house}{path}")
        if found is None:
            return "not-found"
        serve, parameters = found
        headers = [(b"content-type", b"application/json"), (b"idempotency-key", key.encode())]
        headers += [(b"authorization", b"Bearer " + token.encode())] if token else []
        scope: Any = {
            "type": "http",
            "method": "POST",
            "path": path,
            "headers": headers,
            "path_params": parameters,
            "litestar_app": self.app,
            "client": ("127.0.0.1", 1),
            "query_string": b"",
        }
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": msgspec.json.encode(body), "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await serve(scope, receive, send)
        if sent[0]["status"] < 400:
            return ""
        return str(json.loads(sent[1]["body"])["type"]).rpartition("/")[2]


@pytest.mark.timeout(1200)
async def test_of_a_million_forged_tokens_none_lets_anybody_in_or_reaches_redis(
    stage: Backstage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    print(f"seed {SEED}")
    await stage.open()
    on_sale = await stage.put_on(proof_of_work="always")
    other_sale = await stage.put_on(one_place_per="email", contact_url="https://1.1.1.1/")
    await stage.cell.look()
    cell, chance, name = stage.cell, random.Random(SEED), on_sale.on_sale
    secret = uuid.uuid4().hex
    mine = hash_secret(secret)
    far = Signer(HouseSlug("far"), tmp_path / "far")
    same_name = Signer(cell.house.slug, tmp_path / "same")

    def tokens(signer: Signer, sale: OnSaleId = name, ends_at_ms: int = 0) -> dict[str, list[str]]:
        """One of every kind, as a signer makes it."""
        ends_at_ms = ends_at_ms or now_ms() + 10**9
        place = Place(sale, LineName("public"), 3, mine, int(cell.epoch))
        held = Hold(HoldId("h"), sale, signer.pseudonym(place), "3", on_sale.performances, (), 0, "EUR")
        contact, wait = Contact(sale, "p1", mine, ends_at_ms), Wait(sale, mine, 0, ends_at_ms)
        return {
            "place": [signer.sign(place)],
            "hold": [signer.sign(held)],
            "contact": [signer.sign(contact)],
            "wait": [signer.sign(wait)],
        }

    def kinds(signer: Signer) -> dict[str, list[str]]:
        return tokens(signer) | {"contact": tokens(signer, other_sale.on_sale)["contact"]}

    ours, theirs = kinds(cell.signer), [kinds(far), kinds(same_name)]
    swapped = [token for kind in ours for token in ours[kind]]
    elsewhere = tokens(cell.signer, other_sale.on_sale) | {"contact": tokens(cell.signer)["contact"]}
    late = {"contact": tokens(cell.signer, other_sale.on_sale, 1)["contact"], "place": [], "hold": []}

    def forged(kind: str) -> Iterator[str]:
        carried = [token for each in theirs for token in each[kind]] + elsewhere[kind]
        carried += late[kind]
        # A token of another kind is none of this one.
        carried += [token for token in swapped if token not in ours[kind]]
        yield from carried
        yield from bent(ours[kind] + theirs[0][kind], chance)

    def forged_proofs() -> Iterator[str]:
        def solved(signer: Signer, sale: OnSaleId, secret_hash: str, at_ms: int) -> str:
            return solve(msgspec.to_builtins(make_challenge(signer, sale, secret_hash, 20, at_ms)))

        right = solved(cell.signer, name, mine, now_ms())
        yield from (
            solved(far, name, mine, now_ms()),
            solved(same_name, name, mine, now_ms()),
            solved(cell.signer, other_sale.on_sale, mine, now_ms()),
            solved(cell.signer, name, hash_secret("another"), now_ms()),
            solved(cell.signer, name, mine, now_ms() - 10**6),
        )
        for each in bent([right], chance):
            shown = each.replace("-", "+").replace("_", "/") + "=" * (-len(each) % 4)
            # JSON that says the same, with another blank in it, is the same proof of the same place.
            if said_by(shown) != said_by(right):
                yield shown

    place = Place(name, LineName("public"), 3, mine, int(cell.epoch))
    passes = [cell.signer.sign_pass(place, now_ms() + 10**6, 0), same_name.sign_pass(place, now_ms() + 10**6, 0)]
    public = urlsafe_b64decode(cell.signer.jwks()["keys"][0]["x"] + "=")
    sources = {
        "place": forged("place"),
        "hold": forged("hold"),
        "contact": forged("contact"),
        "proof": forged_proofs(),
        "pass": itertools.chain([passes[1]], forged_passes(passes[0], public), bent_passes(passes[0], chance)),
    }
    calls = count_calls(cell, monkeypatch)
    door, began = Door(stage), time.monotonic()
    sale_path = f"/on-sales/{name}"
    item = {"performance": on_sale.performances[0], "seats": ["zaal-A-1"]}
    for kind, share in SHARES.items():
        for token in itertools.islice(sources[kind], TRIED * share // 100):
            match kind:
                case "place":
                    slug = await door.ask(f"{sale_path}/passes", {"place": token, "secret": secret})
                case "hold":
                    slug = await door.ask(f"/holds/{token}/extend", {}, passes[0])
                case "contact":
                    body = {"secret_hash": mine, "contact": token}
                    slug = await door.ask(f"/on-sales/{other_sale.on_sale}/places", body)
                case "proof":
                    slug = await door.ask(f"{sale_path}/places", {"secret_hash": mine, "proof": token})
                case _:
                    slug = await door.ask("/holds", {"items": [item]}, token)
            door.slugs[f"{kind} {slug}"] += 1
            assert slug in REFUSED[kind], (kind, slug, token)
    assert sum(door.slugs.values()) == TRIED
    assert not calls, Counter(calls)
    print(f"{TRIED} forged tokens in {time.monotonic() - began:.0f} s: {dict(door.slugs)}")
    # The real one is asked for in Redis, so that the count means something.
    await door.ask(f"{sale_path}/passes", {"place": ours["place"][0], "secret": secret})
    assert calls


def bent_passes(token: str, chance: random.Random) -> Iterator[str]:
    """Without an end: a letter changed, a part cut."""
    while True:
        at = chance.randrange(len(token))
        letter = chr(chance.choice(ALPHABET))
        if letter != token[at]:
            yield token[:at] + letter + token[at + 1 :]
        yield token[:at]
