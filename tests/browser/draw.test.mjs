// The draw as browsers compute it, against the vectors that Python keeps too. Run: node --test tests/browser

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { ALGORITHM, decode, digest, encode, makeDraw } from '../../api/web/draw.js';
import { fault, isListed, leaf, rootBy } from '../../api/web/drawcheck.js';
import { leadsToAnchor, rank } from '../../api/web/windows.js';

const { algorithm, vectors, draws } = JSON.parse(readFileSync(new URL('../vectors/draw.json', import.meta.url)));

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

const positionOf = async (draw, index) => (draw.windows ? rank(draw, index) : (await makeDraw(decode(draw.seed), draw.entrants))(index));

for (const { transcript, entrants, later = [] } of draws) {
  const of = `${transcript.house}/${transcript.on_sale}/${transcript.line}`;
  const change = (facts) => fault(of, { ...transcript, ...facts });

  test(`a whole draw of ${transcript.entrants} is checked as Python checks it`, async () => {
    assert.equal(await fault(of, transcript), null);
    for (const [index, position] of later) assert.equal((await positionOf(transcript, index)) ?? null, position);
    for (const { index, secret_hash: secretHash, leaf: hashed, path, position } of entrants) {
      const found = await leaf(index, decode(secretHash));
      assert.equal(encode(found), hashed);
      assert.equal(encode(await rootBy(found, index, transcript.entrants, path.map(decode))), transcript.root);
      assert.equal(await positionOf(transcript, index), position);
      assert.notEqual(await isListed(transcript, index, 'somebody else', path), true);
      for (const wrong of [[...path, transcript.root], path.slice(1)].filter((each) => each.length !== path.length)) {
        const root = await rootBy(found, index, transcript.entrants, wrong.map(decode));
        assert.notEqual(root && encode(root), transcript.root);
      }
    }
  });

  test(`what is wrong with a draw of ${transcript.entrants} is found`, async () => {
    const other = encode(new Uint8Array(32));
    assert.equal(await fault(of, transcript, other), 'seed_wrong');
    assert.equal(await change({ secret: other }), 'seed_wrong');
    for (const facts of [{ seed: other }, { root: other }, { entrants: transcript.entrants + 1 }]) {
      assert.equal(await change(facts), 'mix_wrong');
    }
    assert.equal(await fault(`${of}x`, transcript), 'mix_wrong');
    for (const [place] of (transcript.windows ?? []).entries()) {
      assert.equal(await change({ windows: transcript.windows.with(place, transcript.windows[place] + 1) }), 'mix_wrong');
    }
    if (transcript.windows) {
      assert.equal(await change({ rule: { ...transcript.rule, window_seconds: 61 } }), 'mix_wrong');
      assert.equal(await change({ rule: { ...transcript.rule, anchor: other } }), 'mix_wrong');
      assert.ok(await leadsToAnchor(transcript));
      for (const facts of [{ seed: other }, { first: 2 }]) assert.ok(!(await leadsToAnchor({ ...transcript, later: { ...transcript.later, ...facts } })));
    }
    const kept = [{ house: 'klinker', commitment: other }];
    assert.equal(await fault(of, transcript, transcript.commitment, kept), 'mix_wrong');
    for (const [place] of transcript.contributors.entries()) {
      const contributors = transcript.contributors.map((each, at) => (at === place ? { ...each, secret: other } : each));
      assert.equal(await change({ contributors }), 'mix_wrong');
    }
  });
}

test('a draw of an earlier release is checked by its own rules', async () => {
  const [, { seed, entrants, commitment }] = vectors;
  assert.equal(await fault('a/b/public', { algorithm, seed, entrants, commitment }), null);
  assert.equal(await fault('a/b/public', { algorithm, seed: encode(new Uint8Array(32)), entrants, commitment }), 'seed_wrong');
});

test('of windows after the start a status tells those that are still being served', async () => {
  const { transcript, later } = draws.find((each) => each.later);
  const { first, borders, seed } = transcript.later;
  const fewer = { ...transcript, later: { first: first + 1, borders: borders.slice(1), seed } };
  assert.ok(await leadsToAnchor(fewer));
  for (const [index, position] of later) assert.equal((await rank(fewer, index)) ?? null, index < borders[1] ? index : position);
  const most = { ...transcript, later: { first: 5000, borders: [999, 1000], seed } };
  assert.equal(await rank(most, 1000), 1000);
  assert.equal(await rank({ ...most, later: { ...most.later, first: 4999 } }, 1000), undefined);
});
