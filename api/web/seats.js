// Choosing, paying, done: /h/{house}/{on_sale}/seats.

import { explain, get, pause } from './api.js';
import { Basket } from './basket.js';
import { basketView } from './basketview.js';
import { checkoutForm, confirmation } from './checkout.js';
import { openChooser } from './choose.js';
import { observe } from './clock.js';
import { h, setText } from './dom.js';
import { Line } from './line.js';
import { nameArea, nameSeat, readPlan } from './plan.js';
import { NEVER, openPage, readPath, whenAndWhere } from './shell.js';

const FEW = 4;
const { house, onSale: id } = readPath();
const { words, main } = await openPage({ house, title: 'choose_seats', parts: ['shop'] });
const line = new Line({ house, onSale: id });
const { memory } = line;
const root = `/v1/houses/${house}/on-sales/${id}`;
const waitingPage = `/h/${house}/${id}`;
const problem = h('p', { class: 'notice problem', role: 'alert', hidden: true });
const steps = h('ol', { class: 'steps' }, ['step.choose', 'step.pay', 'step.done'].map((name) => h('li', {}, words.say(name))));
const stage = h('div', { class: 'stage-area' });

/** The widget of another site hands the place over behind the `#`, which no server sees. */
function takeHandover() {
  const given = new URLSearchParams(location.hash.slice(1));
  if (!given.get('place') || !given.get('secret')) return;
  history.replaceState(null, '', location.pathname + location.search);
  if (memory.pass && given.get('place') !== memory.kept.place) return;
  memory.keep({ place: given.get('place'), secret: given.get('secret'), index: Number(given.get('index')), position: undefined });
}

async function enter() {
  if (memory.pass) return true;
  if (!memory.kept.place) return false;
  for (;;) {
    if (await line.claim()) return true;
    if (!line.isFull) return false;
    setText(problem, words.say('next.full'));
    problem.hidden = false;
    await pause(line.retryAfterMs);
  }
}

const onSale = await get(root).catch((trouble) => { fail(trouble); return NEVER; });
observe((await get(`${root}/status`).catch(() => ({}))).server_time);
main.append(h('div', { class: 'intro' }, h('h1', {}, onSale.title), h('p', { class: 'pass-until muted' })), steps, problem, stage);
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
let chooser = null;
let view = null;
let isLooking = false;
const basket = new Basket({ house, memory, bearer: () => memory.pass ?? '', onchange: () => { view?.update(); chooser?.refresh(); } });

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
  if (['pass-ended', 'pass-required'].includes(trouble.slug)) problem.append(' ', h('a', { href: waitingPage }, words.say('back_to_queue')));
}

async function open(performance, panel) {
  chooser?.stop();
  panel.replaceChildren(h('p', { class: 'muted' }, words.say('loading')));
  try {
    chooser = await openChooser({
      house, performance, currency: onSale.currency, limit: onSale.limits.seats_a_hold, words,
      hold: isLooking ? null : async (items, types) => {
        await basket.hold(items, types).catch((trouble) => { if (trouble.slug?.startsWith('pass-')) fail(trouble); throw trouble; });
      },
      mine: (which) => basket.seatsOf(which),
    });
    plans.set(performance.performance, chooser.plan);
    panel.replaceChildren(chooser.element);
    view?.update();
  } catch (trouble) {
    panel.replaceChildren(h('p', { class: 'notice problem', role: 'alert' }, explain(trouble, words)));
  }
}

/** Which performance: as tabs, or from a list where there are many. */
function choosePerformance(panel) {
  if (onSale.performances.length <= FEW) return tabs(panel);
  const choose = h('select', { onchange: () => open(onSale.performances[choose.selectedIndex], panel) },
    onSale.performances.map((each) => h('option', {}, titles.get(each.performance))));
  choose.selectedIndex = onSale.performances.indexOf(firstChoice());
  open(firstChoice(), panel);
  return h('label', { class: 'field inline' }, h('span', {}, words.say('counter.step_performance')), choose);
}

function firstChoice() {
  return onSale.performances.find((each) => each.performance === basket.items[0]?.performance) ?? onSale.performances[0];
}

function tabs(panel) {
  const buttons = onSale.performances.map((performance) => h('button', { type: 'button', class: 'tab', onclick: () => pick(performance) },
    h('b', {}, performance.title), h('small', {}, `${words.shortDate(performance.starts_at)} · ${words.hour(performance.starts_at)}`)));
  function pick(performance) {
    buttons.forEach((button, at) => button.setAttribute('aria-pressed', String(onSale.performances[at] === performance)));
    open(performance, panel);
  }
  pick(firstChoice());
  if (buttons.length < 2) return h('p', { class: 'muted' }, whenAndWhere(onSale.performances[0], words));
  return h('div', { class: 'tabs', role: 'group', 'aria-label': words.say('performances') }, buttons);
}

function showSeats() {
  leaveStage();
  step(0);
  view = basketView({ basket, words, names, onpay: showCheckout });
  const panel = h('div', { class: 'panel' });
  stage.replaceChildren(choosePerformance(panel), h('div', { class: 'columns' }, panel, view.element), view.bar);
}

/** For whoever has no place in the queue: how the hall fills, and the way in. */
function showHall() {
  isLooking = true;
  steps.hidden = true;
  const panel = h('div', { class: 'panel' });
  stage.replaceChildren(h('p', { class: 'notice' }, words.say('look_only'), ' ', h('a', { href: waitingPage }, words.say('do.join'))), choosePerformance(panel), panel);
}

function leaveStage() {
  problem.hidden = true;
  view?.stop();
  chooser?.stop();
  chooser = null;
}

function showCheckout() {
  leaveStage();
  step(1);
  view = basketView({ basket, words, names, onpay: () => null });
  view.element.classList.add('paying');
  const form = checkoutForm({ basket, words, names, memory, onorder: showDone, onback: showSeats });
  stage.replaceChildren(h('div', { class: 'columns' }, form, view.element));
  form.querySelector('h2').focus();
}

function showDone(order) {
  leaveStage();
  step(2);
  const more = () => { memory.keep({ order: undefined }); if (memory.pass) showSeats(); else location.assign(waitingPage); };
  const again = h('button', { type: 'button', class: 'secondary', onclick: more }, words.say('buy_more'));
  const element = confirmation({ house, order, words, names, again });
  stage.replaceChildren(element);
  element.querySelector('h2').focus();
}

try {
  if (basket.isUnderWay) {
    setText(stage, words.say('checking_payment'));
    await basket.resume().catch(fail);
  }
  if (memory.kept.order) {
    await Promise.all([...new Set(memory.kept.order.items.map((item) => item.performance))].map(async (performance) => {
      const document = await get(`/v1/houses/${house}/performances/${performance}/plan`).catch(() => null);
      if (document) plans.set(performance, readPlan(document));
    }));
    showDone(memory.kept.order);
  } else if (await enter()) {
    setText(main.querySelector('.pass-until'), words.say('shop_until', { time: words.time(memory.kept.pass_expires_at) }));
    showSeats();
  } else if (memory.kept.place) location.replace(waitingPage);
  else showHall();
} catch (trouble) {
  fail(trouble);
}
