"""The status document is the house's own word, whoever serves it: checked with others' libraries."""

import asyncio
import base64
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest

from api.boards import Boards
from engine.draw import decode
from engine.errors import ForgedToken
from engine.key_files import base64url
from engine.ports import free_port
from engine.signed import verify
from engine.signing import Place, Signer
from tests.backstage import Backstage
from tests.edge import NGINX, WHY_NOT, running_edge
from tests.integration.commands import Parvis
from tests.npm import node_with, run_node
from tests.sale import Answer
from tests.town import Sale, Town

WEB_CRYPTO = """
const [body, signature, keys] = JSON.parse(require('fs').readFileSync(0));
const [header, , made] = signature.split('.');
const { kid } = JSON.parse(Buffer.from(header, 'base64url'));
const ours = keys.keys.find((key) => key.kid === kid);
crypto.subtle.importKey('jwk', ours, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['verify'])
  .then((key) => crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, Buffer.from(made, 'base64url'),
    Buffer.from(`${header}.${Buffer.from(body, 'base64').toString('base64url')}`)))
  .then((isRight) => process.exit(isRight ? 0 : 3));
"""
"""What a mirror's reader does in a browser."""
RUNBOOK = Path(__file__).parents[2] / "deploy" / "runbooks" / "mirror.md"
UNSIGNED = b'{"alg":"none","typ":"parvis-document"}'


@pytest.fixture(scope="module")
def edge(town: Town) -> Iterator[str]:
    """A mirror: the shipped edge, as far as its readers know any server."""
    if NGINX is None:
        pytest.skip(WHY_NOT)
    port = free_port()
    with running_edge(town.port, port):
        yield f"http://127.0.0.1:{port}"


def check(answer: Answer, keys_at: str, body: bytes) -> None:
    """PyJWT, with the keys as the house publishes them. Raises for a signature of anything else."""
    header, payload, signature = answer.headers["Parvis-Signature"].split(".")
    assert payload == "", "what is signed travels once"
    whole = f"{header}.{base64url(body).decode()}.{signature}"
    jwt.PyJWS().decode(whole, jwt.PyJWKClient(keys_at).get_signing_key_from_jwt(whole), algorithms=["ES256"])


async def both(sale: Sale, address: str) -> tuple[Answer, Answer]:
    """The document, and the 304 of somebody who has it."""
    for _ in range(40):
        whole = await sale.get(address)
        again = await sale.get(address, headers={"If-None-Match": whole.headers["ETag"]})
        if again.status == 304:
            return whole, again
    raise AssertionError("the document changes whenever it is asked for")


@pytest.mark.parametrize("through", ["the house", "the edge"])
async def test_unchanged_libraries_find_it_right(
    town: Town, shared: Sale, through: str, request: pytest.FixtureRequest
) -> None:
    async with shared as sale:
        at = sale.base if through == "the house" else request.getfixturevalue("edge") + f"/v1/houses/{sale.slug}"
        whole, again = await both(sale, f"{at}/on-sales/{sale.on_sale}/status")
        keys_at = f"{sale.base}/.well-known/jwks.json"
        assert (whole.json["house"], whole.json["on_sale"]) == (sale.slug, sale.on_sale)
        assert "Parvis-Signature" in whole.headers["Access-Control-Expose-Headers"]
        assert again.body == b""
        for answer in (whole, again):  # whoever is told that nothing changed may check what they have
            await asyncio.to_thread(check, answer, keys_at, whole.body)
        changed = whole.body.replace(b'"phase":"open"', b'"phase":"shut"')
        assert changed != whole.body
        with pytest.raises(jwt.InvalidSignatureError):
            await asyncio.to_thread(check, whole, keys_at, changed)


async def test_a_browser_finds_it_right(shared: Sale) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node here")
    async with shared as sale:
        answer = await sale.get(f"/on-sales/{sale.on_sale}/status")
        keys = (await sale.get("/.well-known/jwks.json")).json
    for body, code in ((answer.body, 0), (answer.body + b" ", 3)):
        given = json.dumps([base64url(body).decode(), answer.headers["Parvis-Signature"], keys])
        done = await asyncio.to_thread(
            subprocess.run, [node, "-e", WEB_CRYPTO], input=given.encode(), capture_output=True, timeout=60, check=False
        )
        assert done.returncode == code, done.stderr.decode()


def block_of(language: str) -> str:
    """The runbook's lines in a language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", RUNBOOK.read_text(), re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.mark.parametrize("language", ["sh", "python", "js"])
async def test_the_runbook_of_a_mirror_is_carried_out_word_by_word(
    town: Town, shared: Sale, edge: str, language: str, tmp_path: Path
) -> None:
    async with shared as sale:
        path = f"/v1/houses/{sale.slug}/on-sales/{sale.on_sale}/status"
        answer = await sale.get(edge + path)
        keys = f"{sale.base}/.well-known/jwks.json"
        match language:
            case "sh":
                (tmp_path / "parvis").write_text(f'#!/bin/sh\nexec {sys.executable} -m engine.cli "$@"\n')
                (tmp_path / "parvis").chmod(0o755)
                facts = {"MIRROR": edge, "OWN": town.url, "HOUSE": sale.slug, "ON_SALE": sale.on_sale}
                environment = os.environ | facts | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
                environment["PYTHONPATH"] = os.pathsep.join(sys.path)
                said = await asyncio.to_thread(
                    subprocess.run, ["bash", "-euc", block_of("sh")], env=environment, capture_output=True, check=False
                )
                assert said.returncode == 0, said.stderr.decode()
                assert f"{sale.slug}/{sale.on_sale} is open" in " ".join(said.stdout.decode().split())
            case "python":
                given: dict[str, Any] = {"answer": answer, "keys": keys, "base64": base64, "json": json, "jwt": jwt}
                await asyncio.to_thread(exec, block_of("python"), given)
                assert given["status"] == answer.json
            case "js":
                folder = await asyncio.to_thread(node_with, "jose@6")
                script = f"""import * as jose from 'jose';
                const [address, keys] = process.argv.slice(1);
                const answer = await fetch(address);
                {block_of("js")}
                console.log(status.on_sale);"""
                told = await asyncio.to_thread(run_node, folder, script, edge + path, keys)
                assert told.strip() == sale.on_sale


async def test_no_other_signature_passes_for_it(stage: Backstage) -> None:
    await stage.open()
    on_sale = await stage.put_on()
    found = await Boards(stage.cell).status(on_sale.on_sale)
    signature, keys = found.signature.decode(), stage.cell.signer.jwks()
    verify(found.body, signature, keys)
    header, _, made = signature.split(".")
    (token, _), *_ = await stage.join(on_sale)
    signer = stage.cell.signer
    of_pass, claims, by_pass = signer.sign_pass(signer.read(Place, token), 4_000_000_000_000).split(".")
    wrong: list[tuple[bytes, str, Any]] = [
        (found.body + b" ", signature, keys),
        (found.body, "", keys),
        (decode(claims), f"{of_pass}..{by_pass}", keys),
        (found.body, f"{header}.{base64url(found.body).decode()}.{made}", keys),
        (found.body, f"{header}..{made[:-2]}AA", keys),
        (found.body, f"{base64url(UNSIGNED).decode()}..", keys),
        (found.body, signature, {"keys": []}),
        (found.body, signature, Signer(stage.slug, stage.house.secrets_path / "another").jwks()),
    ]
    for body, said, by in wrong:
        with pytest.raises(ForgedToken):
            verify(body, said, by)


async def test_however_many_ask_it_is_signed_once(stage: Backstage, monkeypatch: pytest.MonkeyPatch) -> None:
    await stage.open()
    on_sale = await stage.put_on()
    signed: list[bytes] = []
    sign = stage.cell.signer.sign_document

    def counted(body: bytes) -> str:
        signed.append(body)
        return sign(body)

    monkeypatch.setattr(stage.cell.signer, "sign_document", counted)
    boards = Boards(stage.cell)
    found = await asyncio.gather(*(boards.status(on_sale.on_sale) for _ in range(200)))
    assert {each.body for each in found} == set(signed)
    assert len(signed) == len(set(signed)) <= 2, "one document a second"


async def test_a_person_checks_it_in_a_shell(town: Town, shared: Sale, parvis: Parvis) -> None:
    async with shared as sale:
        address = f"{sale.base}/on-sales/{sale.on_sale}/status"
        right = await asyncio.to_thread(parvis, "status", "verify", address)
        assert right.code == 0, right
        assert f"{sale.slug}/{sale.on_sale} is open, said by the house itself" in right.words
        other = f"{town.url}/v1/houses/{town.slugs[1]}/.well-known/jwks.json"
        wrong = await asyncio.to_thread(parvis, "status", "verify", address, "--keys", other)
        assert wrong.code == 1
        assert "no key of this house signed these bytes" in wrong.words
        unsigned = await asyncio.to_thread(parvis, "status", "verify", f"{sale.base}/on-sales/{sale.on_sale}")
        assert unsigned.code == 1
        assert "no key of this house signed these bytes" in unsigned.words
