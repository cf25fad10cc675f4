// On-sales as cards, for the house's own page and for the page of all houses.

import { h } from './dom.js';

const ORDER = ['open', 'paused', 'prequeue', 'scheduled', 'sold_out', 'closed'];

/** What is coming first comes first; what has ended comes last. */
export function inOrder(onSales) {
  return [...onSales].sort((a, b) => ORDER.indexOf(a.phase) - ORDER.indexOf(b.phase) || Date.parse(a.opens_at) - Date.parse(b.opens_at));
}

/** One on-sale as a card that leads to its queue. */
export function onSaleCard(onSale, house, spoken) {
  const words = spoken.at(onSale.time_zone);
  const page = onSale.page ?? `/h/${house}/${onSale.on_sale}`;
  const when = { scheduled: 'when.scheduled', prequeue: 'when.prequeue' }[onSale.phase] ?? null;
  const [first, last] = [onSale.dates[0], onSale.dates.at(-1)].map((date) => words.date(date));
  return h('li', { class: 'card on-sale' },
    h('p', { class: `phase ${onSale.phase}` }, words.say(`phase.${onSale.phase}`)),
    h('h2', {}, h('a', { href: page }, onSale.title)),
    h('p', {}, first === last ? first : words.say('date_to_date', { first, last })),
    onSale.house_name ? h('p', {}, onSale.house_name) : null,
    when ? h('p', { class: 'muted' }, words.say(when, { queue: words.moment(onSale.prequeue_at), start: words.moment(onSale.opens_at) })) : null);
}
