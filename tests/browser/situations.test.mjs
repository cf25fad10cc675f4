// Where a visitor stands and what is said of it: the same table as `tests/unit/test_situations.py`.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { pace, pollAfterMs, seenFrom, waitBand } from '../../api/web/pace.js';
import { describe, situation } from '../../api/web/situation.js';

const { on_sale: onSale, poll, polls, bands, cases } = JSON.parse(readFileSync(new URL('../vectors/situations.json', import.meta.url)));
const words = {
  say: (name, facts = {}) => [name, ...Object.values(facts)].join(' ').trim(), number: String, moment: String, hour: String,
  span: (seconds) => `${seconds}s`,
};

for (const { situation, ahead, number, facts, next, ...given } of cases) {
  test(`${situation}: ${JSON.stringify(given)}`, () => {
    const { phase, index, joined, now_serving: served, per_minute: perMinute } = given;
    const line = { joined, now_serving: served, per_minute: perMinute };
    const position = given.is_drawn ? index : null;
    const before = position === null ? null : Math.max(0, position - served);
    const said = describe({
      status: { phase, opens_at: onSale.opens_at, lines: { public: line }, seats_open: { all: given.seats_open }, poll },
      phase, index, position, ahead: before, place: index === null ? null : 'a place', isServed: position !== null && position < served,
      isConnected: true, lasts: 'device', isMissing: false, isTurnOver: given.is_turn_over, isFull: given.is_full, hasPass: given.has_pass,
      wait: before === null ? null : waitBand(before, line), perMinute: pace(line), ageMs: 0, staleMs: 30_000,
    }, words, onSale);
    assert.deepEqual({ situation: said.name, ahead: before, number: said.number, facts: said.facts, next: said.next }, { situation, ahead, number, facts, next });
  });
}

test('how long it lasts', () => {
  for (const [ahead, perMinute, measured, band] of bands) {
    assert.deepEqual(waitBand(ahead, { per_minute: perMinute, measured }), band, JSON.stringify([ahead, perMinute, measured]));
  }
});

test('how often to ask', () => {
  for (const [ahead, afterMs] of polls) assert.equal(pollAfterMs(poll, ahead), afterMs);
});

const LINES = [
  ['prequeue', 'open', 2, 'waiting'], ['prequeue', 'open', 6, 'turn'], ['open', 'prequeue', 0, 'gathered'], ['paused', 'open', 2, 'paused'],
  ['sold_out', 'over', 2, 'sold_out'], ['open', 'over', 6, 'turn'], ['open', 'over', 2, 'line_over'],
];
for (const [phase, own, served, name] of LINES) {
  test(`whoever stands in another line is told of that: ${phase}, ${own}, ${served}`, () => {
    const members = { now_serving: served, joined: 9, per_minute: 5, phase: own, opens_at: 'then', draw: { seed: 'A' } };
    const status = { phase, opens_at: 'now', draw: {}, lines: { public: { now_serving: 700, joined: 900, per_minute: 60 }, members } };
    assert.deepEqual([seenFrom(status, 'public'), seenFrom(status, undefined)], [status, status]);
    const seen = seenFrom(status, 'members');
    assert.deepEqual(seenFrom(seen, 'members'), seen);
    assert.deepEqual([seen.lines.public.joined, seen.lines.members.joined, seen.draw.seed, seen.opens_at], [9, 900, 'A', 'then']);
    const isServed = 5 < served;
    assert.equal(situation({ phase: seen.phase, place: 'p', position: 5, isServed, isConnected: true }), name);
  });
}

for (const [phase, place, next] of [
  ['scheduled', null, ['next.scheduled_windows', 'windows']], ['prequeue', null, ['next.joinable_windows', 'windows']],
  ['prequeue', 'a place', ['next.gathered_windows', 'windows', 'turn_kept']], ['open', null, ['next.joinable_windows', 'windows']],
  ['open', 'a place', ['next.gathered_windows', 'windows', 'turn_kept']], ['sold_out', null, ['next.sold_out']],
]) {
  test(`where a house draws by windows that is said: ${phase}, ${place}`, () => {
    const status = { phase, opens_at: onSale.opens_at, lines: { public: { joined: 0 } }, draw: { rule: { window_seconds: 60 } } };
    const said = describe({ status, phase, place, index: place && 0, position: null, ahead: null, isConnected: true, lasts: 'device' }, words, onSale);
    assert.deepEqual(said.next.map((each) => each.split(' ')[0]), next);
  });
}
