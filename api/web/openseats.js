// How many seats are open, a category, and what they cost.

import { h } from './dom.js';

/** A small table; `update(state, shown)` when the counts may have changed. */
export function openSeats({ words, onSale }) {
  const { performances, currency } = onSale;
  const rows = h('ul', { class: 'open-seats' });
  const element = h('details', { class: 'seats', open: true, hidden: true }, h('summary', {}, words.say('seats_title')), rows,
    performances.length > 1 ? h('p', { class: 'muted' }, words.say('seats_over_all')) : null);
  const colours = new Map(performances.flatMap((performance) => performance.categories.map(({ name, color }) => [name, color])));
  let written = '';

  function price(category) {
    const amounts = performances.flatMap(({ prices, price_types: kinds }) => Object.entries(prices[category] ?? {})
      .filter(([type]) => !kinds?.[type]?.needs).map(([, amount]) => amount));
    if (!amounts.length) return '';
    const [least, most] = [Math.min(...amounts), Math.max(...amounts)];
    return least === most ? words.money(least, currency) : words.say('from_to', { from: words.money(least, currency), to: words.money(most, currency) });
  }

  function row([category, count]) {
    const swatch = h('span', { class: 'swatch', 'aria-hidden': 'true' });
    if (/^#[0-9a-f]{3,8}$/i.test(colours.get(category) ?? '')) swatch.style.setProperty('background', colours.get(category));
    return h('li', {}, h('span', { class: 'category' }, swatch, category), h('span', { class: 'price' }, price(category)),
      h('b', { class: 'left-open' }, count > 0 ? words.say('seats_of', { n: count }) : words.say('seats_none')));
  }

  function update({ status }, { hasEnded, name }) {
    element.hidden = !status || hasEnded || name === 'shopping';
    const counts = Object.entries(status?.seats_open ?? {});
    if (element.hidden || written === JSON.stringify(counts)) return;
    written = JSON.stringify(counts);
    rows.replaceChildren(...counts.map(row));
  }

  return { element, update };
}
