// What chance of seats is told, and which reasons: the same table as `tests/unit/test_outlooks.py`.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { chanceOf } from '../../api/web/chance.js';
import { outlookOf } from '../../api/web/outlook.js';

const { seen, chances, outlooks } = JSON.parse(readFileSync(new URL('../vectors/outlooks.json', import.meta.url)));
const WORDS = JSON.parse(readFileSync(new URL('../../api/web/words/en.json', import.meta.url))).waiting;
const words = { say: (name, facts = {}) => [name, ...Object.values(facts)].join(' '), has: (name) => name in WORDS };

test('the chance', () => {
  for (const { ahead, lines, seats_left: left, seen: known, chance } of chances) {
    assert.equal(chanceOf(ahead, lines, left, known), chance, JSON.stringify({ ahead, lines, left, known }));
  }
});

for (const { situation, ahead, said, ...given } of outlooks) {
  test(`${situation}: ${JSON.stringify(given)}`, () => {
    const { phase, joined, now_serving: served, seats_open: open, seats_held: held, why } = given;
    const lines = { public: { joined, now_serving: served, per_minute: 60 } };
    const status = { phase, lines, seats_open: { all: open }, seats_held: held, chance: seen, why: why ?? undefined };
    assert.deepEqual(outlookOf({ status, ahead }, situation, words), said);
  });
}
