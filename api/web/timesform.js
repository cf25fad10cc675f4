// How long visitors of a new sale may choose, come back and stay in all, and by which name the house's own site knows it.

import { field, h } from './dom.js';

const DAY_MINUTES = 1440;
const MOST_PERCENT = 300;
const MINUTE_S = 60;

/** `element`, folded; `read()` gives the settings as the API takes them; `say(read)` tells them in words. */
export function timesForm({ words }) {
  const number = (value, least, most) => h('input', { type: 'number', required: true, value, min: least, max: most, inputmode: 'numeric' });
  const [pass, grace, stay] = [number(15, 1, DAY_MINUTES), number(5, 0, DAY_MINUTES), number(60, 0, DAY_MINUTES)];
  const more = number(100, 0, MOST_PERCENT);
  const event = h('input', { type: 'text', maxlength: 64, pattern: '[A-Za-z0-9\\-]*', autocapitalize: 'off', spellcheck: false });
  const element = h('details', { class: 'more' }, h('summary', {}, words.say('sale_times')),
    field(words.say('sale_pass'), pass, words.say('sale_pass_hint')), field(words.say('sale_grace'), grace, words.say('sale_grace_hint')),
    field(words.say('sale_stay'), stay, words.say('sale_stay_hint')), field(words.say('sale_more_time'), more, words.say('sale_more_time_hint')),
    field(words.say('sale_event'), event, words.say('sale_event_hint')));
  // What a browser finds wrong is shown where it can be seen.
  element.addEventListener('invalid', () => { element.open = true; }, true);
  const read = () => ({
    pass_seconds: Number(pass.value) * MINUTE_S, grace_seconds: Number(grace.value) * MINUTE_S, longest_stay_seconds: Number(stay.value) * MINUTE_S,
    more_time_percent: Number(more.value), known_user_event: event.value.trim(),
  });
  const say = (asked) => [
    words.say('sale_summary_times', { pass: words.span(asked.pass_seconds), percent: asked.more_time_percent }),
    ...(asked.longest_stay_seconds ? [words.say('sale_summary_stay', { stay: words.span(Math.max(asked.pass_seconds, asked.longest_stay_seconds)) })] : []),
    ...(asked.known_user_event ? [`${words.say('sale_event')}: ${asked.known_user_event}`] : []),
  ];
  return { element, read, say };
}
