// Where each has one place: whose it is to be is shown by a code that the house sends, before the number is given.

import { change, explain } from './api.js';
import { untilMs } from './clock.js';
import { field, h, setText, whileBusy } from './dom.js';
import { digest, encode } from './draw.js';
import { importPinned } from './pinned.js';

/** `element`, `above`: the form, as long as somebody may join and has not shown whose the place is to be. */
export function contactForm({ line, words, onSale }) {
  const kind = onSale.one_place_per;
  if (!kind) return { element: '', update() {} };
  const { memory } = line;
  const contact = h('input', { type: kind === 'email' ? 'email' : 'tel', autocomplete: kind === 'email' ? 'email' : 'tel', required: true, maxlength: 254 });
  const code = h('input', { type: 'text', inputmode: 'numeric', autocomplete: 'one-time-code', required: true, maxlength: 20 });
  const problem = h('p', { class: 'notice problem', role: 'alert', hidden: true });
  const sent = h('p', { role: 'status' });
  const send = h('button', { class: 'primary' }, words.say('contact.send'));
  const confirm = h('button', { class: 'primary' }, words.say('do.join'));
  const first = h('form', { onsubmit: (event) => act(event, send, ask) }, field(words.say(`contact.${kind}`), contact), h('div', { class: 'actions' }, send));
  const second = h('form', { hidden: true, onsubmit: (event) => act(event, confirm, show) }, sent, field(words.say('contact.code'), code),
    h('div', { class: 'actions' }, confirm, h('button', { type: 'button', class: 'quiet', onclick: () => turn(false) }, words.say('contact.again'))));
  const above = h('section', { class: 'notice question', hidden: true }, h('p', {}, h('b', {}, words.say(`contact.${kind}_title`))), h('p', {}, words.say(`contact.${kind}_why`)),
    first, second, problem, h('p', { class: 'muted' }, words.say('contact.privacy')));

  function turn(isSent) {
    [first.hidden, second.hidden] = [isSent, !isSent];
    problem.hidden = true;
    (isSent ? code : contact).focus();
  }

  function act(event, button, action) {
    event.preventDefault();
    problem.hidden = true;
    whileBusy(button, action, (fault) => {
      problem.hidden = false;
      setText(problem, fault.slug === 'bad-input' ? words.say(`problem.contact-${kind}-wrong`) : explain(fault, words));
    });
  }

  async function body(more) {
    if (!memory.kept.secret) memory.keep({ secret: encode(crypto.getRandomValues(new Uint8Array(32))), join_key: Date.now() + crypto.randomUUID() });
    return { contact: contact.value, secret_hash: await digest(new TextEncoder().encode(memory.kept.secret)), ...more };
  }

  async function ask() {
    const post = async (proof) => change('POST', `${line.path}/contact-codes`, { body: await body({ language: words.language, proof }) });
    await post().catch(async (fault) => {
      if (fault.slug !== 'proof-required') throw fault;
      return (await importPinned('prove.js')).joinWithProof(fault, post, (share) => { line.proven = share; line.changed(); });
    });
    setText(sent, words.say('contact.sent', { contact: contact.value }));
    turn(true);
  }

  async function show() {
    const shown = await change('POST', `${line.path}/contacts`, { body: await body({ code: code.value }) });
    memory.keep({ contact: shown.contact, contact_until: shown.expires_at });
    await line.join(line.how);
  }

  function update(state, { action }) {
    const isShown = memory.kept.contact && untilMs(memory.kept.contact_until) > 0;
    above.hidden = !['join', 'again'].includes(action) || Boolean(isShown);
  }

  return { element: '', above, update };
}
