// Where in the hall the best seats are to be: its part, from which row to which, and close to what one has already.

import { h } from './dom.js';

/** `over(plan)` offers what the hall has, `own(seat)` whether there is something to be close to; `read()` as the engine takes it. */
export function partForm({ words }) {
  const zone = h('select', { onchange: () => showRows() });
  const [first, last] = [h('select'), h('select')];
  const near = h('input', { type: 'checkbox' });
  const field = (name, input) => h('label', { class: 'field', hidden: true }, h('span', {}, words.say(name)), input);
  const [zoneField, firstField, lastField] = [field('wish_part', zone), field('wish_row_first', first), field('wish_row_last', last)];
  const nearChoice = h('label', { class: 'choice', hidden: true }, near, h('span', {}, words.say('wish_near')));
  let [plan, seat] = [null, null];

  const offer = (select, names) => select.replaceChildren(...['', ...names].map((value) => h('option', { value }, value || words.say('wish_aisle.none'))));

  /** Labels of rows mean something within one part only. */
  function showRows() {
    const part = plan.zones.length === 1 ? plan.zones[0] : plan.zones.find(({ name }) => name && name === zone.value);
    const names = [...new Set((part?.rows ?? []).map((at) => plan.rows[at].name))].filter(Boolean);
    for (const select of [first, last]) offer(select, names);
    for (const each of [firstField, lastField]) each.hidden = names.length < 2;
  }

  return {
    elements: [zoneField, firstField, lastField, nearChoice],
    over(hall) {
      plan = hall;
      const names = plan.zones.map(({ name }) => name).filter(Boolean);
      offer(zone, names);
      zoneField.hidden = plan.zones.length < 2 || !names.length;
      showRows();
    },
    own(mine) {
      seat = mine;
      nearChoice.hidden = !seat;
    },
    read: () => ({
      ...(zone.value ? { zone: zone.value } : {}), ...(first.value || last.value ? { rows: [first.value, last.value] } : {}),
      ...(near.checked && seat ? { near: seat } : {}),
    }),
  };
}
