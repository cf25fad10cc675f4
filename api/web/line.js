// A visitor's place in a line: join, poll as the server asks, know one's position, claim the turn.
// All tabs of a browser are one visitor: one tab polls, and every tab shows the same.

import { change, get, Problem } from './api.js';
import { nowMs, observe, untilMs } from './clock.js';
import { decode, digest, encode, makeDraw } from './draw.js';
import { Memory } from './memory.js';
import { askAfterMs, backAfterMs, pace, retryAfterMs, seenFrom, waitBand } from './pace.js';
import { importPinned } from './pinned.js';
import { situation } from './situation.js';
import { Tabs } from './tabs.js';

/** So long another tab has to say what it knows, before this one asks the server. */
const HELLO_MS = 80;
const OVERDUE_MS = 2000;
const SHARED = ['status', 'askedMs', 'dueMs', 'isConnected', 'isMissing', 'failures', 'isTurnOver', 'isFull'];

/** One visitor in one line. `onchange(state)` is called after whatever changed. */
export class Line {
  constructor({ house, onSale, onchange }) {
    this.path = `/v1/houses/${house}/on-sales/${onSale}`;
    this.memory = new Memory(house, onSale);
    this.tabs = new Tabs(this.memory.name, { onlead: () => this.plan(HELLO_MS), onhear: (message) => this.hear(message) });
    this.onchange = onchange;
    this.prequeueAt = null;
    this.turnMs = 600_000;
    Object.assign(this, { status: null, isConnected: true, isMissing: false, isTurnOver: false, isFull: false, failures: 0, dueMs: 0 });
    this.onwake = (event) => this.wake(event);
    this.onleave = () => this.stop(true);
    this.onreturn = ({ persisted }) => { if (persisted) this.start(); };
    this.onkept = ({ key }) => { if (key === this.memory.name) this.reread(); };
  }

  start() {
    if (this.isRunning) return;
    this.isRunning = true;
    this.memory.read();
    document.addEventListener('visibilitychange', this.onwake);
    addEventListener('online', this.onwake);
    addEventListener('storage', this.onkept);
    addEventListener('pagehide', this.onleave);
    addEventListener('pageshow', this.onreturn);
    this.watching = setInterval(() => { if (this.dueMs && Date.now() > this.dueMs + OVERDUE_MS) this.plan(0); }, 1000);
    this.tabs.start();
    this.tabs.say({ isHello: true });
    this.changed();
  }

  /** `isAsleep`: the page goes into the browser's back-and-forward cache, and may come out of it again. */
  stop(isAsleep = false) {
    this.isRunning = false;
    clearTimeout(this.timer);
    clearInterval(this.watching);
    this.tabs.stop();
    document.removeEventListener('visibilitychange', this.onwake);
    removeEventListener('online', this.onwake);
    removeEventListener('storage', this.onkept);
    removeEventListener('pagehide', this.onleave);
    if (!isAsleep) removeEventListener('pageshow', this.onreturn);
  }

  /** What a page shows; `position` and `ahead` are null until the draw is known. */
  get state() {
    const { status, memory } = this;
    const { place = null, index = null, position = null } = memory.kept;
    const front = status?.lines.public ?? { now_serving: 0, per_minute: 0 };
    const ahead = position === null ? null : Math.max(0, position - front.now_serving - (this.nobodies?.(position, front) | 0));
    return {
      status, place, index, position, ahead,
      isServed: place !== null && position !== null && position < front.now_serving,
      phase: status?.phase ?? null, isConnected: this.isConnected, isMissing: this.isMissing,
      isTurnOver: this.isTurnOver, isFull: this.isFull, hasPass: memory.pass !== null,
      wait: ahead === null ? null : waitBand(ahead, front),
      perMinute: pace(front),
      /** How old the figures are, by the server's clock; and from when on that is more than it should be. */
      ageMs: status ? Math.max(0, nowMs() - Date.parse(status.server_time)) : 0,
      staleMs: Math.max(30_000, 3 * (this.intervalMs ?? 0)),
      firstCommitment: memory.kept.commitment ?? null,
      lasts: memory.lasts,
    };
  }

  changed() {
    this.onchange?.(this.state);
  }

  /** Asks after so long, if this is the tab that asks. */
  plan(afterMs) {
    if (this.asking) return;
    clearTimeout(this.timer);
    if (!this.isRunning || !this.tabs.isLeading) return;
    this.timer = setTimeout(() => { if (this.tabs.leads()) this.poll(); }, Math.max(afterMs, this.dueMs - Date.now()));
  }

  /** The page is seen again, or the network is back: what is overdue is asked at once, by the tab that is seen. */
  wake(event) {
    if (document.hidden && event.type !== 'online') return;
    if (!document.hidden) this.tabs.take();
    this.memory.read();
    if (!this.isConnected) this.dueMs = Math.min(this.dueMs, Date.now() + backAfterMs({ intervalMs: this.intervalMs, chance: Math.random() }));
    else if (this.status) this.dueMs = Math.min(this.dueMs, this.askedMs + this.nextMs());
    this.plan(0);
    this.changed();
  }

  /** What another tab says: that it is there, that the place is another one, or what it knows. */
  hear({ isHello, isReplaced, kept, ...told }) {
    if (isHello) {
      if (this.status) this.tell();
      return;
    }
    // Where nothing can be kept for all tabs, they tell each other.
    if (kept && this.memory.lasts !== 'device' && !this.memory.kept.place) this.memory.keep(kept);
    if (isReplaced) [this.isTurnOver, this.isFull] = [false, false];
    else if (told.status && Date.parse(told.status.server_time) >= Date.parse(this.status?.server_time ?? 0)) this.follow(told);
    this.reread();
  }

  reread() {
    this.memory.read();
    this.changed();
  }

  async follow(told) {
    Object.assign(this, told);
    await this.take(told.status);
    this.plan(0);
    this.changed();
  }

  tell() {
    const told = Object.fromEntries(SHARED.map((name) => [name, this[name]]));
    this.tabs.say({ ...told, kept: this.memory.lasts === 'device' ? null : this.memory.kept });
  }

  poll() {
    this.asking ??= this.ask().finally(() => { this.asking = null; this.plan(0); });
    return this.asking;
  }

  async ask() {
    clearTimeout(this.timer);
    this.askedMs = Date.now();
    let afterMs;
    try {
      // Past the browser's own cache, which would answer with what was and ask again behind our back.
      await this.take(await get(`${this.path}/status`, { cache: 'no-cache' }));
      Object.assign(this, { failures: 0, isConnected: true, isMissing: false });
      afterMs = this.nextMs();
    } catch (problem) {
      if (!(problem instanceof Problem)) console.error(problem);
      this.failures += 1;
      this.isConnected = false;
      this.isMissing = problem.status === 404;
      afterMs = retryAfterMs({ failures: this.failures, askedMs: problem.retryAfterMs, intervalMs: this.intervalMs, chance: Math.random() });
    }
    this.dueMs = Date.now() + afterMs;
    this.tell();
    this.changed();
  }

  async take(found) {
    const status = this.status = seenFrom(found, this.memory.kept.line);
    observe(status.server_time);
    if (!this.memory.kept.commitment && status.draw?.commitment) this.memory.keep({ commitment: status.draw.commitment, others: status.draw.contributors });
    if (status.phase !== 'open' && status.phase !== 'paused') this.isFull = false;
    await this.findPosition();
  }

  async findPosition() {
    const { kept } = this.memory;
    const draw = this.status?.draw;
    if (kept.position !== undefined || kept.index === undefined || !draw?.seed) return;
    const position = draw.windows ? await (await importPinned('windows.js')).rank(draw, kept.index) : (await makeDraw(decode(draw.seed), draw.entrants))(kept.index);
    this.memory.keep({ position });
  }

  /** After how long to ask again; aimed just behind the next start. */
  nextMs() {
    const { status, state } = this;
    const start = status.phase === 'scheduled' ? this.prequeueAt ?? status.opens_at : status.opens_at;
    this.intervalMs = askAfterMs({
      status, situation: situation(state), ahead: state.ahead, untilNextMs: untilMs(start),
      turnMs: this.turnMs, isHidden: document.hidden, chance: Math.random(),
    });
    return this.intervalMs;
  }

  /** Takes a place, once for all tabs. `how`: line and code. The secret and the key are kept before the first try: asking again gives the same place. */
  async join(how) {
    const { memory } = this;
    await this.tabs.alone(async () => {
      memory.read();
      if (memory.kept.place) return;
      if (!memory.kept.secret) memory.keep({ secret: encode(crypto.getRandomValues(new Uint8Array(32))), join_key: Date.now() + crypto.randomUUID() });
      const secretHash = await digest(new TextEncoder().encode(memory.kept.secret));
      const ask = (proof) => change('POST', `${this.path}/places`, { body: { secret_hash: secretHash, proof, contact: memory.kept.contact, ...how }, key: memory.kept.join_key });
      const joined = await ask().catch(async (problem) => {
        if (problem.slug !== 'proof-required') throw problem;
        return (await importPinned('prove.js')).joinWithProof(problem, ask, (share) => { this.proven = share; this.changed(); });
      });
      memory.keep({ place: joined.place, index: joined.index, line: joined.line, position: joined.position ?? undefined, ...how && { commitment: null } });
    });
    this.isTurnOver = false;
    await this.poll();
  }

  /**
   * Claims the turn; true once there is a pass. A full house keeps the turn: ask again after the pause it names. By itself it
   * renews what this browser has had; `{ renews: undefined }` takes over from another device.
   */
  claim(how) {
    const { memory } = this;
    return this.tabs.alone(async () => {
      memory.read();
      if (memory.pass && !how?.more_time) return true;
      try {
        const { pass, expires_at: expiresAt } = await change('POST', `${this.path}/passes`, {
          body: { place: memory.kept.place, secret: memory.kept.secret, renews: memory.kept.pass, ...how },
        });
        memory.keep({ pass, pass_expires_at: expiresAt, moved: undefined });
        this.isFull = false;
        return true;
      } catch (problem) {
        if (/^(turn|stay)-over$/.test(problem.slug)) this.isTurnOver = true;
        else if (problem.slug === 'full') this.isFull = true;
        else if (problem.slug === 'not-yet-served') this.isFull = false;
        else throw problem;
        if (problem.slug === 'stay-over') throw problem;
        this.retryAfterMs = problem.retryAfterMs ?? 3000;
        return false;
      } finally {
        if (this.isRunning) this.tell();
        this.changed();
      }
    });
  }

  /** Gives the place up, to take a new one. */
  leave() {
    this.memory.forgetPlace();
    this.replaced();
  }

  /** Takes over a place from a link. */
  takeOver(given) {
    this.memory.takeOver(given);
    this.replaced();
    return this.poll();
  }

  replaced() {
    [this.isTurnOver, this.isFull] = [false, false];
    this.tabs.say({ isReplaced: true });
    this.changed();
  }
}
