// What the control page asks a person to look at: alarms, and money that has to go back.

import { change, get } from './api.js';
import { field, h } from './dom.js';
import { isOrder, orderNumber } from './ordernumber.js';

/** A section that is hidden while there is nothing. `attempt(button, action, said)` runs an action and shows its trouble. */
export function attentionList({ words, path, key, attempt }) {
  const list = h('ul', { class: 'log' });
  const element = h('section', { class: 'card attention', hidden: true }, h('h2', {}, words.say('attention')), list);
  let written = '';

  function entry(text, facts, at, label, finish) {
    const why = h('input', { type: 'text', required: true, maxlength: 300 });
    const button = h('button', { type: 'submit', class: 'secondary' }, words.say(label));
    const submit = (event) => { event.preventDefault(); attempt(button, async () => { await finish(why.value); await read(); }); };
    return h('li', {}, h('time', { datetime: at }, `${words.shortDate(at)} ${words.hour(at)}`), h('b', {}, text), facts,
      h('details', {}, h('summary', {}, words.say(label)), h('form', { onsubmit: submit }, field(words.say('reason'), why), button)));
  }

  const post = (where, body) => change('POST', `${path}/${where}`, { bearer: key, body });
  const fact = (name, value) => h('span', {}, isOrder(value) ? [words.say('order_number'), ' ', orderNumber(value, words)] : `${name.replaceAll('_', ' ')} ${value}`.trim());
  const alarm = ({ id, at, kind, words: english, detail }) => entry(words.has(`alarm.${kind}`) ? words.say(`alarm.${kind}`) : english,
    Object.entries(detail).map(([name, value]) => fact(name, value)), at, 'alarm_seen', (reason) => post(`alarms/${id}/seen`, { reason }));
  const refund = ({ refund: id, order, amount, currency, provider, reference, requested_at: at }) => entry(
    amount === null ? words.say('refund_unknown') : words.say('refund_due', { amount: words.money(amount, currency) }),
    [order, provider, reference].filter(Boolean).map((value) => fact('', value)), at, 'refund_paid', (reason) => post('refunds/paid', id ? { refund: id, reason } : { provider, reference, reason }));

  /** Looks again; what somebody is typing into stays as it is until the list changes. */
  async function read() {
    const [{ alarms }, { refunds }] = await Promise.all(['alarms', 'refunds'].map((what) => get(`${path}/${what}`, { bearer: key })));
    const now = JSON.stringify([alarms, refunds]);
    if (now === written) return;
    written = now;
    element.hidden = !alarms.length && !refunds.length;
    list.replaceChildren(...alarms.map(alarm), ...refunds.map(refund));
  }
  return { element, read };
}
