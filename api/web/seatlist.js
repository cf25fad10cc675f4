// The hall as a list: parts of the hall, their rows, and a row's seats, built when somebody opens them. It says all that
// the picture shows, to a keyboard and to a screen reader, and changes as the hall does.

import { h, setText } from './dom.js';
import { OPEN, PICKED, STATE_NAMES } from './seatlooks.js';

/** Seats of one part that people would call one row, whatever pieces it is drawn in. */
function rowsOf(plan, zone) {
  const rows = new Map();
  for (const at of zone.rows) {
    const { name, seats } = plan.rows[at];
    rows.set(name, [...rows.get(name) ?? [], ...seats]);
  }
  return [...rows].map(([name, seats]) => ({ name, seats }));
}

const fold = (text) => text.trim().toLowerCase();

export class SeatList {
  /** `states`: a byte a seat; `describe(n)`: what a seat says; `range(seats)`: what they cost; `ontap(n)`: chosen, null where one may only look. */
  constructor({ plan, states, words, describe, range, ontap }) {
    Object.assign(this, { plan, states, words, describe, range, ontap, rows: [], buttons: new Map() });
    const wheelchair = { name: words.say('wheelchair_places'), rows: plan.rows.map(({ name, seats }) => ({ name, seats: [...seats].filter((n) => plan.isWheelchair[n]) })).filter(({ seats }) => seats.length) };
    const zones = plan.zones.map((zone) => ({ name: zone.name, rows: rowsOf(plan, zone) }));
    this.sections = [...zones, ...(wheelchair.rows.length ? [wheelchair] : [])].map((zone) => this.section(zone));
    if (zones.length === 1) this.sections[0].element.open = true;
    this.wheelchair = wheelchair.rows.length ? this.sections.at(-1) : null;
    this.answer = h('p', { class: 'muted', role: 'status' });
    const wanted = h('input', { type: 'text', autocomplete: 'off', autocapitalize: 'characters', enterkeyhint: 'search', id: 'find-seat' });
    const find = h('form', { class: 'find', onsubmit: (event) => { event.preventDefault(); this.find(wanted.value); } },
      h('div', { class: 'field' }, h('label', { for: 'find-seat' }, words.say('find_seat')), wanted), h('button', { type: 'submit', class: 'secondary' }, words.say('find_seat_do')));
    this.element = h('div', { class: 'seat-list', part: 'list' }, find, this.answer, this.sections.map(({ element }) => element));
    this.update(null);
  }

  section({ name, rows }) {
    const free = h('small');
    const body = h('div', { class: 'rows' });
    const element = h('details', { class: 'zone', ontoggle: () => { if (element.open) section.build(); } }, h('summary', {}, h('b', {}, name || this.words.say('seats')), ' ', free), body);
    const seats = rows.flatMap((row) => row.seats);
    const section = {
      name, element, free, seats, rows: null,
      build: () => {
        if (section.rows) return section.rows;
        section.rows = rows.map((row) => this.row(name, row));
        body.replaceChildren(...section.rows.map((row) => row.element));
        this.rows.push(...section.rows);
        section.rows.forEach((row) => this.count(row));
        return section.rows;
      },
    };
    return section;
  }

  row(zone, { name, seats }) {
    const free = h('small');
    const title = name ? this.words.say('row_seen', { row: name }) : this.words.say('seats');
    const group = h('div', { class: 'row-seats', role: 'group', 'aria-label': [zone, title].filter(Boolean).join(', '), onkeydown: (event) => this.steer(event, group) });
    const element = h('details', { class: 'row', ontoggle: () => { if (element.open) row.build(); } }, h('summary', {}, h('span', {}, title), ' ', free), group);
    const row = {
      name, element, free, seats,
      build: () => {
        if (group.childElementCount) return;
        group.append(...seats.map((n) => this.button(n)));
        const first = [...group.children].find(({ n }) => this.states[n] === OPEN) ?? group.firstChild;
        first.tabIndex = 0;
      },
    };
    return row;
  }

  /** One stop a row for the Tab key; arrows go from seat to seat. */
  button(n) {
    const button = h('button', { type: 'button', tabindex: -1, 'data-seat': this.plan.ids[n], onclick: () => { this.stop(button); this.choose(n); } }, this.plan.numbers[n]);
    button.n = n;
    this.buttons.set(n, [...this.buttons.get(n) ?? [], button]);
    this.dress(n);
    return button;
  }

  dress(n) {
    const state = this.states[n];
    for (const button of this.buttons.get(n) ?? []) {
      button.className = `seat ${STATE_NAMES[state]}${this.plan.isWheelchair[n] ? ' wheelchair' : ''}`;
      button.setAttribute('aria-pressed', String(state >= PICKED));
      button.setAttribute('aria-disabled', String(!this.ontap || (state !== OPEN && state !== PICKED)));
      button.setAttribute('aria-label', this.describe(n));
    }
  }

  choose(n) {
    if (this.states[n] === OPEN || this.states[n] === PICKED) this.ontap?.(n);
  }

  stop(button) {
    for (const each of button.parentElement.children) each.tabIndex = each === button ? 0 : -1;
  }

  steer(event, group) {
    const all = [...group.children];
    const at = all.indexOf(event.target);
    const next = { ArrowLeft: at - 1, ArrowUp: at - 1, ArrowRight: at + 1, ArrowDown: at + 1, Home: 0, End: all.length - 1 }[event.key];
    if (next === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    if (!all[next]) return;
    this.stop(all[next]);
    all[next].focus();
  }

  count(entry) {
    const open = entry.seats.filter((n) => this.states[n] === OPEN);
    const price = open.length ? this.range(open) : '';
    setText(entry.free, [this.words.say('open_seats', { n: open.length }), price].filter(Boolean).join(' · '));
  }

  /** These seats (null: any) have another state now. */
  update(changed) {
    const touched = changed && new Set(changed);
    const isTouched = ({ seats }) => !touched || seats.some((n) => touched.has(n));
    this.sections.filter(isTouched).forEach((section) => this.count(section));
    this.rows.filter(isTouched).forEach((row) => this.count(row));
    for (const n of changed ?? this.buttons.keys()) this.dress(n);
  }

  /** "row C seat 14", "C 14", "C14": opens the row and goes to the seat. */
  find(text) {
    const said = [...fold(text).split(/[\s,;:]+/), ...fold(text).split(/[\s,.;:/-]+|(?<=[a-z])(?=\d)|(?<=\d)(?=[a-z])/)].filter(Boolean);
    const hits = this.plan.zones.flatMap((zone, at) => rowsOf(this.plan, zone).flatMap(({ name, seats }) => {
      const row = said.indexOf(fold(name));
      const n = name && row < 0 ? undefined : seats.find((seat) => said.some((word, place) => place > row && word === fold(this.plan.numbers[seat])));
      return n === undefined ? [] : [{ section: this.sections[at], name, n, isNamed: fold(zone.name).split(/\s+/).some((word) => said.includes(word)) }];
    }));
    const best = hits.find(({ isNamed }) => isNamed) ?? hits[0];
    setText(this.answer, best ? '' : this.words.say('find_seat_none'));
    if (best) this.go(best.section, best.name, best.n);
  }

  go(section, name, n) {
    section.element.open = true;
    const row = section.build().find((each) => each.name === name);
    row.element.open = true;
    row.build();
    const button = this.buttons.get(n).find((each) => row.element.contains(each));
    this.stop(button);
    button.focus();
    button.scrollIntoView({ block: 'nearest' });
  }

  showWheelchair() {
    const { element } = this.wheelchair;
    element.open = true;
    this.wheelchair.build().forEach((row) => { row.element.open = true; row.build(); });
    element.querySelector('summary').focus();
    element.scrollIntoView({ block: 'nearest' });
  }
}
