// The draw as browsers compute it, against the vectors that Python keeps too. Run: node --test tests/browser

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { ALGORITHM, decode, digest, encode, makeDraw } from '../../api/web/draw.js';

const { algorithm, vectors } = JSON.parse(readFileSync(new URL('../vectors/draw.json', import.meta.url)));

test('the vectors are for the algorithm that the pages know', () => {
  assert.equal(ALGORITHM, algorithm);
});

for (const { seed, entrants, commitment, positions } of vectors) {
  test(`the shared vectors hold for ${entrants} entrants`, async () => {
    assert.equal(await digest(decode(seed)), commitment);
    const draw = await makeDraw(decode(seed), entrants);
    assert.deepEqual(positions.map(([index]) => [index, draw(index)]), positions);
  });
}

for (const entrants of [1, 2, 3, 1000, 1024, 1025, 5000]) {
  test(`a draw of ${entrants} is a permutation`, async () => {
    const draw = await makeDraw(crypto.getRandomValues(new Uint8Array(32)), entrants);
    const drawn = Array.from({ length: entrants }, (_, index) => draw(index)).sort((a, b) => a - b);
    assert.deepEqual(drawn, Array.from({ length: entrants }, (_, index) => index));
  });
}

test('whoever came after the start keeps the order of arrival', async () => {
  const draw = await makeDraw(crypto.getRandomValues(new Uint8Array(32)), 100);
  assert.deepEqual([100, 101, 5000].map(draw), [100, 101, 5000]);
});

test('bytes survive base64url', () => {
  const bytes = Uint8Array.from({ length: 32 }, (_, at) => (at * 37 + 251) & 255);
  assert.deepEqual(decode(encode(bytes)), bytes);
  assert.match(encode(bytes), /^[\w-]{43}$/);
});
