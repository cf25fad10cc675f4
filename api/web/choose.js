// Choosing seats of one performance: the best together, a standing area, or seat by seat on the map.

import { explain, get } from './api.js';
import { h, setText, whileBusy } from './dom.js';
import { LiveSeats } from './liveseats.js';
import { nameArea, nameSeat, nameSeats, readPlan } from './plan.js';
import { priceRange, pricesOf, pickedSeats, quantities } from './prices.js';
import { SeatMap } from './seatmap.js';

/** Loads the plan and builds the panel. `hold(items, priceTypes)` reserves, null where one may only look; `mine()` gives the seat ids already reserved. */
export async function openChooser({ house, performance, currency, limit, words, hold = null, mine = () => [] }) {
  const plan = readPlan(await get(`/v1/houses/${house}/performances/${performance.performance}/plan`));
  const id = performance.performance;
  const problem = h('div', { class: 'notice problem', role: 'alert', hidden: true });
  const picked = new Set();
  const chosen = new Map();
  const tray = h('div', { class: 'tray', hidden: true });
  const seatCategories = plan.categories.filter((category) => performance.prices[category.name] && plan.seats.some((seat) => seat.category === category.name));
  const counts = new Map();
  let open = { states: '', areas: {} };
  let isReserving = false;

  async function reserve(button, item, types) {
    problem.hidden = true;
    await whileBusy(button, async () => {
      isReserving = true;
      await hold([{ performance: id, ...item }], types).finally(() => { isReserving = false; });
      picked.clear();
      chosen.clear();
      best?.clear();
      standing.forEach((area) => area.clear());
      refresh();
    }, (trouble) => tell(trouble, types));
  }

  function tell(trouble, types) {
    const offers = (trouble.facts?.alternatives ?? []).map((seats) => {
      const fits = seats.length === types?.length && seats.every((seat, at) => performance.prices[plan.ids.get(seat)?.category]?.[types[at]] !== undefined);
      const button = h('button', { type: 'button', class: 'secondary', onclick: () => reserve(button, { seats }, fits ? types : []) }, nameSeats(plan, seats, words));
      return button;
    });
    const taken = trouble.facts?.taken ?? [];
    for (const seat of taken) picked.delete(plan.ids.get(seat)?.n);
    const party = trouble.slug === 'sold-out' && trouble.facts.largest_party ? words.say('largest_party', { n: trouble.facts.largest_party }) : null;
    say([explain(trouble, words), taken.length ? `${nameSeats(plan, taken, words)}.` : null, party],
      offers.length ? [h('p', {}, words.say('take_instead')), h('div', { class: 'offers' }, offers)] : []);
    refresh();
  }

  function say(sentences, more = []) {
    problem.replaceChildren(h('p', {}, sentences.filter(Boolean).join(' ')), ...more);
    problem.hidden = false;
    problem.scrollIntoView({ block: 'nearest' });
  }

  /** Picked seats that somebody else took meanwhile. What is being reserved right now is the answer's to tell. */
  function dropTaken(mineNow) {
    if (isReserving || !open.states) return;
    const gone = [...picked].filter((n) => open.states[n] !== 'o');
    gone.forEach((n) => picked.delete(n));
    const others = gone.filter((n) => !mineNow.has(n)).map((n) => plan.seats[n].id);
    if (others.length) say([words.say('problem.seats-taken'), `${nameSeats(plan, others, words)}.`]);
  }

  function toggle(seat) {
    problem.hidden = true;
    if (!picked.delete(seat.n)) {
      if (picked.size >= limit) {
        say([words.say('problem.too-many-seats', { limit })]);
        return;
      }
      picked.add(seat.n);
    }
    refresh();
  }

  function refresh() {
    const mineNow = new Set([...mine(id)].map((seat) => plan.ids.get(seat)?.n).filter((n) => n !== undefined));
    dropTaken(mineNow);
    map?.show({ states: open.states || undefined, picked: new Set(picked), mine: mineNow });
    for (const { name } of seatCategories) setText(counts.get(name), words.say('open_seats', { n: plan.seats.reduce((sum, seat) => sum + (seat.category === name && open.states[seat.n] === 'o' ? 1 : 0), 0) }));
    standing.forEach((area) => area.show(open.areas[area.id] ?? 0));
    tray.hidden = picked.size === 0;
    if (!picked.size) return;
    const seats = [...picked].map((n) => plan.seats[n]);
    const list = pickedSeats({ seats, performance, currency, words, chosen, nameOf: (seat) => nameSeat(plan, seat.id, words), onremove: toggle });
    const button = h('button', { type: 'button', class: 'primary', onclick: () => reserve(button, { seats: seats.map((seat) => seat.id) }, list.read()) }, words.say('reserve_picked', { n: seats.length }));
    tray.replaceChildren(list.element, h('div', { class: 'tray-end' }, h('span', {}, words.say('together'), ' ', list.sum), button));
  }

  function bestForm() {
    const any = seatCategories.length > 1 ? [''] : [];
    const box = h('div');
    let amounts;
    const button = h('button', { type: 'submit', class: 'primary' }, words.say('find_best'));
    const choose = h('select', { onchange: show }, [...any, ...seatCategories.map((category) => category.name)].map((name) => h('option', { value: name },
      name ? `${name} – ${priceRange(Object.values(pricesOf(performance, [name]))[0], currency, words)}` : words.say('any_category'))));
    function show() {
      const names = choose.value ? [choose.value] : seatCategories.map((category) => category.name);
      amounts = quantities({ prices: pricesOf(performance, names), limit, currency, words, start: Math.min(2, limit), onchange: () => { button.disabled = !amounts.count; } });
      box.replaceChildren(amounts.element);
    }
    show();
    const submit = (event) => {
      event.preventDefault();
      if (amounts.count) reserve(button, { best: { quantity: amounts.count, ...(choose.value ? { category: choose.value } : {}) } }, amounts.types);
    };
    const element = h('form', { class: 'card best', onsubmit: submit }, h('h2', {}, words.say('best_title')), h('p', { class: 'muted' }, words.say('best_hint')),
      any.length ? h('label', { class: 'field' }, h('span', {}, words.say('category')), choose) : null, box, button);
    return { element, clear: show };
  }

  function standingForm(area) {
    const prices = pricesOf(performance, [area.category]);
    const left = h('p', { class: 'muted' });
    const button = h('button', { type: 'submit', class: 'primary', disabled: true }, words.say('reserve'));
    const amounts = quantities({ prices, limit, currency, words, onchange: () => { button.disabled = !amounts.count; } });
    const submit = (event) => {
      event.preventDefault();
      if (amounts.count) reserve(button, { area: area.id, quantity: amounts.count }, amounts.types);
    };
    const element = h('form', { class: 'card standing', onsubmit: submit }, h('h2', {}, nameArea(plan, area.id, words)), left, amounts.element, button);
    return { id: area.id, element, clear: () => amounts.clear(), show: (count) => setText(left, words.say('open_places', { n: count })) };
  }

  const describe = (seat) => {
    const prices = Object.values(performance.prices[seat.category] ?? {});
    return [nameSeat(plan, seat.id, words), seat.isWheelchair ? words.say('wheelchair') : null, seat.category, prices.length ? words.money(prices[0], currency) : null].filter(Boolean).join(', ');
  };
  const map = plan.seats.length ? new SeatMap({ plan, words, describe, ontoggle: hold ? toggle : null }) : null;
  const best = hold && seatCategories.length ? bestForm() : null;
  const standing = plan.areas.filter((area) => hold && performance.prices[area.category]).map(standingForm);
  const swatch = (color) => { const dot = h('span', { class: 'swatch' }); dot.style.background = color; return dot; };
  const legend = h('ul', { class: 'legend' }, seatCategories.map(({ name, color }) => {
    counts.set(name, h('small'));
    return h('li', {}, swatch(color), h('span', {}, h('b', {}, name), ' ', priceRange(Object.values(pricesOf(performance, [name]))[0], currency, words)), counts.get(name));
  }), h('li', {}, h('span', { class: 'swatch taken' }), words.say('seat.sold')));
  const live = new LiveSeats({ house, performance: id, onchange: (now) => { open = now; refresh(); } });
  const element = h('div', { class: 'chooser' }, problem, h('div', { class: 'forms' }, best?.element, standing.map((area) => area.element)),
    map ? h('section', { class: 'card map-card' }, h('h2', {}, words.say(hold ? 'map_title' : 'map_label')), legend, map.element, tray) : null);
  live.start().catch((trouble) => { tell(trouble); live.fallBack(); });
  return { element, plan, refresh, stop: () => live.stop() };
}
