// A visitor's place in a line: join, poll as the server asks, know one's position, claim the turn.
// Kept on the device, so that a reload, a dead battery or a train tunnel costs nobody their place.

import { change, get, Problem } from './api.js';
import { nowMs, observe, untilMs } from './clock.js';
import { decode, digest, encode, makeDraw } from './draw.js';

const RECKON_OVER_MS = 300_000;

/** What is kept about an on-sale on this device. */
export class Memory {
  constructor(house, onSale) {
    this.name = `parvis:${house}/${onSale}`;
    try {
      this.kept = JSON.parse(localStorage.getItem(this.name)) ?? {};
    } catch {
      this.kept = {};
    }
  }

  keep(facts) {
    Object.assign(this.kept, facts);
    try {
      localStorage.setItem(this.name, JSON.stringify(this.kept));
    } catch { /* storage is off or full: the place then lives as long as this page */ }
  }

  forgetPlace() {
    this.keep({ secret: undefined, join_key: undefined, place: undefined, index: undefined, position: undefined, pass: undefined });
  }

  /** The pass, while it lives. */
  get pass() {
    return this.kept.pass && untilMs(this.kept.pass_expires_at) > 0 ? this.kept.pass : null;
  }
}

/** The published interval for someone with so many ahead: the last entry that is not beyond them. */
export function pollAfterMs(policy, ahead) {
  return (policy ?? []).filter((entry) => entry.ahead <= ahead).at(-1)?.after_ms ?? policy?.[0]?.after_ms ?? 5000;
}

/**
 * How long the wait will be, honestly: [least, most] in minutes, from the published rate and from what was seen.
 * null while nothing can be said.
 */
export function reckon(ahead, perMinute, seen) {
  const rates = perMinute > 0 ? [perMinute] : [];
  const [first, last] = [seen[0], seen.at(-1)];
  if (first && last.at - first.at > 20_000 && last.served > first.served) {
    rates.push(((last.served - first.served) / (last.at - first.at)) * 60_000);
  }
  if (!rates.length || ahead <= 0) return null;
  const least = Math.floor(ahead / Math.max(...rates) / 1.15);
  const most = Math.ceil((ahead / Math.min(...rates)) * 1.25);
  return [least, Math.max(most, least + 1)];
}

/** One visitor in one line. `onchange(state)` is called after whatever changed. */
export class Line {
  constructor({ house, onSale, onchange }) {
    this.path = `/v1/houses/${house}/on-sales/${onSale}`;
    this.memory = new Memory(house, onSale);
    this.onchange = onchange;
    this.prequeueAt = null;
    this.status = null;
    this.isConnected = true;
    this.trouble = null;
    this.isTurnOver = false;
    this.isFull = false;
    this.failures = 0;
    this.seen = [];
    this.timer = null;
    this.onsight = () => { if (!document.hidden && this.isRunning && nowMs() > this.dueMs) this.poll(); };
  }

  start() {
    this.isRunning = true;
    document.addEventListener('visibilitychange', this.onsight);
    addEventListener('online', this.onsight);
    return this.poll();
  }

  stop() {
    this.isRunning = false;
    clearTimeout(this.timer);
    document.removeEventListener('visibilitychange', this.onsight);
    removeEventListener('online', this.onsight);
  }

  /** What a page shows; `position` and `ahead` are null until the draw is known. */
  get state() {
    const { status, memory } = this;
    const { place = null, index = null, position = null } = memory.kept;
    const served = status?.lines.public.now_serving ?? 0;
    const ahead = position === null ? null : Math.max(0, position - served);
    const isServed = place !== null && position !== null && position < served;
    return {
      status, place, index, position, ahead, isServed,
      phase: status?.phase ?? null, isConnected: this.isConnected, trouble: this.trouble,
      isTurnOver: this.isTurnOver, isFull: this.isFull, hasPass: memory.pass !== null,
      reckoning: ahead === null ? null : reckon(ahead, status?.lines.public.per_minute ?? 0, this.seen),
      firstCommitment: memory.kept.commitment ?? null,
    };
  }

  changed() {
    this.onchange?.(this.state);
  }

  async poll() {
    clearTimeout(this.timer);
    this.dueMs = Infinity;
    let afterMs;
    try {
      await this.take(await get(`${this.path}/status`));
      [this.failures, this.isConnected, this.trouble] = [0, true, null];
      afterMs = this.intervalMs();
    } catch (problem) {
      this.failures += 1;
      this.isConnected = false;
      if (!(problem instanceof Problem) || problem.status === 404) this.trouble = problem;
      afterMs = Math.max(problem.retryAfterMs ?? 0, Math.min(30_000, 1500 * 2 ** this.failures)) * (0.5 + Math.random());
    }
    this.dueMs = nowMs() + afterMs;
    if (this.isRunning) this.timer = setTimeout(() => this.poll(), afterMs);
    this.changed();
  }

  async take(status) {
    this.status = status;
    observe(status.server_time);
    const served = status.lines.public.now_serving;
    this.seen = [...this.seen.filter((sample) => nowMs() - sample.at < RECKON_OVER_MS), { at: nowMs(), served }];
    const { kept } = this.memory;
    if (!kept.commitment && status.draw?.commitment) this.memory.keep({ commitment: status.draw.commitment });
    await this.findPosition();
  }

  async findPosition() {
    const { kept } = this.memory;
    const draw = this.status?.draw;
    if (kept.position !== undefined || kept.index === undefined || !draw?.seed) return;
    const position = (await makeDraw(decode(draw.seed), draw.entrants))(kept.index);
    this.memory.keep({ position });
  }

  /** The published interval, spread so that a crowd does not breathe in step; near the start it aims just behind it. */
  intervalMs() {
    const { status, state } = this;
    const waiting = state.ahead ?? Math.max(0, status.lines.public.joined - status.lines.public.now_serving);
    const intervalMs = pollAfterMs(status.poll, waiting) * (0.75 + Math.random() / 2);
    const next = [this.prequeueAt, status.opens_at].filter((instant) => instant && untilMs(instant) > 0).map(untilMs);
    const untilNextMs = Math.min(...next, Infinity);
    return intervalMs > untilNextMs ? untilNextMs + 300 + Math.random() * 2500 : intervalMs;
  }

  /** Takes a place. The secret and the key are kept before the first try: asking again gives the same place. */
  async join() {
    const { memory } = this;
    if (!memory.kept.secret) {
      memory.keep({ secret: encode(crypto.getRandomValues(new Uint8Array(32))), join_key: crypto.randomUUID() });
    }
    const secretHash = await digest(new TextEncoder().encode(memory.kept.secret));
    const joined = await change('POST', `${this.path}/places`, { body: { secret_hash: secretHash }, key: memory.kept.join_key });
    this.isTurnOver = false;
    memory.keep({ place: joined.place, index: joined.index, position: joined.position ?? undefined });
    await this.findPosition();
    await this.poll();
  }

  /** Claims the turn; true once there is a pass. A full house keeps the turn: ask again after the pause it names. */
  async claim() {
    const { memory } = this;
    try {
      const { pass, expires_at: expiresAt } = await change('POST', `${this.path}/passes`, {
        body: { place: memory.kept.place, secret: memory.kept.secret },
      });
      memory.keep({ pass, pass_expires_at: expiresAt });
      this.isFull = false;
      return true;
    } catch (problem) {
      if (problem.slug === 'turn-over') this.isTurnOver = true;
      else if (problem.slug === 'full') this.isFull = true;
      else if (problem.slug === 'not-yet-served') this.isFull = false;
      else throw problem;
      this.retryAfterMs = problem.retryAfterMs ?? 3000;
      return false;
    } finally {
      this.changed();
    }
  }

  /** Gives the place up, to take a new one. */
  leave() {
    this.memory.forgetPlace();
    [this.isTurnOver, this.isFull] = [false, false];
    this.changed();
  }
}
