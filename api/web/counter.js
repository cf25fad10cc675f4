// The counter: someone who has never seen it sells a ticket in three steps. /h/{house}/counter

import { change, explain, get, pause } from './api.js';
import { Basket } from './basket.js';
import { basketView, itemList } from './basketview.js';
import { openChooser } from './choose.js';
import { nowMs } from './clock.js';
import { field, h, setText, whileBusy } from './dom.js';
import { orderFact } from './ordernumber.js';
import { nameArea, nameSeat } from './plan.js';
import { queueDesk } from './queuedesk.js';
import { openPage, readPath } from './shell.js';
import { askForKey, leaveButton } from './staff.js';
import { loadStaffLook } from './stafflook.js';

/** As long as the server lets the counter undo what it sold. */
const UNDO_MS = 15 * 60_000;
const UNDO_TRIES = 6;

const { house } = readPath();
loadStaffLook();
const { words, main } = await openPage({ house, title: 'counter', isStaff: true, parts: ['shop', 'staff'] });
const path = `/v1/houses/${house}`;

/** From the house's own list: where the house cannot answer it says so, and nobody takes that for nothing to sell. */
async function readOnSales(bearer) {
  const ids = (await get(`${path}/manage/on-sales`, { bearer })).on_sales.filter((each) => each.phase !== 'closed').map((each) => each.on_sale);
  const found = await Promise.all(ids.map((id) => get(`${path}/on-sales/${id}`)));
  // Whoever is at the counter sees what a visitor would have to show: every price is theirs to give.
  for (const { performances } of found) for (const performance of performances) performance.price_types = {};
  return found;
}

/** The key proves itself on something harmless that it may do: to give back a hold that does not exist. */
async function check(bearer) {
  await change('DELETE', `${path}/holds/none`, { bearer, tries: 1 }).catch((trouble) => {
    if ([401, 403].includes(trouble.status) && trouble.slug !== 'forged-token') throw trouble;
  });
  return readOnSales(bearer);
}

const { key, found: onSales } = await askForKey({ words, main, title: 'counter', check });
const memory = { kept: {}, keep(given) { Object.assign(this.kept, given); } };
const choices = onSales.flatMap((onSale) => onSale.performances.map((performance) => ({ onSale, performance })))
  .sort((a, b) => Date.parse(a.performance.starts_at) - Date.parse(b.performance.starts_at));
const plans = new Map();
const names = {
  titleOf: (id) => choices.find(({ performance }) => performance.performance === id)?.performance.title ?? id,
  nameItem: (item) => (item.seat ? nameSeat(plans.get(item.performance), item.seat, words)
    : nameArea(plans.get(item.performance), item.area, words)),
};
/** Which performances the items are of: to be read to the customer before they pay. */
const whichOf = (items) => choices.map(({ performance }) => performance).filter((each) => items.some((item) => item.performance === each.performance))
  .map((each) => h('p', { class: 'which' }, h('b', {}, each.title), ` ${words.moment(each.starts_at)}`));
const steps = h('ol', { class: 'steps' }, ['counter.step_performance', 'counter.step_seats', 'counter.step_pay'].map((name) => h('li', {}, words.say(name))));
const offline = h('p', { class: 'notice problem', role: 'status', hidden: navigator.onLine }, words.say('counter.offline'));
const stage = h('div', { class: 'stage-area' });
let [chooser, view, current] = [null, null, null];
const basket = new Basket({ house, memory, bearer: () => key, onchange: () => { view?.update(); chooser?.refresh(); } });
for (const event of ['online', 'offline']) addEventListener(event, () => { offline.hidden = navigator.onLine; });

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

/** `focused`: what the next key press is for; else the heading is read. */
function show(children, focused = null) {
  stage.replaceChildren(...children);
  (focused ?? stage.querySelector('h2'))?.focus();
}

function pickPerformance() {
  step(0);
  const list = choices.map((each) => h('li', {}, h('button', { type: 'button', class: 'card big-choice', 'data-performance': each.performance.performance, onclick: () => pickSeats(each) },
    h('b', {}, each.performance.title), h('span', {}, words.moment(each.performance.starts_at)), h('small', {}, each.performance.hall))));
  const again = h('button', { type: 'button', class: 'secondary', onclick: () => location.reload() }, words.say('counter.ask_again'));
  show([h('h2', { tabindex: '-1' }, words.say('counter.which_performance')), list.length ? h('ul', { class: 'cards' }, list) : h('div', { class: 'card' }, h('p', {}, words.say('nothing_on_sale')), h('p', {}, again))]);
}

async function pickSeats({ onSale, performance }) {
  step(1);
  current = { onSale, performance };
  basket.most = onSale.limits.holds_an_order;
  view = basketView({ basket, words, names, onpay: pickPayment, isCounter: true });
  const panel = h('div', { class: 'panel' }, h('p', { class: 'muted' }, words.say('loading')));
  const back = h('button', { type: 'button', class: 'quiet', onclick: pickPerformance }, words.say('counter.other_performance'));
  show([h('div', { class: 'row' }, h('h2', { tabindex: '-1' }, `${performance.title}, ${words.moment(performance.starts_at)}`), back),
    h('div', { class: 'columns' }, panel, view.element), view.bar]);
  try {
    chooser = await openChooser({
      house, performance, currency: onSale.currency, limit: onSale.limits.seats_a_hold, words,
      hold: (items, types) => basket.hold(items, types), mine: (id) => basket.seatsOf(id),
    });
    plans.set(performance.performance, chooser.plan);
    panel.replaceChildren(chooser.element);
    view.update();
  } catch (trouble) {
    const again = h('button', { type: 'button', class: 'secondary', onclick: () => pickSeats(current) }, words.say('counter.ask_again'));
    panel.replaceChildren(h('p', { class: 'notice problem', role: 'alert' }, explain(trouble, words)), again);
  }
}

/** For somebody whose turn it is: the seats of what they waited for. */
function sellTo(id) {
  const mine = choices.filter(({ onSale }) => onSale.on_sale === id);
  if (mine.length === 1) pickSeats(mine[0]);
  else pickPerformance();
}

function pickPayment() {
  step(2);
  const { items, total, currency } = basket;
  const email = h('input', { type: 'email', autocomplete: 'off' });
  const name = h('input', { type: 'text', autocomplete: 'off' });
  const problem = h('p', { class: 'notice problem', role: 'alert', hidden: true });
  const ways = h('div', { class: 'actions ways' });
  const back = h('button', { type: 'button', class: 'quiet', onclick: () => pickSeats(current) }, words.say('back_to_seats'));
  /** What was asked stays the one thing to ask again while its answer is unknown: nothing is sold or paid twice. */
  const ask = (button, way, order) => whileBusy(button, async () => showSold(await order(), way), (trouble) => {
    setText(problem, basket.isUnderWay ? words.say('counter.uncertain') : explain(trouble, words));
    problem.hidden = false;
    if (!basket.isUnderWay) return;
    const again = h('button', { type: 'button', class: 'primary large', onclick: () => { problem.hidden = true; ask(again, way, () => basket.resume()); } }, words.say('counter.ask_again'));
    ways.replaceChildren(again);
    back.hidden = true;
    again.focus();
  });
  const pay = (way) => {
    const button = h('button', { type: 'button', class: 'primary large', onclick: () => {
      if (!email.reportValidity()) return;
      problem.hidden = true;
      const customer = email.value ? { email: email.value, ...(name.value ? { name: name.value } : {}) } : null;
      ask(button, way, () => basket.order({ customer, payment: { provider: 'counter', reference: `${way}-${crypto.randomUUID()}` } }));
    } }, words.say(`counter.${way}`));
    return button;
  };
  ways.append(pay('cash'), pay('card'));
  show([h('section', { class: 'card checkout' }, h('h2', { tabindex: '-1', class: 'takings' }, words.say('counter.take_money', { amount: words.money(total, currency) })),
    whichOf(items), itemList({ items, total, currency, names, words }),
    problem, h('p', {}, words.say('counter.how_paid')), ways,
    h('details', { class: 'buyer' }, h('summary', {}, words.say('counter.buyer')), field(words.say('email'), email, words.say('email_hint')), field(words.say('name'), name)), back)]);
}

/** What was sold can be undone by the counter itself for a while: asked once more first, with what becomes of the money. */
function undoBox(order, way, onundone) {
  const untilMs = nowMs() + UNDO_MS;
  const facts = { amount: words.money(order.total, order.currency), n: order.items.length, time: words.time(untilMs) };
  const box = h('div', { class: 'undo-sale' });
  const problem = h('p', { class: 'notice problem', role: 'alert', hidden: true });
  const attemptKey = crypto.randomUUID();
  /** The sale is written down a moment after it is made; only then can it be undone. */
  async function undo() {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await change('POST', `${path}/manage/orders/${order.order}/refund`, { bearer: key, key: attemptKey, body: { reason: words.say('counter.undo_reason') } });
      } catch (trouble) {
        const isEarly = trouble.slug === 'not-returnable' && trouble.facts.state === 'confirmed';
        if (!isEarly || attempt === UNDO_TRIES) throw trouble;
        await pause(700 * attempt);
      }
    }
  }
  const ask = h('button', { type: 'button', class: 'quiet', onclick: () => { box.replaceChildren(sure); yes.focus(); } }, words.say('counter.undo'));
  const yes = h('button', { type: 'button', class: 'danger', onclick: () => {
    problem.hidden = true;
    whileBusy(yes, async () => { await undo(); onundone(words.say(`counter.undone_${way}`, facts)); }, (trouble) => {
      setText(problem, trouble.facts?.state === 'confirmed' ? words.say('counter.undo_wait') : explain(trouble, words));
      problem.hidden = false;
    });
  } }, words.say('counter.undo_yes'));
  const no = h('button', { type: 'button', class: 'secondary', onclick: () => { box.replaceChildren(ask); ask.focus(); } }, words.say('sure.no'));
  const sure = h('div', { class: 'notice' }, h('p', {}, words.say('counter.undo_hint', facts)), problem, h('div', { class: 'actions' }, yes, no));
  box.append(ask);
  return box;
}

function showSold(order, way) {
  step(3);
  const next = h('button', { type: 'button', class: 'primary large', onclick: () => pickSeats(current) }, words.say('counter.next_customer'));
  const other = h('button', { type: 'button', class: 'quiet', onclick: pickPerformance }, words.say('counter.other_performance'));
  const amount = words.money(order.total, order.currency);
  const sold = [h('dl', { class: 'facts' }, orderFact(order.order, words)), whichOf(order.items),
    itemList({ items: order.items, total: order.total, currency: order.currency, names, words })];
  const undone = (text) => card('↩', text, []);
  const card = (mark, text, details) => show([h('section', { class: 'card done' }, h('span', { class: 'mark', 'aria-hidden': 'true' }, mark),
    h('h2', { tabindex: '-1' }, words.say(details.length ? 'counter.sold' : 'counter.undone')), h('p', { role: 'status' }, text),
    h('div', { class: 'actions' }, next, other), details, details.length ? undoBox(order, way, undone) : null)], next);
  card('✓', words.say(`counter.sold_${way}`, { amount }), sold);
}

main.classList.add('wide');
main.append(h('div', { class: 'intro row' }, h('h1', {}, words.say('counter')), leaveButton({ words })),
  steps, offline, stage, queueDesk({ house, words, onSales, key, sell: sellTo }), h('p', { class: 'muted' }, words.say('counter.stuck')));
if (choices.length === 1) pickSeats(choices[0]);
else pickPerformance();
