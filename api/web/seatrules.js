// The rules of a new sale's seats: how long they are reserved, seats left alone, and how many a customer may buy in all.

import { field, h } from './dom.js';

const MOST_HOLD_MINUTES = 1440;
const MOST_COUNTED = 1000;
const HOLD_MINUTE_S = 60;
const LONE_RULES = ['off', 'where-avoidable', 'always'];

/** `element`, folded; `read()` gives the settings as the API takes them; `say(read)` tells them in words. */
export function seatRules({ words }) {
  const number = (value, least, most) => h('input', { type: 'number', required: true, value, min: least, max: most, inputmode: 'numeric' });
  const [hold, last, customer] = [number(10, 1, MOST_HOLD_MINUTES), number(10, 0, MOST_COUNTED), number(0, 0, MOST_COUNTED)];
  const lone = h('select', {}, LONE_RULES.map((each) => h('option', { value: each, selected: each === 'where-avoidable' }, words.say(`sale_lone.${each}`))));
  const element = h('details', { class: 'more' }, h('summary', {}, words.say('sale_seat_rules')),
    field(words.say('sale_hold'), hold, words.say('sale_hold_hint')), field(words.say('sale_lone'), lone, words.say('sale_lone_hint')),
    field(words.say('sale_lone_last'), last, words.say('sale_lone_last_hint')), field(words.say('sale_customer'), customer, words.say('sale_customer_hint')));
  // What a browser finds wrong is shown where it can be seen.
  element.addEventListener('invalid', () => { element.open = true; }, true);
  const read = () => ({
    hold_seconds: Number(hold.value) * HOLD_MINUTE_S, lone_seats: lone.value, lone_seats_last: Number(last.value), seats_a_customer: Number(customer.value),
  });
  const say = (asked) => [
    words.say('sale_summary_hold', { hold: words.span(asked.hold_seconds) }), `${words.say('sale_lone')}: ${words.say(`sale_lone.${asked.lone_seats}`)}`,
    ...(asked.seats_a_customer ? [words.say('sale_summary_customer', { n: asked.seats_a_customer })] : []),
  ];
  return { element, read, say };
}
