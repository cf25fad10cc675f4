// What is reserved for one visitor (or one customer at the counter), until it is paid or let go.

import { change, Problem } from './api.js';
import { nowMs, untilMs } from './clock.js';

export class Basket {
  /** `memory` keeps the basket over a reload; `bearer()` gives the pass or key; `onchange()` after each change; `onmoved()` where another device has gone on; so many holds `most` become one order. */
  constructor({ house, memory, bearer, onchange, onmoved, most = Infinity }) {
    Object.assign(this, { path: `/v1/houses/${house}`, memory, bearer, onchange, onmoved, most });
    this.holds = [];
    /** What ran out last, so that it can be asked for again. */
    this.ended = [];
    this.sync();
  }

  /** Takes in what another tab of this browser has reserved, paid or let go. */
  sync() {
    this.memory.read?.();
    this.holds = (this.memory.kept.basket ?? []).filter((hold) => untilMs(hold.expires_at) > 0);
    this.onchange();
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

  /** `alter(holds)` gives the new ones: it is told what is kept by now, by whichever tab. */
  keep(alter) {
    this.memory.read?.();
    this.holds = alter((this.memory.kept.basket ?? []).filter((hold) => untilMs(hold.expires_at) > 0));
    this.memory.keep({ basket: this.holds });
    this.onchange();
  }

  /** Asks as this visitor. Another tab may have renewed the pass meanwhile: then it is asked once more, with the new one. */
  async ask(method, path, options) {
    const bearer = this.bearer();
    try {
      return await change(method, path, { ...options, bearer });
    } catch (problem) {
      if (problem.slug !== 'moved-elsewhere') throw problem;
      this.memory.read?.();
      const newest = this.bearer();
      if (newest && newest !== bearer) return change(method, path, { ...options, bearer: newest });
      this.onmoved?.();
      throw problem;
    }
  }

  /** The same wish after an answer that never came is the same request: it cannot reserve twice. */
  async hold(items, priceTypes, proofs = {}) {
    if (this.holds.length >= this.most) throw new Problem({ slug: 'basket-full' });
    return this.reserve(`${this.path}/holds`, { items, priceTypes, proofs });
  }

  /** Something else instead of what is held, in one step: refused, it is kept as it was. */
  async swap(hold, items, priceTypes, proofs = {}) {
    return this.reserve(`${this.path}/holds/${encodeURIComponent(hold)}/swap`, { items, priceTypes, proofs }, hold);
  }

  async reserve(path, { items, priceTypes, proofs }, instead = null) {
    const body = { items, ...(priceTypes?.length ? { price_types: priceTypes } : {}), ...proofs };
    const wish = path + JSON.stringify(body);
    const key = this.uncertain?.wish === wish ? this.uncertain.key : crypto.randomUUID();
    this.uncertain = { wish, key };
    try {
      const held = await this.ask('POST', path, { body, key });
      [this.uncertain, this.ended] = [null, []];
      this.keep((holds) => [...holds.filter(({ hold }) => hold !== instead), held]);
      return held;
    } catch (problem) {
      if (problem.status >= 400 && problem.status < 500) this.uncertain = null;
      throw problem;
    }
  }

  /** Asks for what ran out once more: the same seats, at the same prices. */
  holdAgain() {
    const wishes = new Map();
    for (const item of this.ended.flatMap((hold) => hold.items)) {
      const name = `${item.performance} ${item.seat ? '' : item.area}`;
      if (!wishes.has(name)) wishes.set(name, []);
      wishes.get(name).push(item);
    }
    const items = [...wishes.values()].map((like) => {
      const [{ performance, seat, area }] = like;
      return seat ? { performance, seats: like.map((item) => item.seat) } : { performance, area, quantity: like.length };
    });
    return this.hold(items, [...wishes.values()].flat().map((item) => item.price_type));
  }

  async release(hold) {
    try {
      await this.ask('DELETE', `${this.path}/holds/${encodeURIComponent(hold)}`);
    } catch (problem) {
      if (![404, 410].includes(problem.status)) throw problem;
    }
    this.keep((holds) => holds.filter((held) => held.hold !== hold));
  }

  /** More time for every hold, which the house grants once. */
  async extend() {
    const extended = new Map();
    for (const { hold } of this.holds) {
      const { expires_at: expiresAt } = await this.ask('POST', `${this.path}/holds/${encodeURIComponent(hold)}/extend`, { body: {} });
      extended.set(hold, expiresAt);
    }
    this.keep((holds) => holds.map((held) => ({ ...held, expires_at: extended.get(held.hold) ?? held.expires_at, isExtended: true })));
  }

  /** Drops what has run out; true if something had. */
  sweep() {
    const alive = this.holds.filter((hold) => Date.parse(hold.expires_at) > nowMs());
    if (alive.length === this.holds.length) return false;
    this.ended = this.holds.filter((hold) => !alive.includes(hold));
    this.keep((holds) => holds);
    return true;
  }

  /**
   * Pays. What is asked is kept before it is sent: when the answer is lost, and perhaps the page with it, the same is
   * asked again, which gives the one answer there is.
   */
  async order({ customer, payment }) {
    if (this.isUnderWay) return this.resume();
    const body = { holds: this.holds.map((hold) => hold.hold), payment, ...(customer ? { customer } : {}) };
    const summary = { items: this.items, total: this.total, currency: this.currency };
    this.memory.keep({ attempt: { key: crypto.randomUUID(), body, summary } });
    return this.resume();
  }

  /** One of these holds has ended: the others are the visitor's still. Where none has by the clock, nobody knows which. */
  dropGone(tried) {
    const isAlive = ({ hold, expires_at: at }) => tried.includes(hold) && untilMs(at) > 0;
    const isKnown = this.holds.filter(isAlive).length < tried.length;
    const isGone = (held) => tried.includes(held.hold) && !(isKnown && isAlive(held));
    this.ended = [...this.ended, ...this.holds.filter(isGone)];
    this.keep((holds) => holds.filter((held) => !isGone(held)));
  }

  get isUnderWay() {
    return Boolean(this.memory.kept.attempt);
  }

  async resume() {
    const { key, body, summary } = this.memory.kept.attempt;
    try {
      const ordered = await this.ask('POST', `${this.path}/orders`, { body, key, prefer: 'wait=2' });
      const order = { ...ordered, ...summary, email: body.customer?.email };
      this.memory.keep({ attempt: undefined, order });
      this.keep((holds) => holds.filter(({ hold }) => !body.holds.includes(hold)));
      // With the order the room inside went to the next: there is nothing to give back, and what comes next is a new claim.
      if (!this.holds.length) this.memory.keep({ pass_expires_at: undefined });
      return order;
    } catch (problem) {
      // Whoever takes the place back here pays for the same, with the same payment.
      const isAnswer = problem.status >= 400 && problem.status < 500 && problem.slug !== 'moved-elsewhere';
      if (isAnswer) this.memory.keep({ attempt: undefined });
      if (['hold-ended', 'unknown-hold'].includes(problem.slug)) this.dropGone(body.holds);
      throw problem;
    }
  }
}
