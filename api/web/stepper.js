// A number that is set with two buttons.

import { h } from './dom.js';

/** A number with a button on either side, for fingers. `onchange` gets the new number. */
export function stepper({ label, value = 0, least = 0, most = 99, onchange, words }) {
  let number = value;
  const shown = h('output', { class: 'stepper-number', 'aria-live': 'off' }, String(number));
  const less = h('button', { type: 'button', 'aria-label': words.say('one_less', { what: label }), onclick: () => move(-1) }, '−');
  const more = h('button', { type: 'button', 'aria-label': words.say('one_more', { what: label }), onclick: () => move(1) }, '+');
  const element = h('div', { class: 'stepper', role: 'group', 'aria-label': label }, less, shown, more);
  function show() {
    shown.textContent = String(number);
    less.disabled = number <= least;
    more.disabled = number >= most;
  }
  function move(by) {
    number = Math.min(most, Math.max(least, number + by));
    show();
    onchange?.(number);
  }
  show();
  return {
    element,
    get value() { return number; },
    set value(next) { number = Math.min(most, Math.max(least, next)); show(); },
    set most(next) { most = next; number = Math.min(number, Math.max(least, next)); show(); },
  };
}
