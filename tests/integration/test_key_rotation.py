"""Another key signs passes while people are inside: whoever verifies with others' own libraries notices nothing."""

import asyncio
import json
from pathlib import Path
from typing import Any

import jwt
import pytest

from engine.instants import now_ms
from engine.network import load
from engine.pass_keys import new_key
from tests.integration.commands import give
from tests.npm import node_with, run_node
from tests.town import Sale, Town

LIBRARY = "jose@6.2.17"
JOSE = """
import { createLocalJWKSet, createRemoteJWKSet, jwtVerify } from 'jose';
const [address, copy, issuer, audience, ...tokens] = process.argv.slice(1);
const sets = { remote: createRemoteJWKSet(new URL(address)), copy: createLocalJWKSet(JSON.parse(copy)) };
const said = {};
for (const [name, keys] of Object.entries(sets)) {
  said[name] = [];
  for (const token of tokens) {
    try {
      const { payload } = await jwtVerify(token, keys, { issuer, audience, algorithms: ['ES256'] });
      said[name].push(payload.sub);
    } catch (error) {
      said[name].push(error.code);
    }
  }
}
console.log(JSON.stringify(said));
"""
SOON_MS = 6_000


def folder_of(town: Town, slug: str) -> Path:
    return load(town.network_file).house(slug).secrets_path


def verify(address: str, audience: str, token: str, client: "jwt.PyJWKClient | None" = None) -> str:
    """As PyJWT's own documentation has it."""
    client = client or jwt.PyJWKClient(address)
    key = client.get_signing_key_from_jwt(token)
    claims: dict[str, Any] = jwt.decode(token, key.key, algorithms=["ES256"], audience=audience, issuer="noord")
    return str(claims["sub"])


def jose(folder: Path, address: str, copy: Any, audience: str, *tokens: str) -> dict[str, list[str]]:
    said: dict[str, list[str]] = json.loads(
        run_node(folder, JOSE, address, json.dumps(copy), "noord", audience, *tokens)
    )
    return said


async def switched(sale: Sale, town: Town) -> "tuple[str, Any, jwt.PyJWKClient, str]":
    """A pass of before; the keys, and a client that has them, from while the next lay there; a pass of after."""
    address = f"{sale.base}/.well-known/jwks.json"
    before = await sale.enter()
    first = (await sale.get(address)).json
    starts_at_ms = now_ms() + SOON_MS
    (folder_of(town, "noord") / f"pass.{starts_at_ms}.pem").write_bytes(new_key())
    for _ in range(100):
        copy = (await sale.get(address)).json
        if len(copy["keys"]) == len(first["keys"]) + 1:
            break
        await asyncio.sleep(0.05)
    client = jwt.PyJWKClient(address)
    await asyncio.to_thread(client.get_signing_keys)
    assert jwt.get_unverified_header(await sale.enter())["kid"] == jwt.get_unverified_header(before)["kid"]
    assert now_ms() < starts_at_ms, "too slow a machine for this: nothing was asked before the switch"
    await asyncio.sleep((starts_at_ms - now_ms() + 100) / 1000)
    after = await sale.enter()
    assert jwt.get_unverified_header(after)["kid"] != jwt.get_unverified_header(before)["kid"]
    return before, copy, client, after


async def test_another_key_signs_and_nobody_notices(town: Town) -> None:
    async with await town.open_sale("noord") as sale:
        audience, address = f"noord/{sale.on_sale}", f"{sale.base}/.well-known/jwks.json"
        before, copy, client, after = await switched(sale, town)
        owners = [jwt.decode(each, options={"verify_signature": False})["sub"] for each in (before, after)]
        # Both are good here, and with PyJWT: fetched now, and kept since before the new key signed.
        assert (await sale.hold(before, "zaal-A-1")).status == 201
        assert (await sale.hold(after, "zaal-A-3")).status == 201
        for each in (None, client):
            said = [await asyncio.to_thread(verify, address, audience, token, each) for token in (before, after)]
            assert said == owners
        answer = await sale.get(address)
        assert answer.headers["Cache-Control"] == "public, max-age=300"
        # The same with jose.
        folder = await asyncio.to_thread(node_with, LIBRARY)
        told = await asyncio.to_thread(jose, folder, address, copy, audience, before, after)
        assert told == {"remote": owners, "copy": owners}


async def test_joses_own_checks_refuse_what_is_not_ours(town: Town) -> None:
    folder = await asyncio.to_thread(node_with, LIBRARY)
    async with await town.open_sale("noord") as sale, await town.open_sale("zuid") as far:
        address = f"{sale.base}/.well-known/jwks.json"
        copy = (await sale.get(address)).json
        token, other = await sale.enter(), await far.enter()
        header, claims, signature = token.split(".")
        bent = f"{header}.{claims}.{'A' * len(signature)}"
        none = jwt.encode(jwt.decode(token, options={"verify_signature": False}), "", algorithm="none")
        told = await asyncio.to_thread(jose, folder, address, copy, f"noord/{sale.on_sale}", token, other, bent, none)
        for said in told.values():
            assert said[1:] == [
                "ERR_JWKS_NO_MATCHING_KEY",
                "ERR_JWS_SIGNATURE_VERIFICATION_FAILED",
                "ERR_JOSE_ALG_NOT_ALLOWED",
            ]
        told = await asyncio.to_thread(jose, folder, address, copy, "noord/another-sale", token)
        assert told == {"remote": ["ERR_JWT_CLAIM_VALIDATION_FAILED"], "copy": ["ERR_JWT_CLAIM_VALIDATION_FAILED"]}


async def test_the_command_lays_the_next_key_and_no_second_while_it_waits(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    async with await town.open_sale("zuid") as sale:
        address = f"{sale.base}/.well-known/jwks.json"
        known = (await sale.get(address)).json["keys"]
        words = ("key", "rotate", "--network", str(town.network_file), "--house", "zuid")
        assert await asyncio.to_thread(give, *words) == 0
        assert "signs from" in capsys.readouterr().out
        assert await asyncio.to_thread(give, *words) == 2
        assert "lies there already" in capsys.readouterr().err
        for _ in range(100):
            shown = (await sale.get(address)).json["keys"]
            if shown != known:
                break
            await asyncio.sleep(0.1)
        assert shown[:-1] == known, "it is published at once, and signs later"
        assert jwt.get_unverified_header(await sale.enter())["kid"] == known[-1]["kid"]
