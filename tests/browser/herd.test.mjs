// C8: everybody reconnects at once, and the peak stays below three times what they ask in quiet. The shipped class asks
// (`api/web/line.js`, with its tabs, memory and clock), in a browser that has nothing but a clock, which this test turns.

import assert from 'node:assert/strict';
import { test } from 'node:test';

const POLICIES = {
  'as usual': [[0, 1000], [100, 2000], [500, 4000], [2000, 8000], [10_000, 20_000]],
  'while the last seats go': [[0, 1000], [100, 2000], [500, 2400]],
};
/** A line of 20,000, thinned out. */
const [CROWD, LONGEST_LINE] = [600, 20_000];

/** A clock that stands until it is turned; everything that is due happens in its order. */
class Clock {
  constructor() {
    Object.assign(this, { nowMs: 1_800_000_000_000, due: [], number: 0 });
  }

  after(ms, act) {
    const entry = { at: this.nowMs + Math.max(0, ms), number: (this.number += 1), act };
    this.due.push(entry);
    let at = this.due.length - 1;
    for (let above = (at - 1) >> 1; at > 0 && this.isBefore(at, above); at = above, above = (at - 1) >> 1) this.swap(at, above);
    return entry;
  }

  isBefore(one, other) {
    const [a, b] = [this.due[one], this.due[other]];
    return a.at < b.at || (a.at === b.at && a.number < b.number);
  }

  swap(one, other) {
    [this.due[one], this.due[other]] = [this.due[other], this.due[one]];
  }

  take() {
    const [first, last] = [this.due[0], this.due.pop()];
    if (this.due.length) {
      this.due[0] = last;
      for (let at = 0; ;) {
        let least = at;
        for (const below of [2 * at + 1, 2 * at + 2]) if (below < this.due.length && this.isBefore(below, least)) least = below;
        if (least === at) break;
        this.swap(at, least);
        at = least;
      }
    }
    return first;
  }

  async turn(ms) {
    const until = this.nowMs + ms;
    while (this.due.length && this.due[0].at <= until) {
      const { at, act, isOff } = this.take();
      if (isOff) continue;
      this.nowMs = at;
      act();
      // What was promised is kept before anything else is due.
      for (let depth = 0; depth < 12; depth += 1) await Promise.resolve();
    }
    this.nowMs = until;
  }
}

/** A number that looks drawn, the same on every run. */
function drawing(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** The browser's world as `line.js` knows it, on our clock; what is asked for is noted. */
function world(clock, policy) {
  const [listeners, asked] = [{}, []];
  const net = { isDown: false, served: 0 };
  const status = () => ({
    phase: 'open', server_time: new Date(clock.nowMs).toISOString(), opens_at: new Date(clock.nowMs - 1e6).toISOString(),
    lines: { public: { now_serving: 0, joined: LONGEST_LINE, per_minute: 1 } }, draw: {}, seats_open: {},
    poll: policy.map(([ahead, afterMs]) => ({ ahead, after_ms: afterMs })),
  });
  const later = (act, ms) => clock.after(ms ?? 0, act);
  const off = (entry) => { if (entry) entry.isOff = true; };
  const listen = (kind, act) => { (listeners[kind] ??= new Set()).add(act); };
  const random = drawing(7);
  const given = {
    setTimeout: later, clearTimeout: off, clearInterval: off, setInterval: () => null,
    addEventListener: listen, removeEventListener() {}, document: { hidden: false, addEventListener() {}, removeEventListener() {} },
    navigator: { locks: { request: (_, options, act) => (act ?? options)() } }, BroadcastChannel: undefined, localStorage: undefined, sessionStorage: undefined,
    async fetch() {
      asked.push(clock.nowMs);
      if (net.isDown) throw new TypeError('no network');
      return { ok: true, status: 200, json: async () => status() };
    },
  };
  return { net, asked, listeners, given, random };
}

/** The most that is asked in any second of a stretch of time. */
function peak(asked, fromMs, untilMs) {
  const times = asked.filter((at) => at >= fromMs && at < untilMs);
  let [most, first] = [0, 0];
  times.forEach((at, last) => {
    while (times[first] <= at - 1000) first += 1;
    most = Math.max(most, last - first + 1);
  });
  return most;
}

const OUTAGES = [['a moment', 3000], ['a minute and a half', 90_000]];

for (const [which, policy] of Object.entries(POLICIES)) {
  for (const [length, ms] of OUTAGES) {
    test(`${which}, after ${length} without a network everybody is back in the same instant`, async (t) => {
      const clock = new Clock();
      const { net, asked, listeners, given, random } = world(clock, policy);
      const before = {};
      for (const [name, value] of Object.entries(given)) {
        before[name] = Object.getOwnPropertyDescriptor(globalThis, name);
        Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
      }
      const [now, chance, quiet] = [Date.now, Math.random, console.error];
      Date.now = () => clock.nowMs;
      Math.random = random;
      console.error = () => {};
      t.after(() => {
        for (const [name, kept] of Object.entries(before)) if (kept) Object.defineProperty(globalThis, name, kept); else delete globalThis[name];
        [Date.now, Math.random, console.error] = [now, chance, quiet];
      });
      const { Line } = await import('../../api/web/line.js');
      const lines = Array.from({ length: CROWD }, (_, at) => {
        const line = new Line({ house: 'h', onSale: `s${at}`, onchange: () => {} });
        line.memory.kept = { place: 'p', index: at, position: Math.floor((at * LONGEST_LINE) / CROWD) };
        clock.after((random() * 20_000), () => line.start());
        return line;
      });
      await clock.turn(40_000);
      const quietFromMs = clock.nowMs;
      await clock.turn(60_000);
      const steady = asked.filter((at) => at >= quietFromMs).length / 60;
      const steadyPeak = peak(asked, quietFromMs, clock.nowMs);
      const goneMs = clock.nowMs;
      net.isDown = true;
      await clock.turn(ms);
      const cutOff = lines.filter((line) => !line.isConnected).length;
      net.isDown = false;
      const backMs = clock.nowMs;
      for (const wake of listeners.online) wake({ type: 'online' });
      await clock.turn(40_000);
      const [during, after] = [peak(asked, goneMs, backMs), peak(asked, backMs, clock.nowMs)];
      t.diagnostic(`steady ${steady.toFixed(0)} a second (peak ${steadyPeak}), cut off ${cutOff}, peak meanwhile ${during}, peak after ${after}`);
      assert.ok(cutOff > 0, 'the outage bit');
      assert.equal(lines.filter((line) => !line.isConnected).length, 0, 'everybody is back');
      assert.ok(Math.max(during, after) <= 3 * steady, `${during} and ${after} against ${steady}`);
    });
  }
}
