// Orders at the control page: find one by its number, see what it is, return it or exchange it, or some of it, and the list of all as a file.

import { saveFile } from './aftersale.js';
import { change, get, getFile } from './api.js';
import { itemList } from './basketview.js';
import { field, h, setText } from './dom.js';
import { exchangeDesk } from './exchangedesk.js';
import { orderFact, typedOrder } from './ordernumber.js';
import { nameArea, nameSeat, planPath, readPlan } from './plan.js';
import { unfold } from './unfold.js';

/** `attempt(button, action)` shows trouble; `after` tells what was done. */
export function orderDesk({ words, path, house, key, attempt, after }) {
  const csv = h('button', { type: 'button', class: 'secondary', onclick: () => attempt(csv, async () => saveFile(await getFile(`${path}/orders.csv`, { bearer: key }), `${house}-orders.csv`)) }, words.say('orders_csv'));

  /** What is left of an order: a box an item, what becomes of those that are ticked, and why. */
  function returnForm(found, names, done) {
    const left = found.items.map((item, number) => ({ item, number })).filter(({ number }) => !found.returned.includes(number));
    const isCash = found.reference.startsWith('cash');
    const reason = h('input', { type: 'text', required: true, maxlength: 300 });
    const button = h('button', { type: 'submit', class: 'danger' });
    const other = h('button', { type: 'button', class: 'secondary', onclick: () => attempt(other, swap) });
    const what = h('p', { class: 'consequence' });
    const desk = h('div');
    const boxes = left.map(({ item, number }) => h('input', { type: 'checkbox', name: 'item', value: String(number), checked: true, onchange: () => look() }));
    const ticked = () => left.filter((_, at) => boxes[at].checked);
    const facts = () => {
      const some = ticked();
      return { n: some.length, amount: words.money(some.reduce((sum, { item }) => sum + item.price + item.fee, 0), found.currency) };
    };
    const asked = () => (ticked().length === left.length ? [] : ticked().map(({ number }) => number));

    function look() {
      const now = facts();
      setText(what, now.n ? words.say(isCash ? 'order_return_cash' : 'order_return_hint', now) : words.say('order_return_none'));
      setText(button, words.say('order_return', now));
      setText(other, words.say('order_exchange', now));
      [button.disabled, other.disabled] = [!now.n, !now.n];
      desk.replaceChildren();
    }

    async function swap() {
      const why = () => (reason.reportValidity() ? reason.value : null);
      const items = ticked().map(({ number }) => number);
      desk.replaceChildren(await exchangeDesk({ words, path, house, key, attempt, found, items, reason: why, done: (said) => { done(); after.tell(`${said} ${words.say('no_way_back')}`); } }));
    }

    const submit = (event) => {
      event.preventDefault();
      attempt(button, async () => {
        const now = facts();
        await change('POST', `${path}/orders/${found.order}/refund`, { bearer: key, body: { reason: reason.value, items: asked() } });
        done();
        after.tell(`${words.say(isCash ? 'order_returned_cash' : 'order_returned', now)} ${words.say('no_way_back')}`);
      });
    };
    const choice = ({ item }, at) => h('label', { class: 'choice' }, boxes[at], h('span', {}, h('b', {}, names.nameItem(item)), ` ${words.money(item.price + item.fee, found.currency)}`));
    look();
    return [h('form', { onsubmit: submit }, h('fieldset', {}, h('legend', {}, words.say('order_which')), left.map(choice)), what,
      h('p', {}, h('b', {}, words.say('no_way_back'))), field(words.say('reason'), reason, words.say('reason_hint')), h('div', { class: 'actions' }, button, other)), desk];
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
    const stands = found.state === 'recorded';
    const gone = found.items.filter((_, number) => stands && found.returned.includes(number));
    return h('div', { class: 'found-order' }, h('p', {}, h('b', {}, words.say(`order_state.${found.state}`)), ' ', [found.name, found.email].filter(Boolean).join(' · ')),
      h('dl', { class: 'facts' }, orderFact(found.order, words)), h('p', {}, names.ids.map((id) => h('b', { class: 'what' }, names.titleOf(id)))),
      itemList({ ...found, names, words }), gone.length ? h('p', {}, words.say('order_gone', { seats: gone.map(names.nameItem).join('; ') })) : null, stands ? returnForm(found, names, done) : null);
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
