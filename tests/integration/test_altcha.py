"""ALTCHA's own library, as npm has it and unchanged, solves our challenges, and we take what it solved."""

import asyncio
import json
import uuid

from engine.waiting_room import hash_secret
from tests.npm import node_with, run_node
from tests.town import Town

LIBRARY = "altcha-lib@2.8.0"
JOINS = """
import { extractParams, solveChallenge } from 'altcha-lib/v1';
const [path, secretHash] = process.argv.slice(-2);
const post = async (name, body) => {
  const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': crypto.randomUUID() };
  const response = await fetch(`${path}/${name}`, { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: response.status, body: await response.json() };
};
const { body: challenge } = await post('challenges', { secret_hash: secretHash });
const { challenge: wanted, salt, algorithm, maxnumber, signature } = challenge;
const { number } = await solveChallenge(wanted, salt, algorithm, maxnumber).promise;
const proof = btoa(JSON.stringify({ algorithm, challenge: wanted, number, salt, signature }));
const joined = await post('places', { secret_hash: secretHash, proof });
console.log(JSON.stringify({ joined, params: extractParams(challenge) }));
"""


async def test_what_altchas_own_library_solves_is_taken(town: Town) -> None:
    folder = await asyncio.to_thread(node_with, LIBRARY)
    async with await town.open_sale("noord", proof_of_work="always") as sale:
        secret_hash = hash_secret(uuid.uuid4().hex)
        path = f"{sale.base}/on-sales/{sale.on_sale}"
        said = json.loads(await asyncio.to_thread(run_node, folder, JOINS, path, secret_hash))
        assert said["joined"]["status"] == 201, said
        assert said["joined"]["body"]["index"] == 0
        assert said["params"]["for"] == secret_hash
        assert said["params"]["on_sale"] == sale.on_sale
