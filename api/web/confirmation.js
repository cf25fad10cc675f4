// What became of an order, with a number that can be read aloud, printed, and put into a calendar.

import { get, pause } from './api.js';
import { itemList } from './basketview.js';
import { h, setText } from './dom.js';
import { orderFact } from './ordernumber.js';

const LOOK_EVERY_MS = 2500;
const LOOKS = 240;
const OPEN_ENDED = ['confirmed', 'awaiting_payment'];
const LASTS_MS = 7_200_000;

const folded = (text) => text.replaceAll(/[\\;,]/g, (sign) => `\\${sign}`).replaceAll('\n', '\\n');
const stamp = (ms) => new Date(ms).toISOString().replaceAll(/[-:]|\.\d+/g, '');

/** The performances as a calendar file (RFC 5545). */
function calendarOf(performances, order, words) {
  const entries = performances.flatMap(({ performance, title, hall, starts_at: at }) => [
    'BEGIN:VEVENT', `UID:${performance}-${order}@parvis`, `DTSTAMP:${stamp(Date.now())}`, `DTSTART:${stamp(Date.parse(at))}`, `DTEND:${stamp(Date.parse(at) + LASTS_MS)}`,
    `SUMMARY:${folded(title)}`, `LOCATION:${folded(hall ?? '')}`, `DESCRIPTION:${folded(`${words.say('order_number')} ${order}`)}`, 'END:VEVENT']);
  return ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//Parvis//EN', ...entries, 'END:VCALENDAR', ''].join('\r\n');
}

/** Follows the order until nothing more can change. `again` is the way to buy more, or null; `delivery`: how the house says that tickets come. */
export function confirmation({ house, order, performances, words, names, delivery, again }) {
  const mark = h('span', { class: 'mark', 'aria-hidden': 'true' });
  const headline = h('h2', { tabindex: '-1' });
  const lead = h('p', { role: 'status' });
  const ids = [...new Set(order.items.map((item) => item.performance))];
  const bought = performances.filter((each) => ids.includes(each.performance));
  const file = URL.createObjectURL(new Blob([calendarOf(bought, order.order, words)], { type: 'text/calendar' }));
  const arriving = delivery ? h('div', {}, h('dt', {}, words.say('policy.delivery')), h('dd', {}, delivery)) : null;
  const keeping = h('div', { class: 'actions keeping' },
    h('a', { class: 'button secondary', href: file, download: 'tickets.ics' }, words.say('to_calendar')),
    h('button', { type: 'button', class: 'secondary', onclick: () => print() }, words.say('print')), again);
  const element = h('section', { class: 'card done' }, mark, headline, lead,
    bought.map(({ performance, hall }) => h('p', {}, h('b', {}, names.titleOf(performance)), hall ? `\u00a0· ${hall}` : '')),
    h('dl', { class: 'facts' },
      orderFact(order.order, words),
      order.email ? h('div', {}, h('dt', {}, words.say('email')), h('dd', {}, order.email)) : null, arriving),
    itemList({ items: order.items, total: order.total, currency: order.currency, names, words }), keeping);

  function show(state) {
    element.dataset.state = state;
    setText(mark, { awaiting_payment: '…', refunded: '↩', exchanged: '↩', conflicted: '!' }[state] ?? '✓');
    // Whether the books have it already is ours to know: to whoever bought, it is the same.
    const said = state === 'recorded' ? 'confirmed' : state;
    setText(headline, words.say(`order.${said}`));
    setText(lead, words.say(`order.${said}_lead`));
    if (arriving) arriving.hidden = !OPEN_ENDED.includes(said);
  }

  async function follow() {
    let { state } = order;
    show(state);
    for (let look = 0; look < LOOKS && OPEN_ENDED.includes(state); look += 1) {
      await pause(LOOK_EVERY_MS * (1 + Math.min(look, 20) / 4));
      const found = await get(`/v1/houses/${house}/orders/${order.order}`, { bearer: order.order_secret }).catch(() => null);
      if (!found || !element.isConnected) continue;
      state = found.state;
      show(state);
    }
  }

  follow();
  return element;
}
