// Exchanging what an order sold: other seats are chosen and held, then exchanged in one step; until then nothing changes.

import { change, get } from './api.js';
import { itemList } from './basketview.js';
import { openChooser } from './choose.js';
import { field, h } from './dom.js';
import { nameArea, nameSeat } from './plan.js';

/** `items`: numbers of the order's items; `reason()` answers why, or null where it is missing; `done(text)` when it is done. */
export async function exchangeDesk({ words, path, house, key, attempt, found, items, reason, done }) {
  const ids = (await get(`${path}/on-sales`, { bearer: key })).on_sales.filter((each) => each.phase !== 'closed').map((each) => each.on_sale);
  const onSales = await Promise.all(ids.map((id) => get(`/v1/houses/${house}/on-sales/${id}`)));
  const choices = onSales.flatMap((onSale) => onSale.performances.map((performance) => ({ onSale, performance: { ...performance, price_types: {} } })));
  const panel = h('div', { class: 'panel' });
  const offered = h('div', { class: 'notice', role: 'status', hidden: true });
  const which = h('select', { onchange: () => open() }, choices.map(({ performance }, at) => h('option', { value: String(at) }, `${performance.title}, ${words.moment(performance.starts_at)}`)));
  const first = choices.findIndex(({ performance }) => performance.performance === found.items[items[0]].performance);
  which.value = String(Math.max(0, first));
  let [chooser, hold, seats] = [null, '', []];

  /** What was chosen before is given up for it in the same step. */
  async function offer(wishes, types) {
    const body = { wishes, price_types: types ?? [], items, instead: hold };
    const made = await change('POST', `${path}/orders/${found.order}/offers`, { bearer: key, body });
    hold = made.hold;
    seats = made.items.map(({ seat }) => seat).filter(Boolean);
    showOffer(made);
    chooser.refresh();
    return made;
  }

  function showOffer({ items: got, total, currency, difference }) {
    const { plan } = chooser;
    const names = { titleOf: () => choices[Number(which.value)].performance.title, nameItem: (item) => (item.seat ? nameSeat(plan, item.seat, words) : nameArea(plan, item.area, words)) };
    const amount = words.money(Math.abs(difference), currency);
    const ways = difference > 0 ? ['cash', 'card'] : [''];
    const buttons = ways.map((way) => {
      const button = h('button', { type: 'button', class: 'primary', onclick: () => {
        const why = reason();
        if (why) attempt(button, () => take(way, difference, why, amount));
      } }, words.say(way ? `order_exchange_${way}` : 'order_exchange_yes'));
      return button;
    });
    const sentence = difference > 0 ? 'order_exchange_more' : difference < 0 ? 'order_exchange_less' : 'order_exchange_same';
    offered.replaceChildren(h('h3', { tabindex: '-1' }, words.say('order_exchange_new')), ...itemList({ items: got, total, currency, names, words }),
      h('p', { class: 'consequence' }, words.say(sentence, { amount })), h('div', { class: 'actions' }, buttons));
    offered.hidden = false;
    offered.scrollIntoView({ block: 'nearest' });
  }

  async function take(way, difference, why, amount) {
    const payment = way ? { provider: 'counter', reference: `${way}-${crypto.randomUUID()}` } : null;
    await change('POST', `${path}/orders/${found.order}/exchange`, { bearer: key, body: { hold, items, difference, reason: why, payment } });
    chooser.stop();
    done(words.say(difference < 0 ? 'order_exchanged_less' : 'order_exchanged', { amount }));
  }

  async function open() {
    chooser?.stop();
    const { onSale, performance } = choices[Number(which.value)];
    seats = [];
    panel.replaceChildren(h('p', { class: 'muted' }, words.say('loading')));
    chooser = await openChooser({ house, performance, currency: onSale.currency, limit: onSale.limits.seats_a_hold, words, start: items.length, hold: offer, mine: (id) => (id === performance.performance ? seats : []) });
    panel.replaceChildren(chooser.element);
  }

  await open();
  return h('div', { class: 'exchange' }, h('p', {}, words.say('order_exchange_hint')), field(words.say('order_exchange_for'), which), panel, offered);
}
