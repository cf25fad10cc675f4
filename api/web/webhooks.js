// Notices to the house's own systems, on the control page: where they go, a test, a new secret, and what became of them.

import { change, get, Problem } from './api.js';
import { field, h, setText } from './dom.js';

const STATES = ['waiting', 'delivered', 'given_up'];

/** A part of the control page that reads when it is opened. `attempt(button, action, said)` runs an action and shows its trouble. */
export function webhookList({ words, path, key, attempt }) {
  const list = h('ul', { class: 'log' });
  const once = h('div', { class: 'notice good', role: 'status', hidden: true });
  const what = h('fieldset', {}, h('legend', {}, words.say('webhook_what')));
  const [address, note, reason] = [
    h('input', { type: 'url', required: true, maxlength: 500, placeholder: 'https://', pattern: 'https://.+' }),
    h('input', { type: 'text', maxlength: 200 }), h('input', { type: 'text', required: true, maxlength: 300 }),
  ];
  const nameOf = (type) => (words.has(`webhook.${type}`) ? words.say(`webhook.${type}`) : type);
  const at = (instant) => `${words.shortDate(instant)} ${words.hour(instant)}`;
  const post = (where, body) => change('POST', `${path}/webhooks${where}`, { bearer: key, body });

  function show(secret) {
    once.replaceChildren(h('p', {}, words.say('webhook_once')), h('code', {}, secret));
    once.hidden = false;
  }

  function deliveryLine({ webhook }, delivery, why) {
    const again = h('button', { type: 'button', class: 'quiet', onclick: () => {
      if (why.reportValidity()) attempt(again, async () => { await post(`/${webhook}/deliveries/${delivery.event}/resend`, { reason: why.value }); await read(webhook); });
    } }, words.say('webhook_again'));
    const state = STATES.includes(delivery.state) ? words.say(`webhook_state.${delivery.state}`) : delivery.state;
    return h('li', {}, h('time', { datetime: delivery.made_at }, at(delivery.made_at)), h('b', {}, nameOf(delivery.type)), h('span', {}, state),
      delivery.error ? h('small', { lang: 'en' }, delivery.error) : null, delivery.state === 'waiting' ? null : again);
  }

  function webhookLine(endpoint, isOpen) {
    const { webhook, url, description, disabled } = endpoint;
    const sent = h('ul', { class: 'log' });
    const why = h('input', { type: 'text', required: true, maxlength: 300 });
    const button = (label, run, said, sure) => {
      const made = h('button', { type: 'button', class: sure ? 'quiet' : 'secondary', onclick: () => {
        if (!why.reportValidity()) return;
        if (sure && !made.dataset.sure) { made.dataset.sure = 'yes'; setText(made, words.say(sure)); return; }
        attempt(made, async () => { await run({ reason: why.value }); await read(webhook); }, said && words.say(said));
      } }, words.say(label));
      return made;
    };
    const drawSent = async () => {
      const { deliveries } = await get(`${path}/webhooks/${webhook}/deliveries?limit=20`, { bearer: key });
      sent.replaceChildren(...(deliveries.length ? deliveries.map((each) => deliveryLine(endpoint, each, why)) : [h('li', {}, words.say('webhook_none'))]));
    };
    const state = disabled ? words.say('webhook_off') : endpoint.failing_since ? words.say('webhook_fails', { since: at(endpoint.failing_since) }) : words.say('webhook_told');
    const details = h('details', { open: isOpen, ontoggle: () => { if (details.open) drawSent().catch(() => null); } }, h('summary', {}, words.say('webhook_more')), h('form', { onsubmit: (event) => event.preventDefault() },
      field(words.say('reason'), why, words.say('reason_hint')),
      h('div', { class: 'actions' }, disabled ? null : button('webhook_test', (body) => post(`/${webhook}/test`, body), 'webhook_tested'),
        disabled ? button('webhook_enable', (body) => post(`/${webhook}/enable`, body)) : button('webhook_disable', (body) => post(`/${webhook}/disable`, body)),
        button('webhook_secret', async (body) => show((await post(`/${webhook}/secret`, body)).secret), null, 'webhook_secret_sure'),
        button('webhook_remove', ({ reason: word }) => change('DELETE', `${path}/webhooks/${webhook}?reason=${encodeURIComponent(word)}`, { bearer: key }), null, 'webhook_remove_sure'))),
    h('h3', {}, words.say('webhook_sent')), sent);
    return h('li', { class: 'webhook' }, h('b', {}, description || url), description ? h('span', {}, url) : null, h('span', {}, endpoint.types.map(nameOf).join(', ')),
      h('em', {}, state), disabled && endpoint.disabled_why ? h('q', {}, endpoint.disabled_why) : null, details);
  }

  /** Looks again; what was opened stays open. */
  async function read(opened) {
    const { webhooks, types } = await get(`${path}/webhooks`, { bearer: key });
    list.replaceChildren(...webhooks.map((each) => webhookLine(each, each.webhook === opened)));
    if (what.querySelector('input')) return;
    what.append(...Object.keys(types).map((type) => h('label', { class: 'choice' }, h('input', { type: 'checkbox', name: 'type', value: type, checked: true }), h('span', {}, nameOf(type)))));
  }

  const add = h('button', { type: 'submit', class: 'primary' }, words.say('webhook_add'));
  const submit = (event) => {
    event.preventDefault();
    const types = new FormData(event.target).getAll('type');
    attempt(add, async () => {
      try {
        const made = await post('', { url: address.value, types, description: note.value, reason: reason.value });
        show(made.secret);
        [address, note, reason].forEach((input) => { input.value = ''; });
        await read(made.webhook);
      } catch (trouble) {
        const isAddress = trouble instanceof Problem && ['bad-input', 'bad-body'].includes(trouble.slug);
        throw isAddress ? new Problem({ slug: 'webhook-address', status: trouble.status }) : trouble;
      }
    });
  };
  const form = h('form', { onsubmit: submit }, h('h3', {}, words.say('webhook_new')), field(words.say('webhook_url'), address, words.say('webhook_url_hint')), what,
    field(words.say('webhook_note'), note, words.say('webhook_note_hint')), field(words.say('reason'), reason), add);
  const element = h('details', { class: 'action', ontoggle: (event) => { if (event.target === element && element.open) attempt(add, () => read()); } },
    h('summary', {}, words.say('webhooks')), h('p', { class: 'muted' }, words.say('webhooks_lead')), once, list, form);
  return { element, read };
}
