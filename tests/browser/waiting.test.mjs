// How long a wait will be said to be, how often a page asks, and which situation somebody is in.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { askAfterMs, pace, pollAfterMs, waitBand } from '../../api/web/pace.js';
import { describe, sayWait, situation } from '../../api/web/situation.js';

const POLL = [[0, 1000], [100, 2000], [500, 4000], [2000, 8000], [10_000, 20_000]].map(([ahead, afterMs]) => ({ ahead, after_ms: afterMs }));
const line = (published, seen, minutes) => ({ per_minute: published, measured: minutes ? { per_minute: seen, minutes } : undefined });
const width = ([least, most]) => most - least;

test('a band holds the wait at the published pace, and the wider the less was seen', () => {
  for (const perMinute of [1, 7, 60, 600]) {
    for (const minutes of [2, 9, 25, 90, 300]) {
      const [ahead, bands] = [perMinute * minutes, [0, 1, 2, 5].map((watched) => waitBand(perMinute * minutes, line(perMinute, perMinute, watched)))];
      for (const [least, most] of bands) assert.ok(least <= minutes && minutes <= most, `${ahead} at ${perMinute}: ${least} to ${most}`);
      bands.slice(1).forEach((band, at) => assert.ok(width(band) <= width(bands[at]), `${JSON.stringify(bands)} for ${minutes}`));
    }
  }
});

test('a line that moves more slowly than published gives a band that holds both', () => {
  const [least, most] = waitBand(600, line(60, 20, 5));
  assert.ok(least <= 10 && most >= 30, `${least} to ${most}`);
});

test('a line that stands still promises no end, and one without a pace nothing at all', () => {
  const still = line(60, 0, 4);
  assert.equal(waitBand(600, still)[1], null);
  assert.ok(waitBand(600, still)[0] >= 1);
  assert.equal(waitBand(600, line(0, 0, 4)), null);
  assert.equal(waitBand(0, still), null);
});

test('the pace is the one that was seen once it was watched for a minute', () => {
  assert.equal(pace(line(60, 20, 5)), 20);
  assert.equal(pace(line(60, 20, 0.5)), 60);
  assert.equal(pace(line(60)), 60);
});

test('the published table says how often to ask', () => {
  for (const [ahead, afterMs] of [[0, 1000], [99, 1000], [100, 2000], [2500, 8000], [1e6, 20_000]]) assert.equal(pollAfterMs(POLL, ahead), afterMs);
  assert.equal(pollAfterMs(undefined, 3), 5000);
});

const asks = (changed, status = {}) => askAfterMs({
  status: { phase: 'open', poll: POLL, lines: { public: { joined: 0, now_serving: 0 } }, ...status },
  situation: 'waiting', ahead: 50, untilNextMs: 0, turnMs: 600_000, isHidden: false, chance: 0.5, ...changed,
});

test('nobody asks more often than the table says, less a quarter, and a crowd is spread', () => {
  for (const ahead of [0, 50, 300, 5000]) {
    const [soonest, middle, latest] = [0, 0.5, 1].map((chance) => asks({ ahead, chance }));
    assert.equal(middle, pollAfterMs(POLL, ahead));
    assert.deepEqual([soonest, latest], [middle * 0.75, middle * 1.25]);
  }
});

test('a page that nobody looks at asks less, and never misses a turn', () => {
  assert.equal(asks({ isHidden: true }), 3000);
  assert.equal(asks({ isHidden: true, ahead: 5000 }), 20_000);
  for (const turnMs of [20_000, 60_000, 600_000]) {
    for (const ahead of [0, 50, 5000]) assert.ok(asks({ isHidden: true, ahead, turnMs, chance: 1 }) <= Math.max(turnMs / 2, 10_000));
  }
});

test('before the start a page asks seldom, then just behind the start, and often once the start is overdue', () => {
  const before = { phase: 'prequeue', lines: { public: { joined: 40, now_serving: 0 } } };
  assert.equal(asks({ ahead: null, untilNextMs: 3_600_000 }, before), 30_000);
  assert.equal(asks({ ahead: null, untilNextMs: 200_000 }, before), 10_000);
  const aimed = [0, 1].map((chance) => asks({ ahead: null, untilNextMs: 500, chance }, before));
  assert.deepEqual(aimed, [800, 3300]);
  assert.equal(asks({ ahead: null, untilNextMs: 0 }, before), 1000);
});

test('while the last seats go nobody who waits rests, seen or not', () => {
  const ending = { poll: [[0, 1000], [100, 1400]].map(([ahead, afterMs]) => ({ ahead, after_ms: afterMs })) };
  for (const isHidden of [false, true]) {
    assert.equal(asks({ isHidden, ahead: 5000 }, ending), 1400);
    for (const situation of ['turn', 'full', 'paused']) assert.equal(asks({ isHidden, situation, ahead: 0 }, ending), 1400);
    assert.equal(asks({ isHidden, situation: 'shopping', ahead: 0 }, ending), 15_000);
  }
});

test('whoever is called, or in, or too late has no hurry', () => {
  assert.equal(asks({ situation: 'turn', ahead: 0 }), 2400);
  assert.equal(asks({ situation: 'shopping', ahead: 0 }), 15_000);
  assert.equal(asks({ situation: 'sold_out', ahead: 9 }, { phase: 'sold_out' }), 15_000);
});

const STATE = { phase: 'open', place: 'p', position: 9, isServed: false, isTurnOver: false, isFull: false, hasPass: false, isMissing: false, isConnected: true, lasts: 'device' };
const SITUATIONS = [
  ['loading', { phase: null }], ['unreachable', { phase: null, isConnected: false }], ['missing', { phase: null, isConnected: false, isMissing: true }],
  ['scheduled', { phase: 'scheduled', place: null }], ['joinable', { phase: 'prequeue', place: null }], ['joinable', { place: null }],
  ['gathered', { phase: 'prequeue', position: null }], ['gathered', { position: null }], ['waiting', {}], ['waiting', { isConnected: false }],
  ['paused', { phase: 'paused', isServed: true }], ['turn', { isServed: true }], ['full', { isServed: true, isFull: true }],
  ['turn_over', { isServed: true, isTurnOver: true }], ['shopping', { isServed: true, hasPass: true }], ['shopping', { phase: 'sold_out', hasPass: true }],
  ['sold_out', { phase: 'sold_out' }], ['sold_out', { phase: 'sold_out', place: null }], ['closed', { phase: 'closed', isServed: true }],
];
for (const [name, changed] of SITUATIONS) {
  test(`${name}: ${JSON.stringify(changed)}`, () => assert.equal(situation({ ...STATE, ...changed }), name));
}

const words = {
  say: (name, facts = {}) => [name, ...Object.values(facts)].join(' ').trim(), number: String, moment: String, hour: String,
  span: (seconds) => `${seconds}s`, ago: (ms) => `${ms}ms`,
};

test('the wait is said in what people count in', () => {
  assert.equal(sayWait(3, [0, 1], words), 'about_a_minute');
  assert.equal(sayWait(30, [10, 20], words), 'minutes_range 10 20');
  assert.equal(sayWait(30, [10, null], words), 'minutes_at_least 10');
  assert.equal(sayWait(30, [120, 300], words), 'hours_range 2 5');
  assert.equal(sayWait(0, null, words), 'any_moment');
  assert.equal(sayWait(5, null, words), 'wait_unknown');
});

test('what is old or cut off is said, and how long a turn is kept', () => {
  const status = { phase: 'open', opens_at: '2026-01-01T00:00:00Z', lines: { public: { joined: 20 } }, seats_open: { A: 2 } };
  const onSale = { turn_seconds: 600, pass_seconds: 900, hold_seconds: 300 };
  const say = (changed) => describe({ ...STATE, status, ahead: 9, perMinute: 60, wait: null, ageMs: 0, staleMs: 30_000, ...changed }, words, onSale);
  assert.equal(say({}).trouble, '');
  assert.equal(say({ ageMs: 31_000 }).trouble, 'figures_old 31000ms');
  assert.match(say({ isConnected: false }).trouble, /^reconnecting reconnecting_turn 600s/);
  assert.ok(say({}).next.includes('turn_kept 600s 900s 300s'));
  assert.ok(say({ phase: 'sold_out' }).next.includes('sold_out_keep'));
  assert.match(say({}).next[0], /^next\.waiting /);
  for (const lasts of ['tab', 'page']) assert.match(say({ lasts }).next[0], /^next\.waiting_here /);
});
