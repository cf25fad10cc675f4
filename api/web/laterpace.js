// The pace that a sale has later by itself: what is planned, one more step, and none at all.

import { field, h, setText } from './dom.js';
import { instantIn, sayMoment, typedIn } from './zonetime.js';

const HALF_HOUR_MS = 1_800_000;

/** The steps in words, a line each. */
export function plannedSteps(rates, words) {
  return h('ul', { class: 'summary' }, rates.map((step) => h('li', {}, words.say('later_step', { time: sayMoment(words, step.at), rate: step.rate_per_minute }))));
}

/** `use(button, rates)` plans these in place of all that was planned; `reason`: the field for why. */
export function laterPace({ words, now, reason, use }) {
  const next = Math.ceil(Date.now() / HALF_HOUR_MS) * HALF_HOUR_MS;
  const at = h('input', { type: 'datetime-local', required: true, value: typedIn(words.zone, next) });
  const rate = h('input', { type: 'number', min: 0, max: 100_000, required: true, value: now.rate_per_minute, inputmode: 'numeric' });
  const trouble = h('p', { class: 'notice problem', role: 'alert', hidden: true });
  const add = h('button', { type: 'submit', class: 'primary' }, words.say('later_add'));
  const none = h('button', { type: 'button', class: 'secondary', onclick: () => use(none, []) }, words.say('later_none'));

  function submit(event) {
    event.preventDefault();
    const instant = instantIn(words.zone, at.value);
    const wrong = instant ? Date.parse(instant) <= Date.now() && 'later_past' : 'sale_no_such_time';
    trouble.hidden = !wrong;
    if (wrong) return setText(trouble, words.say(wrong));
    const others = now.rates.filter((step) => Date.parse(step.at) !== Date.parse(instant));
    use(add, [...others, { at: instant, rate_per_minute: Number(rate.value) }].sort((one, other) => Date.parse(one.at) - Date.parse(other.at)));
  }
  return h('form', { onsubmit: submit }, h('p', { class: 'consequence' }, words.say(now.rates.length ? 'later_planned' : 'later_nothing', { rate: now.rate_per_minute })),
    now.rates.length ? plannedSteps(now.rates, words) : null, field(words.say('later_at'), at, words.say('sale_zone', { zone: words.zone })), field(words.say('rate_field'), rate, words.say('later_rate_hint')), trouble,
    field(words.say('reason_optional'), reason, words.say('reason_hint')), h('div', { class: 'actions' }, add, now.rates.length ? none : null));
}
