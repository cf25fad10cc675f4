// <parvis-seat-map house="…" on-sale="…" [performance="…"] [pass="…"] [language="nl"]>: the hall as it fills, inside a
// house's own site or ours; with a pass one can choose and reserve. It is a file of its own, which `parvis.js` asks for
// where a page has such an element.
//
// Events, all with a `detail` and all leaving the shadow root: `parvis-seats-change` {performance, open, areas},
// `parvis-seats-pick` {performance, seats}, `parvis-hold` and `parvis-release` (a hold), `parvis-problem` {slug}.

import { change, explain, get } from './api.js';
import { Chooser } from './choose.js';
import { wear } from './chooserstyle.js';
import { untilMs } from './clock.js';
import { h } from './dom.js';
import { HASHES } from './pinned.js';
import { applyColours } from './theme.js';
import { chooseLanguage, loadWords } from './words.js';

/** Of words that this file alone loads; filled in where it is put together (api/pages.py). */
const OWN_HASHES = {};

Object.assign(HASHES, OWN_HASHES);

const TABS_AT_MOST = 4;
const PLACES_ELSEWHERE = 4;

class ParvisSeatMap extends HTMLElement {
  static observedAttributes = ['house', 'on-sale', 'performance', 'pass', 'language'];

  /** Ours to give where the page around knows them already, so that nothing is asked twice: {words, onSale, hold, release, mine}. */
  given = null;

  holds = [];

  get pass() {
    return this.getAttribute('pass');
  }

  set pass(pass) {
    if (pass) this.setAttribute('pass', pass);
    else this.removeAttribute('pass');
  }

  connectedCallback() {
    // What a page has set on the element before this file was there.
    for (const name of ['pass', 'given']) {
      if (!Object.hasOwn(this, name)) continue;
      const value = this[name];
      delete this[name];
      if (value !== null) this[name] = value;
    }
    this.begin();
  }

  disconnectedCallback() {
    this.started = null;
    this.chooser?.stop();
    this.chooser = null;
  }

  attributeChangedCallback(name, before, after) {
    if (!this.isConnected || before === after || !this.started) return;
    if (name === 'pass' && Boolean(before) === Boolean(after)) return;
    if (name === 'performance' && this.onSale && this.chooser?.id !== after) this.show(after);
    else if (name !== 'performance') this.begin();
  }

  async begin() {
    const [house, onSale] = [this.getAttribute('house'), this.getAttribute('on-sale')];
    if (!house || !onSale) return;
    const started = this.started = Symbol('started');
    this.chooser?.stop();
    try {
      if (this.given) Object.assign(this, { words: this.given.words, onSale: this.given.onSale });
      else {
        const [facts, about] = await Promise.all([get(`/v1/houses/${house}`).catch(() => null), get(`/v1/houses/${house}/on-sales/${onSale}`)]);
        const asked = this.getAttribute('language') ?? this.closest('[lang]')?.lang;
        const words = await loadWords(chooseLanguage(facts?.languages, asked), facts?.time_zone, ['shop']);
        if (this.started !== started) return;
        this.lang = words.language;
        applyColours(this, facts?.colours, { isOpen: true });
        Object.assign(this, { words, onSale: about });
      }
      this.panel = h('div', { class: 'chooser' });
      wear(this, h('div', { class: 'with-tabs' }, this.performancesChoice(), this.panel));
      await this.show(this.getAttribute('performance') ?? this.onSale.performances[0].performance);
    } catch (problem) {
      if (this.started === started) wear(this, h('p', { class: 'notice problem', role: 'alert' }, this.words ? explain(problem, this.words) : String(problem.message)));
    }
  }

  nameOf({ title, starts_at: at }) {
    return `${title}, ${this.words.shortDate(at)} ${this.words.hour(at)}`;
  }

  /** Which performance: as tabs, or from a list where there are many; none where there is no choice. */
  performancesChoice() {
    const { performances } = this.onSale;
    if (performances.length < 2 || (!this.given && this.hasAttribute('performance'))) return '';
    const { words } = this;
    if (performances.length > TABS_AT_MOST) {
      const choose = h('select', { onchange: () => this.show(performances[choose.selectedIndex].performance) }, performances.map((each) => h('option', {}, this.nameOf(each))));
      this.mark = (performance) => { choose.selectedIndex = performances.findIndex((each) => each.performance === performance); };
      return h('label', { class: 'field' }, h('span', {}, words.say('counter.step_performance')), choose);
    }
    const buttons = performances.map((each) => h('button', { type: 'button', class: 'tab', onclick: () => this.show(each.performance) },
      h('b', {}, each.title), h('small', {}, `${words.shortDate(each.starts_at)} · ${words.hour(each.starts_at)}`)));
    this.mark = (performance) => buttons.forEach((button, at) => button.setAttribute('aria-pressed', String(performances[at].performance === performance)));
    return h('div', { class: 'tabs', role: 'group', 'aria-label': words.say('performances') }, buttons);
  }

  async show(id) {
    const { words, onSale } = this;
    const performance = onSale.performances.find((each) => each.performance === id) ?? onSale.performances[0];
    this.mark?.(performance.performance);
    this.chooser?.stop();
    const mayChoose = Boolean(this.given ? this.given.hold : this.pass);
    const chooser = this.chooser = new Chooser({
      house: this.getAttribute('house'), performance, currency: onSale.currency, limit: onSale.limits.seats_a_hold, words, isInside: true,
      keptAs: `parvis:picked:${this.getAttribute('house')}/${performance.performance}`,
      hold: mayChoose ? (...wish) => this.hold(...wish) : null,
      release: mayChoose ? (hold) => this.release(hold) : null,
      mine: (which) => this.seatsOf(which),
      elsewhere: (quantity) => this.elsewhere(quantity),
      onopen: (open, areas) => this.tell('parvis-seats-change', { performance: performance.performance, open, areas }),
      onpick: (seats) => this.tell('parvis-seats-pick', { performance: performance.performance, seats }),
      onelement: (element) => this.panel.replaceChildren(element),
    });
    try {
      await chooser.open();
      if (this.chooser !== chooser) return;
      this.tell('parvis-plan', { performance: performance.performance, plan: chooser.plan });
      chooser.refresh();
    } catch (problem) {
      if (this.chooser === chooser) this.panel.replaceChildren(h('p', { class: 'notice problem', role: 'alert' }, explain(problem, words)));
    }
  }

  tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }

  /** `instead`: a hold that is given up for it in the same step. */
  async hold(items, types, instead = '', proofs = {}) {
    const path = `/v1/houses/${this.getAttribute('house')}/holds${instead && `/${encodeURIComponent(instead)}/swap`}`;
    const body = { items, ...(types?.length ? { price_types: types } : {}), ...proofs };
    try {
      const held = await (this.given?.hold ?? (() => change('POST', path, { body, bearer: this.pass })))(items, types, instead, proofs);
      this.holds = [...this.holds.filter(({ hold }) => hold !== instead), held];
      if (!this.given) setTimeout(() => this.refresh(), untilMs(held.expires_at) + 500);
      if (instead) this.tell('parvis-release', { hold: instead });
      this.tell('parvis-hold', held);
      return held;
    } catch (problem) {
      this.tell('parvis-problem', { slug: problem.slug });
      throw problem;
    }
  }

  async release(hold) {
    const path = `/v1/houses/${this.getAttribute('house')}/holds/${encodeURIComponent(hold)}`;
    const letGo = this.given?.release ?? (() => change('DELETE', path, { bearer: this.pass }).catch((problem) => { if (![404, 410].includes(problem.status)) throw problem; }));
    await letGo(hold);
    this.holds = this.holds.filter((held) => held.hold !== hold);
    this.chooser?.refresh();
    this.tell('parvis-release', { hold });
  }

  seatsOf(performance) {
    if (this.given) return this.given.mine(performance);
    const items = this.holds.filter((held) => untilMs(held.expires_at) > 0).flatMap((held) => held.items);
    return new Set(items.filter((item) => item.performance === performance && item.seat).map((item) => item.seat));
  }

  /** Ways to other performances with so many seats free. */
  async elsewhere(quantity) {
    const others = this.mark ? this.onSale.performances.filter(({ performance }) => performance !== this.chooser.id).slice(0, PLACES_ELSEWHERE) : [];
    const found = await Promise.all(others.map(async (each) => {
      const { seats } = await get(`/v1/houses/${this.getAttribute('house')}/performances/${each.performance}/seats`).catch(() => ({ seats: '' }));
      return { each, open: seats.split('o').length - 1 };
    }));
    return found.filter(({ open }) => open >= quantity).map(({ each, open }) => h('button', { type: 'button', class: 'secondary', onclick: () => this.show(each.performance) },
      `${this.nameOf(each)}: ${this.words.say('open_seats', { n: open })}`));
  }

  /** What is reserved changed elsewhere. */
  refresh() {
    this.chooser?.refresh();
  }

  /** A seat's state: `open held sold blocked picked mine`; null before the hall is known. */
  stateOf(seat) {
    return this.chooser?.nameState(seat) ?? null;
  }

  /** Shows a seat on the plan, and says where in the window it is: {x, y, radius} in CSS pixels. */
  async reveal(seat) {
    return this.chooser.reveal(seat);
  }
}

if (!customElements.get('parvis-seat-map')) customElements.define('parvis-seat-map', ParvisSeatMap);
