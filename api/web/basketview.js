// The basket as it is shown beside the seats: what, for how much, until when.

import { explain } from './api.js';
import { untilMs } from './clock.js';
import { h, setText, whileBusy } from './dom.js';
import { sayPriceType } from './prices.js';

const HURRY_MS = 120_000;

/** Every item with its words: [{title, what, item}]. */
export function linesOf(items, { nameItem, titleOf }) {
  return items.map((item) => ({ title: titleOf(item.performance), what: nameItem(item), item }));
}

const areSeveral = (items) => new Set(items.map((item) => item.performance)).size > 1;

/** What of it is VAT, a line a rate, the lowest first. */
function vatLines(items, currency, words) {
  const taxed = items.filter((item) => item.vat_rate);
  return [...new Set(taxed.map((item) => item.vat_rate))].sort((a, b) => a - b).map((rate) => h('div', { class: 'muted' },
    h('dt', {}, words.say('vat', { rate: rate / 100 })),
    h('dd', {}, words.money(taxed.filter((item) => item.vat_rate === rate).reduce((sum, item) => sum + item.vat, 0), currency))));
}

/** A list of items with prices, fee, total and VAT; also used on the confirmation. `several`: each says which performance it is of. */
export function itemList({ items, total, currency, names, words, several = areSeveral(items) }) {
  const fees = items.reduce((sum, item) => sum + item.fee, 0);
  const rows = linesOf(items, names).map(({ title, what, item }) => h('li', {},
    h('span', {}, h('b', {}, what), h('small', {}, [several ? title : null, item.category, sayPriceType(item.price_type, words)].filter(Boolean).join('\u00a0· '))),
    h('span', { class: 'amount' }, words.money(item.price, currency))));
  return [
    h('ul', { class: 'items' }, rows),
    h('dl', { class: 'sums' },
      fees ? h('div', {}, h('dt', {}, words.say('fee')), h('dd', {}, words.money(fees, currency))) : null,
      h('div', { class: 'total' }, h('dt', {}, words.say('total')), h('dd', {}, words.money(total, currency))),
      vatLines(items, currency, words)),
  ];
}

/** `names`: {nameItem(item), titleOf(performance)}; `onpay()` when the visitor goes on, `onended()` when the time was up; `isCounter`: it is another's basket. */
export function basketView({ basket, words, names, onpay, onended = null, isCounter = false }) {
  const title = words.say(isCounter ? 'counter.basket' : 'basket');
  const body = h('div', { class: 'basket-body' });
  const untilBox = h('p', { class: 'until' });
  const left = h('span', { class: 'left' });
  const untilText = h('span');
  untilBox.append(untilText, left);
  const more = h('button', { type: 'button', class: 'secondary', hidden: true, onclick: () => act(more, () => basket.extend()) }, words.say('more_time'));
  const pay = h('button', { type: 'button', class: 'primary large', onclick: onpay }, words.say('continue'));
  const problem = h('p', { class: 'notice problem', role: 'alert', hidden: true });
  const again = h('button', { type: 'button', class: 'secondary', hidden: true, onclick: () => act(again, () => basket.holdAgain()) }, words.say('ask_again'));
  const spoken = h('p', { class: 'unseen', role: 'status' });
  const element = h('aside', { class: 'card basket', 'aria-label': title },
    h('h2', {}, title), problem, again, untilBox, more, body, pay, spoken);
  const [barSum, barUntil] = [h('b'), h('small')];
  const barText = h('span', { class: 'bar-text' }, barSum, barUntil);
  const barButton = h('button', { type: 'button', class: 'primary', onclick: onpay }, words.say('continue'));
  const bar = h('div', { class: 'bottom-bar', hidden: true }, barText, barButton);
  const ticking = setInterval(tick, 1000);
  let hasWarned = false;

  async function act(button, action) {
    problem.hidden = true;
    await whileBusy(button, action, (trouble) => {
      const taken = (trouble.facts?.taken ?? []).map((seat) => names.nameItem({ performance: trouble.facts.performance, seat }));
      problem.hidden = false;
      setText(problem, [explain(trouble, words), ...taken].join(' '));
      if (taken.length) basket.ended = [];
      again.hidden = !basket.ended.length;
    });
  }

  function sayEnded() {
    problem.hidden = false;
    setText(problem, words.say('reservation_ended'));
    again.hidden = !basket.ended.length;
  }

  function tick() {
    if (basket.sweep()) {
      sayEnded();
      if (onended) onended();
      else problem.scrollIntoView({ block: 'nearest' });
    }
    if (!basket.endsAt) return;
    const leftMs = untilMs(basket.endsAt);
    const time = words.time(basket.endsAt);
    setText(untilText, words.say(isCounter ? 'kept_until' : 'reserved_until', { time }));
    setText(left, words.stretch(leftMs));
    const isHurried = leftMs < HURRY_MS;
    untilBox.classList.toggle('hurried', isHurried);
    more.hidden = !isCounter || !isHurried || basket.holds.every((hold) => hold.isExtended);
    setText(barSum, `${words.say('items', { n: basket.items.length })} · ${words.money(basket.total, basket.currency)}`);
    setText(barUntil, `${words.say('kept_until', { time })} (${words.stretch(leftMs)})`);
    if (isHurried && !hasWarned) setText(spoken, words.say('two_minutes_left'));
    hasWarned = isHurried;
  }

  function update() {
    const isEmpty = basket.holds.length === 0;
    untilBox.hidden = isEmpty;
    pay.hidden = isEmpty;
    bar.hidden = isEmpty;
    if (isEmpty) more.hidden = true;
    else problem.hidden = again.hidden = true;
    const several = areSeveral(basket.items);
    const groups = basket.holds.map((hold) => {
      const letGo = h('button', { type: 'button', class: 'quiet', onclick: () => act(letGo, () => basket.release(hold.hold)) }, words.say('let_go', { n: hold.items.length }));
      return h('div', { class: 'hold' }, itemList({ items: hold.items, total: hold.total, currency: hold.currency, names, words, several })[0], letGo);
    });
    const sums = isEmpty ? [] : itemList({ items: basket.items, total: basket.total, currency: basket.currency, names, words }).slice(1);
    body.replaceChildren(...(isEmpty ? [h('p', { class: 'muted' }, words.say(isCounter ? 'counter.basket_empty' : 'basket_empty'))] : [...groups, ...sums]));
    tick();
    setText(spoken, isEmpty ? '' : words.say('spoken_basket', { n: basket.items.length, time: words.time(basket.endsAt) }));
  }

  update();
  if (basket.ended.length) sayEnded();
  return { element, bar, update, stop: () => clearInterval(ticking) };
}
