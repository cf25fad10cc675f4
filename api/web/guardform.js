// How a guard at the house's own website does: only in a rush or always, and what it does while this server is away.

import { field, h } from './dom.js';

const MOST = 100_000;

/** `save(button, asked, reason)` does it; `now` is the sale as it stands. */
export function guardForm({ words, now, save }) {
  const isOnlyInRush = now.safety_net_per_minute > 0;
  const net = h('input', { type: 'checkbox', checked: isOnlyInRush });
  const perMinute = h('input', { type: 'number', min: 1, max: MOST, required: true, value: isOnlyInRush ? now.safety_net_per_minute : now.rate_per_minute || 1, inputmode: 'numeric' });
  const fails = h('select', {}, ['closed', 'open'].map((each) => h('option', { value: each, selected: now.fails === each }, words.say(`guard_fails.${each}`))));
  const reason = h('input', { type: 'text', maxlength: 300 });
  const button = h('button', { type: 'submit', class: 'primary' }, words.say('guard_use'));
  const threshold = field(words.say('guard_threshold'), perMinute, words.say('guard_threshold_hint'));
  const look = () => { threshold.hidden = !net.checked; perMinute.disabled = !net.checked; };
  const submit = (event) => {
    event.preventDefault();
    save(button, { safety_net_per_minute: net.checked ? Number(perMinute.value) : 0, fails: fails.value }, reason);
  };
  look();
  return h('form', { onsubmit: submit, onchange: look }, h('p', { class: 'consequence' }, words.say('act.guard_hint')),
    h('label', { class: 'choice' }, net, h('span', {}, h('b', {}, words.say('guard_net')), h('small', {}, words.say('guard_net_hint')))), threshold,
    field(words.say('guard_fails'), fails, words.say('guard_fails_hint')), field(words.say('reason_optional'), reason, words.say('reason_hint')), button);
}
