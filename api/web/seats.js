// Choosing, paying, done: /h/{house}/{on_sale}/seats.

import { explain, get, pause } from './api.js';
import { Basket } from './basket.js';
import { basketView } from './basketview.js';
import { checkoutForm } from './checkout.js';
import { observe } from './clock.js';
import { confirmation } from './confirmation.js';
import { h, setText } from './dom.js';
import { readFragment } from './fragment.js';
import { watchLeaving } from './leaving.js';
import { Line } from './line.js';
import { passWatch } from './passwatch.js';
import { nameArea, nameSeat, planPath, readPlan } from './plan.js';
import './seatmap.js';
import { NEVER, openPage, readPath, whenAndWhere } from './shell.js';

const { house, onSale: id } = readPath();
const { words, main } = await openPage({ house, title: 'choose_seats', parts: ['shop'] });
const line = new Line({ house, onSale: id });
const { memory } = line;
const root = `/v1/houses/${house}/on-sales/${id}`;
const waitingPage = `/h/${house}/${id}`;
const problem = h('p', { class: 'notice problem', role: 'alert', hidden: true });
const steps = h('ol', { class: 'steps' }, ['step.choose', 'step.pay', 'step.done'].map((name) => h('li', {}, words.say(name))));
const stage = h('div', { class: 'stage-area' });
const connection = h('p', { class: 'notice connection', role: 'status' });
const sayConnection = () => setText(connection, navigator.onLine ? '' : words.say('no_connection'));
for (const event of ['online', 'offline']) addEventListener(event, sayConnection);

/** The widget of another site hands the place over behind the `#`, which no server sees. */
function takeHandover() {
  const given = readFragment();
  if (given && (!memory.pass || given.place === memory.kept.place)) memory.takeOver(given);
}

async function enter() {
  if (memory.pass) return true;
  if (!memory.kept.place) return false;
  for (;;) {
    if (memory.kept.moved || await line.claim().catch(otherwise)) return true;
    if (!line.isFull) return false;
    setText(problem, words.say('next.full'));
    problem.hidden = false;
    await pause(line.retryAfterMs);
  }
}

/** What this browser had may be another device's by now, or of a key that signs no more: then it is a claim like the first. */
function otherwise(trouble) {
  if (trouble.slug === 'moved-elsewhere') watch.tellMoved();
  else if (trouble.slug === 'forged-token' && memory.kept.pass) memory.keep({ pass: undefined });
  else if (trouble.slug === 'stay-over' && basket.holds.length) return true; // what is reserved is paid for to its own end
  else throw trouble;
  return memory.kept.moved || line.claim();
}

const onSale = await get(root).catch((trouble) => { fail(trouble); return NEVER; });
const watch = passWatch({ line, words, isOffered: onSale.more_time_percent > 0, onback: () => location.reload() });
const status = await get(`${root}/status`).catch(() => ({}));
observe(status.server_time);
const isOver = ['sold_out', 'closed'].includes(status.phase);
main.append(h('div', { class: 'intro' }, h('h1', {}, onSale.title), watch.element), steps, connection, problem, stage);
sayConnection();
takeHandover();
const plans = new Map();
const titles = new Map(onSale.performances.map((performance) => [performance.performance, `${performance.title}, ${words.shortDate(performance.starts_at)} ${words.hour(performance.starts_at)}`]));
const names = {
  titleOf: (performance) => titles.get(performance) ?? performance,
  nameItem: (item) => {
    const plan = plans.get(item.performance);
    if (item.seat) return plan ? nameSeat(plan, item.seat, words) : item.seat;
    return nameArea(plan, item.area, words);
  },
};
let map = null;
let view = null;
const basket = new Basket({ house, memory, bearer: () => memory.kept.pass ?? '', most: onSale.limits.holds_an_order, onmoved: () => watch.tellMoved(), onchange: () => { view?.update(); map?.refresh(); } });
addEventListener('storage', ({ key }) => { if (key === memory.name) basket.sync(); });
watchLeaving({ basket, shop: root, onended: () => show().catch(fail) });

function step(number) {
  main.querySelector('.pass-until').hidden = number === 2;
  [...steps.children].forEach((item, at) => {
    item.classList.toggle('past', at < number);
    if (at === number) item.setAttribute('aria-current', 'step');
    else item.removeAttribute('aria-current');
  });
}

function fail(trouble) {
  setText(problem, explain(trouble, words));
  problem.hidden = false;
  if (!problem.isConnected) main.append(problem);
  if (['pass-ended', 'pass-required', 'stay-over'].includes(trouble.slug)) problem.append(' ', h('a', { href: waitingPage }, words.say('back_to_queue')));
}

async function readPlans(performances) {
  await Promise.all([...new Set(performances)].filter((each) => !plans.has(each)).map(async (performance) => {
    const change = onSale.performances.find((each) => each.performance === performance)?.plan_change;
    const document = await get(planPath(house, performance, change)).catch(() => null);
    if (document) plans.set(performance, await readPlan(document));
  }));
}

/** The component that houses embed, with this page's words, pass and basket. */
function seatMap(mayChoose) {
  map = h('parvis-seat-map', { house, 'on-sale': id, performance: basket.items[0]?.performance ?? onSale.performances[0].performance });
  map.given = {
    words, onSale, mine: (which) => basket.seatsOf(which), release: (hold) => basket.release(hold),
    hold: mayChoose ? (items, types, instead, proofs) => (instead ? basket.swap(instead, items, types, proofs) : basket.hold(items, types, proofs)).catch((trouble) => { if (trouble.slug?.startsWith('pass-')) fail(trouble); throw trouble; }) : null,
  };
  map.addEventListener('parvis-plan', ({ detail: { performance, plan } }) => { plans.set(performance, plan); view?.update(); });
  return map;
}

const whenIfOne = () => (onSale.performances.length === 1 ? h('p', { class: 'muted' }, whenAndWhere(onSale.performances[0], words)) : '');

function showSeats() {
  leaveStage();
  step(0);
  view = basketView({ basket, words, names, onpay: goToCheckout });
  stage.replaceChildren(whenIfOne(), h('div', { class: 'columns' }, seatMap(true), view.element), view.bar);
  readPlans(basket.items.map((item) => item.performance)).then(() => view?.update());
}

/** For whoever has no place in the queue: how the hall fills, and the way in, as long as there is one. */
function showHall() {
  steps.hidden = true;
  stage.replaceChildren(h('p', { class: 'notice' }, isOver ? words.say(`next.${status.phase}`) : [words.say('look_only'), ' ', h('a', { href: waitingPage }, words.say('do.join'))]), whenIfOne(), seatMap(false));
}

function leaveStage() {
  problem.hidden = true;
  view?.stop();
  map = null;
}

/** Each step is an entry of the history: the back button leads from paying to the seats. */
function goToCheckout() {
  history.pushState({ step: 'pay' }, '');
  showCheckout();
}

function showCheckout() {
  leaveStage();
  step(1);
  view = basketView({ basket, words, names, onpay: () => null, onended: () => history.back() });
  view.element.classList.add('paying');
  const form = checkoutForm({ basket, words, names, memory, onorder: showDone, onback: () => history.back() });
  stage.replaceChildren(h('div', { class: 'columns' }, form, view.element));
  scrollTo({ top: 0 });
  form.querySelector('h2').focus();
}

function showDone(order) {
  leaveStage();
  step(2);
  if (history.state?.step) history.replaceState({}, '');
  const more = () => {
    memory.keep({ order: undefined, bought: order });
    history.replaceState(history.state, '', location.pathname);
    if (memory.pass) showSeats(); else location.assign(waitingPage);
  };
  const again = h('button', { type: 'button', class: 'secondary', onclick: more }, words.say('buy_more'));
  const element = confirmation({ house, order, performances: onSale.performances, words, names, delivery: words.entries['own.delivery'] ?? onSale.policies?.delivery, again });
  stage.replaceChildren(element);
  scrollTo({ top: 0 });
  element.querySelector('h2').focus();
}

async function show() {
  const order = memory.kept.order ?? (location.hash === '#order' && memory.kept.bought);
  if (order) {
    await readPlans(order.items.map((item) => item.performance));
    showDone(order);
  } else if (await enter()) {
    problem.hidden = true;
    watch.show();
    if (history.state?.step === 'pay' && basket.holds.length) {
      await readPlans(basket.items.map((item) => item.performance));
      showCheckout();
    } else showSeats();
  } else if (memory.kept.place) location.replace(waitingPage);
  else showHall();
}

addEventListener('popstate', () => show().catch(fail));
try {
  if (basket.isUnderWay) {
    setText(stage, words.say('checking_payment'));
    await basket.resume().catch(fail);
  }
  await show();
} catch (trouble) {
  fail(trouble);
}
