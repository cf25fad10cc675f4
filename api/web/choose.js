// Choosing seats of one performance: the best together, a standing area, or seat by seat on the plan or in a list.

import { explain, get } from './api.js';
import { bestForm, foundBox } from './bestform.js';
import { wear } from './chooserstyle.js';
import { h, setText, whileBusy } from './dom.js';
import { HallMap } from './hallmap.js';
import { fillLegend } from './legend.js';
import { LiveSeats } from './liveseats.js';
import { nameSeat, nameSeats, planPath, readPlan } from './plan.js';
import { priceRange, pickedSeats, sayUnmet } from './prices.js';
import { BLOCKED, MINE, PICKED, STATE_NAMES, STATE_OF_LETTER } from './seatlooks.js';
import { proofForm } from './proofs.js';
import { SeatList } from './seatlist.js';
import { standingForm } from './standingform.js';
import { readKept, TAB, writeKept } from './storage.js';

const SHOWN_AS = 'parvis:seats-as';
/** Refusals that end once something was let go. */
const NO_ROOM = ['too-many-seats', 'basket-full'];

/**
 * `hold(items, types, instead, proofs)` reserves and gives the hold, null where one may only look; `release(hold)` lets one go, null where
 * that is done elsewhere; `mine(performance)` gives the seat ids already reserved. `onopen({category: n})` tells what is
 * left, `onpick(ids)` what is picked, `elsewhere(quantity)` gives buttons that lead to other performances. `isInside`: the
 * page around it has the style already. `onelement(element)`: there is something to see; the plan is still being read. `keptAs`: the
 * name under which this tab keeps what is picked, over a reload. `start`: for how many the best are asked for at first.
 */
export class Chooser {
  constructor(given) {
    const defaults = { hold: null, release: null, mine: () => [], onopen: null, onpick: null, elsewhere: async () => [], isInside: false, onelement: null, keptAs: null };
    Object.assign(this, defaults, given, { id: given.performance.performance, picked: new Set(), types: new Map(), own: new Set(), letters: [], areas: {}, found: null });
    const { words, performance } = this;
    this.problem = h('div', { class: 'notice problem', role: 'alert', part: 'problem', hidden: true });
    this.box = foundBox({ words, onother: (button) => this.askOther(button), onback: (button) => this.letGo(button) });
    this.tray = h('div', { class: 'tray', part: 'tray', hidden: true });
    this.forms = h('div', { class: 'forms' });
    this.stage = h('section', { class: 'card map-card', part: 'plan' }, h('p', { class: 'muted' }, words.say('loading')));
    this.proofs = this.hold && proofForm({ performance, words, onchange: () => this.prove(performance) });
    if (this.proofs) {
      const { hold } = this;
      this.hold = (items, types, instead) => hold(items, types, instead, this.proofs.read());
    }
    this.panel = h('div', { class: 'chooser' }, ...[this.problem, this.box.element, this.proofs?.element, this.forms, this.stage].filter(Boolean));
    this.element = this.isInside ? this.panel : wear(h('div'), this.panel);
    this.showForms(performance.categories.map(({ name }) => name).filter((name) => performance.prices[name]), []);
    this.live = new LiveSeats({ house: this.house, performance: this.id, onchange: (now) => this.hear(now) });
  }

  async open() {
    this.onelement?.(this.element);
    await this.draw(this.performance.plan_change ?? 0);
    this.pickAgain();
    this.live.start().catch((trouble) => { this.tell(trouble); this.live.fallBack(); });
    return this;
  }

  /** The hall as it is after so many changes of its plan. */
  async draw(change) {
    const plan = await readPlan(await get(planPath(this.house, this.id, change)));
    const picked = [...this.picked].map((n) => [this.plan.ids[n], this.types.get(n)]);
    this.map?.stop();
    Object.assign(this, { plan, drawn: change, letters: [], own: new Set(), picked: new Set(), types: new Map() });
    const { prices } = this.performance;
    this.states = new Uint8Array(plan.count);
    const used = new Set(plan.category);
    this.seatCategories = plan.categories.filter(({ name }, at) => prices[name] && used.has(at)).map(({ name }) => name);
    this.showForms(this.seatCategories, plan.areas.filter(({ category }) => prices[category]));
    this.best?.over(plan);
    this.stage.hidden = !plan.count;
    if (plan.count) this.showPlan();
    this.refresh();
    for (const [seat, type] of picked) this.pick(seat, type);
  }

  /** The plan has changed meanwhile: it is drawn anew, and then what is heard of its seats. */
  async redraw(change) {
    if (this.drawing === change) return;
    this.drawing = change;
    await this.draw(change).then(() => { this.showTray(); this.live.tell(null); }).catch(() => null);
    this.drawing = null;
  }

  stop() {
    this.live.stop();
    this.map?.stop();
  }

  /** A code or a number was typed: prices that ask for it can be chosen now. */
  prove(performance) {
    this.performance = this.proofs.proven(performance);
    const [categories, areas] = this.formsFor;
    this.formsShown = null;
    this.showForms(categories, areas);
    this.standing.forEach((area) => area.show(this.areas[area.id] ?? 0));
    if (this.plan) this.showTray();
  }

  showForms(categories, areas) {
    const { performance, limit, currency, words } = this;
    this.formsFor = [categories, areas];
    const key = `${categories.join('\n')}\n\n${areas.map(({ id }) => id)}\n\n${this.plan?.hasStairs}`;
    if (!this.hold || key === this.formsShown) return;
    this.formsShown = key;
    this.standing = areas.map((area) => standingForm(this, area));
    const hasWheelchair = this.plan?.isWheelchair.some(Boolean);
    this.best = categories.length ? bestForm({
      performance, categories, limit, currency, words, start: this.start, onask: (button, asked) => this.askBest(button, asked),
      hasStairs: Boolean(this.plan?.hasStairs),
      onwheelchair: hasWheelchair ? () => { this.showAs('list'); this.list.showWheelchair(); } : null,
    }) : null;
    this.forms.replaceChildren(...[this.best, ...this.standing].filter(Boolean).map(({ element }) => element));
    if (this.plan) this.best?.over(this.plan);
    this.best?.own(this.firstOwn);
  }

  /** A seat that is reserved already. */
  get firstOwn() {
    return [...this.own].map((n) => this.plan.ids[n])[0];
  }

  showPlan() {
    const { plan, states, words } = this;
    const ontap = this.hold ? (n) => this.toggle(n) : null;
    const describe = (n) => this.describe(n);
    this.map = new HallMap({ plan, states, words, describe, ontap });
    this.list = new SeatList({ plan, states, words, describe, ontap, range: (seats) => this.rangeOf(seats) });
    this.switches = new Map(['map', 'list'].map((name) => [name, h('button', { type: 'button', class: 'tab', onclick: () => this.showAs(name) }, words.say(`as_${name}`))]));
    this.legend = h('ul', { class: 'legend', part: 'legend' });
    this.counts = new Map(this.seatCategories.map((name) => [name, h('small')]));
    const pointer = h('p', { class: 'unseen' }, words.say('map_has_list'));
    this.stage.replaceChildren(
      h('div', { class: 'plan-head' }, h('h2', {}, words.say(this.hold ? 'map_title' : 'map_label')), h('div', { class: 'switch', role: 'group', 'aria-label': words.say('seats_as') }, [...this.switches.values()])),
      this.legend, pointer, this.map.element, this.list.element, this.tray);
    this.showAs(readKept(SHOWN_AS) === 'list' ? 'list' : 'map');
    // Colours are known once the element stands in the page.
    requestAnimationFrame(() => fillLegend(this));
  }

  showAs(name) {
    this.map.element.hidden = name !== 'map';
    this.list.element.hidden = name !== 'list';
    for (const [each, button] of this.switches) button.setAttribute('aria-pressed', String(each === name));
    writeKept(SHOWN_AS, name);
  }

  /** "Stalls, row C, seat 14, wheelchair place, Category 1, € 24,00, free" */
  describe(n) {
    const { plan, words } = this;
    const { name } = plan.categories[plan.category[n]];
    const price = Object.values(this.performance.prices[name] ?? {})[0];
    return [nameSeat(plan, plan.ids[n], words), plan.isWheelchair[n] ? words.say('wheelchair') : null, name,
      price === undefined ? null : words.money(price, this.currency), words.say(`seat.${STATE_NAMES[this.states[n]]}`)].filter(Boolean).join(', ');
  }

  rangeOf(seats) {
    const names = [...new Set(seats.map((n) => this.plan.categories[this.plan.category[n]].name))].filter((name) => this.performance.prices[name]);
    const amounts = names.map((name) => Object.values(this.performance.prices[name])[0]);
    return amounts.length ? priceRange([Math.min(...amounts), Math.max(...amounts)], this.currency, this.words) : '';
  }

  /** What the hall looks like by now, `changed` of it (null: any). */
  hear({ letters, changed, areas, change }) {
    if (change !== this.drawn) {
      this.redraw(change);
      return;
    }
    Object.assign(this, { letters, areas });
    this.settle(changed);
    this.dropTaken();
    const open = new Map(this.plan.categories.map(({ name }) => [name, 0]));
    for (let n = 0; n < this.plan.count; n += 1) {
      if (letters[n] === 'o') open.set(this.plan.categories[this.plan.category[n]].name, open.get(this.plan.categories[this.plan.category[n]].name) + 1);
    }
    this.openOf = open;
    for (const [name, count] of this.counts ?? []) setText(count, this.words.say('open_seats', { n: open.get(name) }));
    this.standing?.forEach((area) => area.show(areas[area.id] ?? 0));
    this.onopen?.(Object.fromEntries(open), areas);
  }

  /** Gives seats (null: all) the look they should have; only what differs is drawn and said. */
  settle(which) {
    if (!this.states) return;
    const changed = [];
    const look = (n) => {
      const state = this.own.has(n) ? MINE : this.picked.has(n) ? PICKED : STATE_OF_LETTER[this.letters[n]] ?? BLOCKED;
      if (state === this.states[n]) return;
      this.states[n] = state;
      changed.push(n);
    };
    if (which) which.forEach(look);
    else for (let n = 0; n < this.plan.count; n += 1) look(n);
    if (!changed.length || !this.map) return;
    this.map.touch(changed);
    this.list.update(changed);
  }

  /** What is reserved has changed. */
  refresh() {
    if (!this.plan) return;
    const before = this.own;
    this.own = new Set([...this.mine(this.id)].map(this.plan.n).filter((n) => n !== undefined));
    this.settle([...before, ...this.own]);
    this.best?.own(this.firstOwn);
    if (this.found && !this.isAsking && !this.found.seats.some((seat) => this.own.has(this.plan.n(seat)))) this.forget();
    this.dropTaken();
  }

  forget() {
    this.found = null;
    this.box.hide();
  }

  /** Picked seats that somebody else took meanwhile. What is being reserved right now is the answer's to tell. */
  dropTaken() {
    if (this.isAsking || !this.letters.length) return;
    const gone = [...this.picked].filter((n) => this.letters[n] !== 'o');
    if (!gone.length) return;
    gone.forEach((n) => this.picked.delete(n));
    this.settle(gone);
    this.showTray();
    const others = gone.filter((n) => !this.own.has(n)).map((n) => this.plan.ids[n]);
    if (others.length) this.say([this.words.say('problem.seats-taken'), `${nameSeats(this.plan, others, this.words)}.`]);
  }

  /** What this tab had picked before a reload. What is open no longer, the first look at the hall drops and says. */
  pickAgain() {
    if (!this.hold || !this.keptAs) return;
    try {
      for (const [seat, type] of JSON.parse(readKept(this.keptAs, TAB)) ?? []) {
        this.pick(seat, type);
      }
    } catch { /* not ours, or broken */ }
    if (this.picked.size) this.showTray();
  }

  /** Takes a seat, or puts it back; with it those that are only sold together with it. */
  pick(seat, type) {
    const n = this.plan.n(seat);
    if (n === undefined || this.own.has(n)) return;
    this.picked.add(n);
    if (type) this.types.set(n, type);
  }

  toggle(n) {
    this.problem.hidden = true;
    const whole = this.plan.unitOf(n);
    if (this.picked.has(n)) whole.forEach((each) => this.picked.delete(each));
    else if (this.picked.size + whole.length > this.limit) {
      this.say([this.words.say('problem.too-many-seats', { limit: this.limit })]);
      return;
    } else whole.forEach((each) => this.picked.add(each));
    this.settle(whole);
    this.showTray();
  }

  showTray() {
    const { plan, words, performance, currency } = this;
    this.tray.hidden = this.picked.size === 0;
    this.onpick?.([...this.picked].map((n) => plan.ids[n]));
    this.keepPicked();
    if (!this.picked.size) return;
    const seats = [...this.picked].map((n) => ({ n, id: plan.ids[n], category: plan.categories[plan.category[n]].name, isBay: plan.isBay(n), comesAlong: plan.isBay(n) && plan.unitOf(n).slice(1).at(-1) === n }));
    const list = pickedSeats({ seats, performance, currency, words, chosen: this.types, nameOf: ({ id }) => nameSeat(plan, id, words), onremove: ({ n }) => this.toggle(n), onprice: () => this.keepPicked() });
    const button = h('button', { type: 'button', class: 'primary', onclick: () => this.askSeats(button, seats.map(({ id }) => id), list.read()) }, words.say('reserve_picked', { n: seats.length }));
    this.tray.replaceChildren(list.element, h('div', { class: 'tray-end' }, h('span', {}, words.say('together'), ' ', list.sum), button));
  }

  keepPicked() {
    const kept = [...this.picked].map((n) => [this.plan.ids[n], this.types.get(n)]);
    if (this.keptAs) writeKept(this.keptAs, kept.length ? JSON.stringify(kept) : null, TAB);
  }

  async ask(button, action, ontrouble) {
    this.problem.hidden = true;
    await whileBusy(button, async () => {
      this.isAsking = true;
      try { await action(); } finally {
        this.isAsking = false;
        this.refresh();
      }
    }, ontrouble);
  }

  askSeats(button, seats, types) {
    return this.ask(button, async () => {
      await this.hold([{ performance: this.id, seats }], types);
      this.picked.clear();
      this.types.clear();
      this.settle(seats.map(this.plan.n));
      this.showTray();
      this.forget();
    }, (trouble) => this.tell(trouble, types));
  }

  holdBest({ best, types }, instead) {
    return this.hold([{ performance: this.id, best }], types, instead);
  }

  askBest(button, asked) {
    return this.ask(button, async () => this.showFound(await this.holdBest(asked), asked), (trouble) => this.tell(trouble, asked.types, asked));
  }

  showFound(held, asked, isSame = false) {
    if (!held?.items || !this.plan) return;
    const { words } = this;
    const seats = held.items.map((item) => item.seat).filter(Boolean).sort((a, b) => this.plan.n(a) - this.plan.n(b));
    this.found = { held, asked, seats };
    this.box.show({ seats: nameSeats(this.plan, seats, words), amount: words.money(held.total, held.currency), until: words.time(held.expires_at), count: seats.length, choice: held.choices?.[0], isSame });
    this.box.element.querySelector('.actions').hidden = !this.release;
    this.refresh();
    this.map?.reveal(seats.map(this.plan.n));
  }

  /** Others first, then these are let go: so they are others. Where both would be too many, one for the other in one step. */
  askOther(button) {
    const { held, asked, seats } = this.found;
    return this.ask(button, async () => {
      let next = null;
      try {
        next = await this.holdBest(asked);
        await this.release(held.hold);
      } catch (trouble) {
        if (next || !NO_ROOM.includes(trouble.slug)) throw trouble;
        next = await this.holdBest(asked, held.hold);
      }
      this.showFound(next, asked, next.items.every((item) => seats.includes(item.seat)));
    }, (trouble) => this.tell(trouble, asked.types, asked));
  }

  letGo(button) {
    return this.ask(button, async () => { await this.release(this.found.held.hold); this.forget(); }, (trouble) => this.tell(trouble));
  }

  /** What was refused, in words, and what can be taken instead, right here. `asked`: the best that were asked for. */
  async tell(trouble, types = [], asked = null) {
    const { plan, words } = this;
    const { alternatives = [], taken = [], seat, largest_party: party, limit, yours } = trouble.facts ?? {};
    const named = seat && plan ? [seat] : taken;
    for (const n of taken.map(plan?.n)) {
      this.picked.delete(n);
      this.letters[n] = 'h';
    }
    this.settle(taken.map(plan?.n));
    this.showTray();
    const priced = (seats) => seats.length === types.length && seats.every((seat, at) => this.performance.prices[plan.categories[plan.category[plan.n(seat)]].name]?.[types[at]] !== undefined);
    const offers = alternatives.map((seats) => {
      const button = h('button', { type: 'button', class: 'secondary', onclick: () => this.askSeats(button, seats, priced(seats) ? types : []) }, words.say('take_these', { seats: nameSeats(plan, seats, words) }));
      return button;
    });
    const isTooMany = trouble.slug === 'too-many-seats' && yours > 0;
    const isUnmet = trouble.slug === 'condition-not-met';
    this.say([isTooMany ? words.say('too_many_with_yours', { limit, yours }) : isUnmet ? sayUnmet(trouble.facts, words) : explain(trouble, words), named.length ? `${nameSeats(plan, named, words)}.` : null,
      trouble.slug === 'sold-out' && party ? [asked?.category, words.say('largest_party', { n: party })].filter(Boolean).join(': ') : null], [alternatives.length ? h('p', {}, words.say('take_instead')) : null, offers.length ? h('div', { class: 'offers' }, offers) : null].filter(Boolean));
    if (trouble.slug === 'sold-out' && asked) await this.tellElsewhere(asked, trouble.facts?.elsewhere ?? []);
  }

  /** `elsewhere`: where the engine found room for as many. */
  async tellElsewhere({ best: { quantity } }, elsewhere) {
    const { words } = this;
    const left = elsewhere.filter(({ performance, seats }) => performance === this.id && seats).map(({ category }) => category);
    const buttons = left.map((name) => {
      const button = h('button', { type: 'button', class: 'secondary', onclick: () => this.askBest(button, this.best.ask(name, true)) }, `${name}: ${words.say('open_seats', { n: this.openOf.get(name) })}, ${this.rangeOf([this.plan.category.indexOf(this.plan.categories.findIndex((each) => each.name === name))])}`);
      return button;
    });
    buttons.push(...await this.elsewhere(quantity));
    if (buttons.length) this.problem.append(h('p', {}, words.say('left_elsewhere')), h('div', { class: 'offers' }, buttons));
  }

  nameState(seat) {
    const n = this.letters.length ? this.plan.n(seat) : undefined;
    return n === undefined ? null : STATE_NAMES[this.states[n]];
  }

  async reveal(seat) {
    const n = this.plan.n(seat);
    await this.map.near(n);
    return this.map.spot(n);
  }

  say(sentences, more = []) {
    this.problem.replaceChildren(h('p', {}, sentences.filter(Boolean).join(' ')), ...more);
    this.problem.hidden = false;
    this.problem.scrollIntoView({ block: 'nearest' });
  }
}

/** Loads the plan and gives the chooser. */
export const openChooser = (given) => new Chooser(given).open();
