// The house's keys: who may come in, made and withdrawn.

import { change, get } from './api.js';
import { field, h, setText } from './dom.js';
import { unfold } from './unfold.js';

const SCOPES = ['counter', 'orders:read', 'orders:write', 'allotment', 'manage'];

export function staffKeys({ words, path, key, attempt }) {
  function lineOf(each, read) {
    const revoke = h('button', { type: 'button', class: 'quiet', onclick: () => {
      if (revoke.dataset.sure) attempt(revoke, async () => { await change('DELETE', `${path}/keys/${each.key_id}`, { bearer: key }); await read(); });
      revoke.dataset.sure = 'yes';
      setText(revoke, words.say('key_revoke_sure'));
    } }, words.say('key_revoke'));
    return h('li', {}, h('b', {}, each.name), h('span', {}, each.scopes.map((scope) => words.say(`scope.${scope}`)).join(', ')), each.revoked ? h('em', {}, words.say('key_revoked')) : revoke);
  }

  function build() {
    const [name, reason] = [h('input', { type: 'text', required: true, maxlength: 80 }), h('input', { type: 'text', maxlength: 300 })];
    const list = h('ul', { class: 'log' });
    const made = h('p', { class: 'notice good', role: 'status', hidden: true });
    const button = h('button', { type: 'submit', class: 'primary' }, words.say('key_create'));
    const boxes = SCOPES.map((scope) => h('label', { class: 'choice' }, h('input', { type: 'checkbox', name: 'scope', value: scope }), h('span', {}, words.say(`scope.${scope}`))));
    const read = async () => {
      const { keys } = await get(`${path}/keys`, { bearer: key });
      list.replaceChildren(...keys.map((each) => lineOf(each, read)));
    };
    const submit = (event) => {
      event.preventDefault();
      const scopes = new FormData(event.target).getAll('scope');
      attempt(button, async () => {
        const created = await change('POST', `${path}/keys`, { bearer: key, body: { name: name.value, scopes, reason: reason.value.trim() || words.say('reason_none') } });
        made.replaceChildren(words.say('key_once'), ' ', h('code', {}, created.key));
        made.hidden = false;
        await read();
      });
    };
    attempt(button, read);
    return [h('form', { onsubmit: submit }, field(words.say('key_name'), name, words.say('key_name_hint')), h('fieldset', {}, h('legend', {}, words.say('key_may')), boxes), field(words.say('reason_optional'), reason, words.say('reason_hint')), button, made), list];
  }
  return unfold(words.say('keys'), build).element;
}
