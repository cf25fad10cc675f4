// Orders at the control page: find one by its number, see what it is, return it, and the list of all as a file.

import { change, get, getFile } from './api.js';
import { itemList } from './basketview.js';
import { field, h, setText } from './dom.js';
import { orderFact, typedOrder } from './ordernumber.js';
import { nameArea, nameSeat, planPath, readPlan } from './plan.js';
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

  /** What an order's performances are called, and its seats as the halls' plans name them. */
  async function namesFor(found) {
    const ids = [...new Set(found.items.map((item) => item.performance))];
    const { performances } = await get(`${path}/performances`, { bearer: key });
    const changeOf = (id) => performances.find((each) => each.performance === id)?.plan_change;
    const documents = await Promise.all(ids.map((id) => get(planPath(house, id, changeOf(id)))));
    const plans = new Map(await Promise.all(documents.map(async (document, at) => [ids[at], await readPlan(document)])));
    const titleOf = (id) => performances.filter((each) => each.performance === id).map((each) => `${each.title}, ${words.moment(each.starts_at)}`)[0] ?? id;
    const nameItem = ({ performance, seat, area }) => (seat ? nameSeat(plans.get(performance), seat, words) : nameArea(plans.get(performance), area, words));
    return { ids, titleOf, nameItem };
  }

  async function orderCard(found, done) {
    const names = await namesFor(found);
    const isWhole = found.state === 'recorded';
    return h('div', { class: 'found-order' }, h('p', {}, h('b', {}, words.say(`order_state.${found.state}`)), ' ', [found.name, found.email].filter(Boolean).join(' · ')),
      h('dl', { class: 'facts' }, orderFact(found.order, words)), h('p', {}, names.ids.map((id) => h('b', { class: 'what' }, names.titleOf(id)))),
      itemList({ ...found, names, words }), isWhole ? returnForm(found, done) : null);
  }

  function lookUp(close) {
    const number = h('input', { type: 'text', required: true, autocomplete: 'off', spellcheck: 'false', maxlength: 60 });
    const button = h('button', { type: 'submit', class: 'primary' }, words.say('order_find'));
    const shown = h('div');
    const trouble = h('p', { class: 'notice problem', role: 'alert', hidden: true });
    const refuse = (said) => {
      setText(trouble, words.say(said));
      trouble.hidden = false;
    };
    const submit = (event) => {
      event.preventDefault();
      trouble.hidden = true;
      shown.replaceChildren();
      attempt(button, async () => {
        const asked = typedOrder(number.value);
        const { orders } = asked ? await get(`${path}/orders?after=${asked.after}&limit=2`, { bearer: key }) : { orders: [] };
        const found = orders.filter(({ order }) => order.replaceAll('-', '').startsWith(asked.begins));
        if (found.length === 1) shown.replaceChildren(await orderCard(found[0], close));
        else refuse(found.length ? 'order_more_digits' : 'order_not_found');
      });
    };
    return [h('form', { onsubmit: submit }, field(words.say('order_number'), number, words.say('order_number_hint')), trouble, button), shown];
  }

  return [unfold(words.say('order_lookup'), lookUp).element, csv];
}
