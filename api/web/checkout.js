// Paying and afterwards: details, the demonstration's payment, and what became of the order.

import { explain, get, pause } from './api.js';
import { itemList } from './basketview.js';
import { field, h, setText, whileBusy } from './dom.js';

const LOOK_EVERY_MS = 2500;
const LOOKS = 240;
const OPEN_ENDED = ['confirmed', 'awaiting_payment'];

/** The form; `onorder(order)` once there is one, `onback()` to change the seats. */
export function checkoutForm({ basket, words, names, memory, onorder, onback }) {
  const { kept } = memory;
  const email = h('input', { type: 'email', required: true, autocomplete: 'email', inputmode: 'email', maxlength: 254, value: kept.email ?? '' });
  const name = h('input', { type: 'text', autocomplete: 'name', maxlength: 120, value: kept.name ?? '' });
  const choices = ['yes', 'no', 'late'].map((choice) => h('label', { class: 'choice' },
    h('input', { type: 'radio', name: 'payment', value: choice, ...(choice === 'yes' ? { checked: true } : {}) }),
    h('span', {}, h('b', {}, words.say(`pay.${choice}`)), h('small', {}, words.say(`pay.${choice}_hint`)))));
  const problem = h('p', { class: 'notice problem', role: 'alert', hidden: true });
  const button = h('button', { type: 'submit', class: 'primary large' }, words.say('pay_amount', { amount: words.money(basket.total, basket.currency) }));
  const back = h('button', { type: 'button', class: 'quiet', onclick: onback }, words.say('back_to_seats'));

  async function pay(event) {
    event.preventDefault();
    problem.hidden = true;
    memory.keep({ email: email.value, name: name.value });
    const customer = { email: email.value, language: words.language, ...(name.value ? { name: name.value } : {}) };
    const reference = `${new FormData(event.target).get('payment')}-${crypto.randomUUID()}`;
    await whileBusy(button, async () => onorder(await basket.order({ customer, payment: { provider: 'demo', reference } })), (trouble) => {
      setText(problem, explain(trouble, words));
      problem.hidden = false;
      problem.scrollIntoView({ block: 'nearest' });
    });
  }

  return h('form', { class: 'card checkout', onsubmit: pay },
    h('h2', { tabindex: '-1' }, words.say('your_details')),
    field(words.say('email'), email, words.say('email_hint')),
    field(`${words.say('name')} (${words.say('optional')})`, name),
    h('fieldset', {}, h('legend', {}, words.say('payment')), h('p', { class: 'muted' }, words.say('payment_demo')), choices),
    problem, h('div', { class: 'actions' }, button, back));
}

/** What became of an order; follows it until nothing more can change. `again` is the way to buy more, or null. */
export function confirmation({ house, order, words, names, again }) {
  const mark = h('span', { class: 'mark', 'aria-hidden': 'true' });
  const headline = h('h2', { tabindex: '-1' });
  const lead = h('p', { role: 'status' });
  const performances = [...new Set(order.items.map((item) => item.performance))];
  const element = h('section', { class: 'card done' }, mark, headline, lead,
    h('p', {}, performances.map((performance) => h('b', { class: 'what' }, names.titleOf(performance)))),
    h('dl', { class: 'facts' },
      h('div', {}, h('dt', {}, words.say('order_number')), h('dd', { class: 'order-number' }, order.order)),
      order.email ? h('div', {}, h('dt', {}, words.say('email')), h('dd', {}, order.email)) : null),
    itemList({ items: order.items, total: order.total, currency: order.currency, names, words }), again);

  function show(state) {
    element.dataset.state = state;
    setText(mark, { awaiting_payment: '…', refunded: '↩', conflicted: '!' }[state] ?? '✓');
    // Whether the books have it already is ours to know: to whoever bought, it is the same.
    const said = state === 'recorded' ? 'confirmed' : state;
    setText(headline, words.say(`order.${said}`));
    setText(lead, words.say(`order.${said}_lead`));
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
