// What is reserved for one visitor (or one customer at the counter), until it is paid or let go.

import { change } from './api.js';
import { nowMs, untilMs } from './clock.js';

export class Basket {
  /** `memory` keeps the basket over a reload; `bearer()` gives the pass or key; `onchange()` after each change. */
  constructor({ house, memory, bearer, onchange }) {
    Object.assign(this, { path: `/v1/houses/${house}`, memory, bearer, onchange });
    this.holds = (memory.kept.basket ?? []).filter((hold) => untilMs(hold.expires_at) > 0);
  }

  get items() {
    return this.holds.flatMap((hold) => hold.items);
  }

  get total() {
    return this.holds.reduce((sum, hold) => sum + hold.total, 0);
  }

  get fees() {
    return this.items.reduce((sum, item) => sum + item.fee, 0);
  }

  get currency() {
    return this.holds[0]?.currency ?? 'EUR';
  }

  /** When the first of the holds ends (RFC 3339), null for an empty basket. */
  get endsAt() {
    return this.holds.map((hold) => hold.expires_at).sort((a, b) => Date.parse(a) - Date.parse(b))[0] ?? null;
  }

  /** The ids of the seats in the basket, of one performance. */
  seatsOf(performance) {
    return new Set(this.items.filter((item) => item.performance === performance && item.seat).map((item) => item.seat));
  }

  keep(holds) {
    this.holds = holds;
    this.memory.keep({ basket: holds });
    this.onchange();
  }

  async hold(items, priceTypes) {
    const body = priceTypes?.length ? { items, price_types: priceTypes } : { items };
    const held = await change('POST', `${this.path}/holds`, { body, bearer: this.bearer() });
    this.keep([...this.holds, held]);
    return held;
  }

  async release(hold) {
    try {
      await change('DELETE', `${this.path}/holds/${encodeURIComponent(hold)}`, { bearer: this.bearer() });
    } catch (problem) {
      if (![404, 410].includes(problem.status)) throw problem;
    }
    this.keep(this.holds.filter((held) => held.hold !== hold));
  }

  /** More time for every hold, which the house grants once. */
  async extend() {
    const extended = new Map();
    for (const { hold } of this.holds) {
      const { expires_at: expiresAt } = await change('POST', `${this.path}/holds/${encodeURIComponent(hold)}/extend`, { body: {}, bearer: this.bearer() });
      extended.set(hold, expiresAt);
    }
    this.keep(this.holds.map((held) => ({ ...held, expires_at: extended.get(held.hold), isExtended: true })));
  }

  /** Drops what has run out; true if something had. */
  sweep() {
    const alive = this.holds.filter((hold) => Date.parse(hold.expires_at) > nowMs());
    if (alive.length === this.holds.length) return false;
    this.keep(alive);
    return true;
  }

  /**
   * Pays. What is asked is kept before it is sent: when the answer is lost and the page with it, `resume` asks the
   * same again and gets the one answer there is.
   */
  async order({ customer, payment }) {
    const body = { holds: this.holds.map((hold) => hold.hold), payment, ...(customer ? { customer } : {}) };
    const summary = { items: this.items, total: this.total, currency: this.currency };
    this.memory.keep({ attempt: { key: crypto.randomUUID(), body, summary } });
    return this.resume();
  }

  get isUnderWay() {
    return Boolean(this.memory.kept.attempt);
  }

  async resume() {
    const { key, body, summary } = this.memory.kept.attempt;
    try {
      const ordered = await change('POST', `${this.path}/orders`, { body, key, bearer: this.bearer(), prefer: 'wait=2' });
      const order = { ...ordered, ...summary, email: body.customer?.email };
      this.memory.keep({ attempt: undefined, order });
      this.keep([]);
      return order;
    } catch (problem) {
      const isAnswer = problem.status >= 400 && problem.status < 500;
      if (isAnswer) this.memory.keep({ attempt: undefined });
      if (['hold-ended', 'unknown-hold'].includes(problem.slug)) this.keep([]);
      throw problem;
    }
  }
}
