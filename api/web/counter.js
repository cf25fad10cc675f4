// The counter: someone who has never seen it sells a ticket in three steps. /h/{house}/counter

import { change, explain, get } from './api.js';
import { Basket } from './basket.js';
import { basketView, itemList } from './basketview.js';
import { openChooser } from './choose.js';
import { field, h, setText, whileBusy } from './dom.js';
import { nameArea, nameSeat } from './plan.js';
import { openPage, readPath } from './shell.js';
import { askForKey, leaveButton } from './staff.js';

const { house } = readPath();
const { words, main, house: facts } = await openPage({ house, title: 'counter', isStaff: true, parts: ['shop', 'staff'] });
const path = `/v1/houses/${house}`;

async function readOnSales() {
  const ids = (await get(path)).on_sales.filter((each) => each.phase !== 'closed').map((each) => each.on_sale);
  return Promise.all(ids.map((id) => get(`${path}/on-sales/${id}`)));
}

/** The key proves itself on something harmless that it may do: to give back a hold that does not exist. */
async function check(bearer) {
  await change('DELETE', `${path}/holds/none`, { bearer, tries: 1 }).catch((trouble) => {
    if ([401, 403].includes(trouble.status) && trouble.slug !== 'forged-token') throw trouble;
  });
  return readOnSales();
}

const { key, found: onSales } = await askForKey({ words, main, check });
const memory = { kept: {}, keep(given) { Object.assign(this.kept, given); } };
const choices = onSales.flatMap((onSale) => onSale.performances.map((performance) => ({ onSale, performance })))
  .sort((a, b) => Date.parse(a.performance.starts_at) - Date.parse(b.performance.starts_at));
const plans = new Map();
const names = {
  titleOf: (id) => choices.find(({ performance }) => performance.performance === id)?.performance.title ?? id,
  nameItem: (item) => (item.seat ? nameSeat(plans.get(item.performance), item.seat, words)
    : nameArea(plans.get(item.performance), item.area, words)),
};
const steps = h('ol', { class: 'steps' }, ['counter.step_performance', 'counter.step_seats', 'counter.step_pay'].map((name) => h('li', {}, words.say(name))));
const stage = h('div', { class: 'stage-area' });
let [chooser, view, current] = [null, null, null];
const basket = new Basket({ house, memory, bearer: () => key, onchange: () => { view?.update(); chooser?.refresh(); } });

function step(number) {
  [...steps.children].forEach((item, at) => {
    item.classList.toggle('past', at < number);
    if (at === number) item.setAttribute('aria-current', 'step');
    else item.removeAttribute('aria-current');
  });
  view?.stop();
  chooser?.stop();
  [view, chooser] = [null, null];
  scrollTo({ top: 0 });
}

function show(...children) {
  stage.replaceChildren(...children);
  stage.querySelector('h2')?.focus();
}

function pickPerformance() {
  step(0);
  const list = choices.map((each) => h('li', {}, h('button', { type: 'button', class: 'card big-choice', 'data-performance': each.performance.performance, onclick: () => pickSeats(each) },
    h('b', {}, each.performance.title), h('span', {}, words.moment(each.performance.starts_at)), h('small', {}, each.performance.hall))));
  show(h('h2', { tabindex: '-1' }, words.say('counter.which_performance')), list.length ? h('ul', { class: 'cards' }, list) : h('p', { class: 'card' }, words.say('nothing_on_sale')));
}

async function pickSeats({ onSale, performance }) {
  step(1);
  current = { onSale, performance };
  view = basketView({ basket, words, names, onpay: pickPayment, isCounter: true });
  const panel = h('div', { class: 'panel' }, h('p', { class: 'muted' }, words.say('loading')));
  const back = h('button', { type: 'button', class: 'quiet', onclick: pickPerformance }, words.say('counter.other_performance'));
  show(h('div', { class: 'row' }, h('h2', { tabindex: '-1' }, `${performance.title}, ${words.moment(performance.starts_at)}`), back),
    h('div', { class: 'columns' }, panel, view.element), view.bar);
  try {
    chooser = await openChooser({
      house, performance, currency: onSale.currency, limit: onSale.limits.seats_a_hold, words,
      hold: (items, types) => basket.hold(items, types), mine: (id) => basket.seatsOf(id),
    });
    plans.set(performance.performance, chooser.plan);
    panel.replaceChildren(chooser.element);
    view.update();
  } catch (trouble) {
    panel.replaceChildren(h('p', { class: 'notice problem', role: 'alert' }, explain(trouble, words)));
  }
}

function pickPayment() {
  step(2);
  const { items, total, currency } = basket;
  const email = h('input', { type: 'email', autocomplete: 'off' });
  const name = h('input', { type: 'text', autocomplete: 'off' });
  const problem = h('p', { class: 'notice problem', role: 'alert', hidden: true });
  const pay = (way) => {
    const button = h('button', { type: 'button', class: 'primary large', onclick: () => {
      if (!email.reportValidity()) return;
      problem.hidden = true;
      const customer = email.value ? { email: email.value, ...(name.value ? { name: name.value } : {}) } : null;
      whileBusy(button, async () => showSold(await basket.order({ customer, payment: { provider: 'counter', reference: `${way}-${crypto.randomUUID()}` } }), way),
        (trouble) => { setText(problem, explain(trouble, words)); problem.hidden = false; });
    } }, words.say(`counter.${way}`));
    return button;
  };
  show(h('section', { class: 'card checkout' }, h('h2', { tabindex: '-1' }, words.say('counter.take_money', { amount: words.money(total, currency) })),
    itemList({ items, total, currency, names, words }),
    h('details', { class: 'buyer' }, h('summary', {}, words.say('counter.buyer')), field(words.say('email'), email, words.say('email_hint')), field(words.say('name'), name)),
    problem, h('p', {}, words.say('counter.how_paid')), h('div', { class: 'actions' }, pay('cash'), pay('card')),
    h('button', { type: 'button', class: 'quiet', onclick: () => pickSeats(current) }, words.say('back_to_seats'))));
}

function showSold(order, way) {
  step(3);
  show(h('section', { class: 'card done' }, h('span', { class: 'mark', 'aria-hidden': 'true' }, '✓'),
    h('h2', { tabindex: '-1' }, words.say('counter.sold')), h('p', { role: 'status' }, words.say(`counter.sold_${way}`, { amount: words.money(order.total, order.currency) })),
    itemList({ items: order.items, total: order.total, currency: order.currency, names, words }),
    h('dl', { class: 'facts' }, h('div', {}, h('dt', {}, words.say('order_number')), h('dd', { class: 'order-number' }, order.order))),
    h('div', { class: 'actions' }, h('button', { type: 'button', class: 'primary large', onclick: () => pickSeats(current) }, words.say('counter.next_customer')),
      h('button', { type: 'button', class: 'quiet', onclick: pickPerformance }, words.say('counter.other_performance')))));
}

main.classList.add('wide');
main.append(h('div', { class: 'intro row' }, h('h1', {}, words.say('counter')), leaveButton({ words })),
  steps, stage, facts.operator_contact ? h('p', { class: 'muted' }, words.say('counter.stuck')) : '');
if (choices.length === 1) pickSeats(choices[0]);
else pickPerformance();
