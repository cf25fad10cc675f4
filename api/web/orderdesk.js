// Orders at the control page: find one by its number, see what it is, return it, and the list of all as a file.

import { change, get, getFile } from './api.js';
import { field, h, setText } from './dom.js';
import { unfold } from './unfold.js';

/** `attempt(button, action)` shows trouble; `after` tells what was done. */
export function orderDesk({ words, path, house, key, attempt, after }) {
  const csv = h('button', { type: 'button', class: 'secondary', onclick: () => attempt(csv, async () => {
    const address = URL.createObjectURL(await getFile(`${path}/orders.csv`, { bearer: key }));
    h('a', { href: address, download: `${house}-orders.csv` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  }) }, words.say('orders_csv'));

  function returnForm(found, done) {
    const money = words.money(found.total, found.currency);
    const reason = h('input', { type: 'text', required: true, maxlength: 300 });
    const button = h('button', { type: 'submit', class: 'danger' }, words.say('order_return', { n: found.items.length }));
    const isCash = found.reference.startsWith('cash');
    const submit = (event) => {
      event.preventDefault();
      attempt(button, async () => {
        await change('POST', `${path}/orders/${found.order}/refund`, { bearer: key, body: { reason: reason.value } });
        done();
        after.tell(`${words.say(isCash ? 'order_returned_cash' : 'order_returned', { amount: money, n: found.items.length })} ${words.say('no_way_back')}`);
      });
    };
    return h('form', { onsubmit: submit }, h('p', { class: 'consequence' }, words.say(isCash ? 'order_return_cash' : 'order_return_hint', { amount: money, n: found.items.length })),
      h('p', {}, h('b', {}, words.say('no_way_back'))), field(words.say('reason'), reason, words.say('reason_hint')), button);
  }

  function orderCard(found, done) {
    const items = found.items.map((item) => h('li', {}, h('span', {}, h('b', {}, item.seat ?? item.area), h('small', {}, `${item.category} · ${words.priceType(item.price_type)}`)), h('span', { class: 'amount' }, words.money(item.price, found.currency))));
    const isWhole = found.state === 'recorded';
    return h('div', { class: 'found-order' }, h('p', {}, h('b', {}, words.say(`order_state.${found.state}`)), ' ', [found.name, found.email].filter(Boolean).join(' · ')),
      h('ul', { class: 'items' }, items), h('p', { class: 'row' }, h('b', {}, words.say('total')), h('b', {}, words.money(found.total, found.currency))),
      isWhole ? returnForm(found, done) : null);
  }

  function lookUp(close) {
    const number = h('input', { type: 'text', required: true, autocomplete: 'off', spellcheck: 'false', maxlength: 60 });
    const button = h('button', { type: 'submit', class: 'primary' }, words.say('order_find'));
    const shown = h('div');
    const trouble = h('p', { class: 'notice problem', role: 'alert', hidden: true });
    const submit = (event) => {
      event.preventDefault();
      trouble.hidden = true;
      shown.replaceChildren();
      attempt(button, async () => {
        const asked = number.value.replaceAll(/\s/g, '').toLowerCase();
        try {
          shown.replaceChildren(orderCard(await get(`${path}/orders/${encodeURIComponent(asked)}`, { bearer: key }), close));
        } catch (problem) {
          if (problem.status !== 404) throw problem;
          setText(trouble, words.say('order_not_found'));
          trouble.hidden = false;
        }
      });
    };
    return [h('form', { onsubmit: submit }, field(words.say('order_number'), number, words.say('order_number_hint')), trouble, button), shown];
  }

  return [unfold(words.say('order_lookup'), lookUp).element, csv];
}
