// Choosing how many at which price: full, reduced, … as the house named them.

import { h, setText } from './dom.js';
import { stepper } from './stepper.js';

/** A price type as people say it; one that only this house knows is said as the house wrote it. */
export function sayPriceType(type, words) {
  return words.has(`price.${type}`) ? words.say(`price.${type}`) : type.replaceAll(/[-_]/g, ' ');
}

const COMPANION = 'companion';

/** What a category costs whoever has nothing to show, {type: amount}; `isBay`: beside a wheelchair, where somebody may come along. */
export const plainPrices = ({ prices, price_types: kinds }, category, isBay = false) => Object.fromEntries(
  Object.entries(prices[category] ?? {}).filter(([type]) => !kinds?.[type]?.needs || (isBay && kinds[type].needs === COMPANION)));

/** The price types of a category, or, without one, those that every category of the list has: {type: [least, most]}. */
export function pricesOf(performance, categories) {
  const tables = categories.map((category) => plainPrices(performance, category));
  const shared = Object.keys(tables[0] ?? {}).filter((type) => tables.every((table) => type in table));
  return Object.fromEntries(shared.map((type) => {
    const amounts = tables.map((table) => table[type]);
    return [type, [Math.min(...amounts), Math.max(...amounts)]];
  }));
}

/** "€ 24,00", or "€ 24,00 – € 42,00". */
export function priceRange([least, most], currency, words) {
  return least === most ? words.money(least, currency) : `${words.money(least, currency)} – ${words.money(most, currency)}`;
}

/** For how many at once a price is, in words: none, one or two. `kind`: of `price_types`, where the house says more of it. */
const countsOf = (kind, words) => [kind?.at_least > 1 && words.say('price_at_least', { n: kind.at_least }), kind?.at_most && words.say('price_at_most', { n: kind.at_most })].filter(Boolean);

/** What stands below a price type's name: "€ 24,00 · from 10 seats at once". */
export const aboutPrice = (range, kind, currency, words) => [priceRange(range, currency, words), ...countsOf(kind, words)].join(' · ');

/** Why a price was refused: all that it asks for. `facts` as the API gives them. */
export function sayUnmet({ price_type: type, needs, ...counts }, words) {
  const conditions = [needs && words.say(`price_needs.${needs}`), ...countsOf(counts, words)].filter(Boolean).join(', ');
  return words.say('condition_unmet', { price: sayPriceType(type, words), conditions });
}

/**
 * Steppers, one a price type. `types` (the flat list for the API) and `count` are read from it; the limit holds for
 * all together. `onchange()` after each press. `kinds`: the performance's `price_types`.
 */
export function quantities({ prices, kinds, limit, currency, words, onchange, start = 0 }) {
  const steppers = new Map();
  const total = () => [...steppers.values()].reduce((sum, each) => sum + each.value, 0);
  const element = h('div', { class: 'quantities' });
  function settle() {
    const room = limit - total();
    for (const each of steppers.values()) each.most = each.value + room;
    onchange?.();
  }
  Object.entries(prices).forEach(([type, range], at) => {
    const name = sayPriceType(type, words);
    const each = stepper({ label: name, value: at === 0 ? start : 0, most: limit, onchange: settle, words });
    steppers.set(type, each);
    element.append(h('div', { class: 'quantity' }, h('span', {}, name, h('small', {}, aboutPrice(range, kinds?.[type], currency, words))), each.element));
  });
  return {
    element,
    get count() { return total(); },
    get types() { return [...steppers].flatMap(([type, each]) => Array(each.value).fill(type)); },
    clear() { for (const each of steppers.values()) each.value = 0; settle(); },
  };
}

/** A price type for each picked seat, and their sum; `onprice()` when one is chosen. `seats`: {n, id, category, isBay, comesAlong}, see `plan.js`. `read()` gives the flat list in the order of the seats. */
export function pickedSeats({ seats, performance, currency, words, nameOf, chosen, onremove, onprice }) {
  const sum = h('strong');
  const sumUp = () => setText(sum, words.money(seats.reduce((total, seat) => total + priceOf(seat), 0), currency));
  const typesOf = (seat) => Object.keys(plainPrices(performance, seat.category, seat.isBay));
  const forCompanion = (type) => performance.price_types?.[type]?.needs === COMPANION;
  const usual = (seat) => { const types = typesOf(seat); return (seat.comesAlong && types.find(forCompanion)) || types[0]; };
  const typeOf = (seat) => chosen.get(seat.n) ?? usual(seat);
  const priceOf = (seat) => performance.prices[seat.category]?.[typeOf(seat)] ?? 0;
  const rows = seats.map((seat) => {
    const amount = h('span', { class: 'amount' }, words.money(priceOf(seat), currency));
    const choose = typesOf(seat).length > 1 && h('select', {
      'aria-label': words.say('price_for', { seat: nameOf(seat) }),
      onchange: (event) => { chosen.set(seat.n, event.target.value); setText(amount, words.money(priceOf(seat), currency)); sumUp(); onprice(); },
    }, typesOf(seat).map((type) => h('option', { value: type, selected: type === typeOf(seat) }, sayPriceType(type, words))));
    return h('li', {}, h('span', {}, h('b', {}, nameOf(seat)), h('small', {}, seat.category)), choose, amount,
      h('button', { type: 'button', class: 'quiet icon', 'aria-label': words.say('remove_seat', { seat: nameOf(seat) }), onclick: () => onremove(seat) }, '✕'));
  });
  sumUp();
  return { element: h('ul', { class: 'items picked' }, rows), sum, read: () => seats.map(typeOf) };
}
