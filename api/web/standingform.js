// Standing places of an area: how many at which price.

import { h, setText } from './dom.js';
import { nameArea } from './plan.js';
import { pricesOf, quantities } from './prices.js';

/** The form of an area of a chooser's plan; `show(count)` tells how many places are free. */
export function standingForm(chooser, area) {
  const { words, currency, limit, plan, performance, id } = chooser;
  const left = h('p', { class: 'muted' });
  const button = h('button', { type: 'submit', class: 'primary', disabled: true }, words.say('reserve'));
  const amounts = quantities({ prices: pricesOf(performance, [area.category]), kinds: performance.price_types, limit, currency, words, onchange: () => { button.disabled = !amounts.count; } });
  const submit = (event) => {
    event.preventDefault();
    if (!amounts.count) return;
    const { count: quantity, types } = amounts;
    chooser.ask(button, async () => { await chooser.hold([{ performance: id, area: area.id, quantity }], types); amounts.clear(); }, (trouble) => chooser.tell(trouble, types));
  };
  const element = h('form', { class: 'card standing', part: 'standing', onsubmit: submit }, h('h2', {}, nameArea(plan, area.id, words)), left, amounts.element, button);
  return { id: area.id, element, show: (count) => setText(left, words.say('open_places', { n: count })) };
}
