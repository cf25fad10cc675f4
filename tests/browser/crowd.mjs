// A crowd of waiting pages in a browser that has nothing but a clock, which a test turns: the shipped class asks
// (`api/web/line.js`, with its tabs, memory and clock), and what it asks for is noted.

/** A line of 20,000, thinned out. */
export const [CROWD, LONGEST_LINE] = [600, 20_000];
export const USUAL = [[0, 1000], [100, 2000], [500, 4000], [2000, 8000], [10_000, 20_000]];
export const ENDING = [[0, 1000], [100, 1400]];
/** Every third page lies behind another one. */
const HIDDEN = 3;
/** A document is renewed once a second, and its copy at the edge too, behind the back of whoever finds it old. */
const CACHE_MS = 1000;

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

/** What the server says at this moment, and what one who asks is given: by way of two caches. */
class Server {
  constructor(clock) {
    Object.assign(this, { clock, isDown: false, phase: 'open', policy: USUAL, asked: [] });
  }

  now() {
    return {
      phase: this.phase, server_time: new Date(this.clock.nowMs).toISOString(), opens_at: new Date(0).toISOString(),
      lines: { public: { now_serving: 0, joined: LONGEST_LINE, per_minute: 1 } }, draw: {}, seats_open: {},
      poll: this.policy.map(([ahead, afterMs]) => ({ ahead, after_ms: afterMs })),
    };
  }

  document() {
    if (!this.made || this.clock.nowMs - this.made.at >= CACHE_MS) this.made = { at: this.clock.nowMs, status: this.now() };
    return this.made.status;
  }

  copy() {
    const found = this.kept;
    if (!found || this.clock.nowMs - found.at >= CACHE_MS) this.kept = { at: this.clock.nowMs, status: this.document() };
    return (found ?? this.kept).status;
  }

  async fetch() {
    this.asked.push(this.clock.nowMs);
    if (this.isDown) throw new TypeError('no network');
    const status = this.copy();
    return { ok: true, status: 200, json: async () => status };
  }
}

/** Puts our clock and our server in place of the browser's, and starts a page at each of the distances. `t`: the test. */
export async function waitingCrowd(t) {
  const clock = new Clock();
  const server = new Server(clock);
  const listeners = {};
  const [now, chance, complaint, random] = [Date.now, Math.random, console.error, drawing(7)];
  const off = (entry) => { if (entry) entry.isOff = true; };
  const given = {
    setTimeout: (act, ms) => clock.after(ms ?? 0, act), clearTimeout: off, clearInterval: off, setInterval: () => null,
    addEventListener: (kind, act) => { (listeners[kind] ??= new Set()).add(act); }, removeEventListener() {},
    document: { hidden: false, addEventListener() {}, removeEventListener() {} },
    navigator: { locks: { request: (_, options, act) => (act ?? options)() } },
    BroadcastChannel: undefined, localStorage: undefined, sessionStorage: undefined, fetch: () => server.fetch(),
  };
  const before = Object.fromEntries(Object.keys(given).map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)]));
  for (const [name, value] of Object.entries(given)) Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  [Date.now, Math.random, console.error] = [() => clock.nowMs, random, () => {}];
  t.after(() => {
    for (const [name, kept] of Object.entries(before)) if (kept) Object.defineProperty(globalThis, name, kept); else delete globalThis[name];
    [Date.now, Math.random, console.error] = [now, chance, complaint];
  });
  const { Line } = await import('../../api/web/line.js');
  const lines = Array.from({ length: CROWD }, (_, at) => {
    const line = new Line({ house: 'h', onSale: `s${at}`, onchange: () => {} });
    // Whether it is seen matters to a page as it settles when to ask again.
    const next = line.nextMs.bind(line);
    line.isHidden = at % HIDDEN === 0;
    line.nextMs = () => {
      given.document.hidden = line.isHidden;
      const afterMs = next();
      given.document.hidden = false;
      return afterMs;
    };
    line.memory.kept = { place: 'p', index: at, position: Math.floor((at * LONGEST_LINE) / CROWD) };
    clock.after(random() * 20_000, () => line.start());
    return line;
  });
  await clock.turn(40_000);
  return { clock, server, lines, wakeAll: () => listeners.online.forEach((wake) => wake({ type: 'online' })) };
}

/** The most that is asked in any second of a stretch of time. */
export function peak(asked, fromMs, untilMs) {
  const times = asked.filter((at) => at >= fromMs && at < untilMs);
  let [most, first] = [0, 0];
  times.forEach((at, last) => {
    while (times[first] <= at - 1000) first += 1;
    most = Math.max(most, last - first + 1);
  });
  return most;
}
