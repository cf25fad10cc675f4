// Codes that unlock a price or what is set aside, on the control page: made, counted, ended.

import { nameFor } from './addresses.js';
import { change, get } from './api.js';
import { field, h } from './dom.js';
import { sayPriceType } from './prices.js';
import { unfold } from './unfold.js';

const [MOST_MADE, MOST_USES] = [1000, 1000];

/** `attempt(button, action)` shows trouble; `after` tells what was done. */
export function codesDesk({ words, path, key, attempt, after }) {
  const list = h('ul', { class: 'log' });
  const once = h('div', { class: 'notice good', role: 'status', hidden: true });

  function endForm(batch, close) {
    const reason = h('input', { type: 'text', required: true, maxlength: 300 });
    const button = h('button', { type: 'submit', class: 'danger' }, words.say('codes_end_yes'));
    const submit = (event) => {
      event.preventDefault();
      attempt(button, async () => {
        await change('POST', `${path}/codes/${batch.batch}/disable`, { bearer: key, body: { reason: reason.value } });
        close();
        await read();
        after.tell(`${words.say('codes_ended', { title: batch.title })} ${words.say('no_way_back')}`);
      });
    };
    return h('form', { onsubmit: submit }, h('p', { class: 'consequence' }, words.say('codes_end_hint')), field(words.say('reason'), reason, words.say('reason_hint')), h('div', { class: 'actions' }, button));
  }

  const lineOf = (batch) => h('li', {}, h('b', {}, batch.title), h('span', {}, batch.price_type ? sayPriceType(batch.price_type, words) : words.say('codes_who')),
    h('span', {}, words.say('codes_used', { n: batch.count, uses: batch.uses, used: batch.used })),
    batch.disabled ? h('em', {}, words.say('codes_over')) : unfold(words.say('codes_end'), (close) => endForm(batch, close), { kind: 'quiet' }).element);

  async function read() {
    // Those that open a queue stand beside their queue.
    const batches = (await get(`${path}/codes`, { bearer: key })).batches.filter(({ line }) => !line);
    list.replaceChildren(...(batches.length ? batches.map(lineOf) : [h('li', {}, words.say('codes_none'))]));
  }

  function makeForm(types, close) {
    const number = (value, most) => h('input', { type: 'number', required: true, value, min: 1, max: most, inputmode: 'numeric' });
    const [title, own] = [h('input', { type: 'text', required: true, maxlength: 100 }), h('input', { type: 'text', maxlength: 60, autocomplete: 'off', spellcheck: 'false' })];
    const [count, uses, reason] = [number(10, MOST_MADE), number(1, MOST_USES), h('input', { type: 'text', required: true, maxlength: 300 })];
    const type = h('select', {}, [...types, ''].map((value) => h('option', { value }, value ? sayPriceType(value, words) : words.say('codes_who'))));
    const button = h('button', { type: 'submit', class: 'primary' }, words.say('codes_make'));
    const submit = (event) => {
      event.preventDefault();
      attempt(button, async () => {
        const named = own.value.trim();
        const body = { batch: nameFor(title.value), title: title.value.trim(), uses: Number(uses.value), price_type: type.value, reason: reason.value, ...(named ? { codes: [named] } : { count: Number(count.value) }) };
        const answer = await change('POST', `${path}/codes`, { bearer: key, body });
        close();
        once.replaceChildren(h('p', {}, words.say('codes_once')), h('pre', {}, answer.codes.join('\n')));
        once.hidden = false;
        await read();
      });
    };
    return h('form', { onsubmit: submit }, field(words.say('codes_title'), title, words.say('codes_title_hint')), field(words.say('codes_for'), type), field(words.say('codes_count'), count),
      field(words.say('codes_own'), own, words.say('codes_own_hint')), field(words.say('codes_uses'), uses, words.say('codes_uses_hint')), field(words.say('reason'), reason, words.say('reason_hint')), button);
  }

  function build() {
    const made = h('div');
    attempt(h('button', {}), async () => {
      const [{ performances }] = await Promise.all([get(`${path}/performances`, { bearer: key }), read()]);
      const kinds = performances.flatMap((each) => Object.entries(each.price_types ?? {}));
      const types = [...new Set(kinds.filter(([, { needs }]) => needs === 'code').map(([name]) => name))];
      made.replaceChildren(unfold(words.say('codes_new'), (close) => makeForm(types, close)).element);
    });
    return [h('p', { class: 'muted' }, words.say('codes_lead')), once, list, made];
  }
  return unfold(words.say('codes_desk'), build).element;
}
