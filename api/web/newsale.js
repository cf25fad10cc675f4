// Putting performances on sale, in three looks: what, when, and a check in words before anything is made.

import { change, get } from './api.js';
import { field, h, setText } from './dom.js';
import { unfold } from './unfold.js';
import { instantIn, typedIn } from './zonetime.js';

const DAY_MS = 86_400_000;
const MOST_SEATS = 20;

/** An address of its own for a sale: its title's letters, and what keeps two of one title apart. */
function nameFor(title) {
  const letters = title.normalize('NFD').toLowerCase().replaceAll(/[^a-z0-9]+/g, '-').replaceAll(/^-+|-+$/g, '').slice(0, 30).replace(/-+$/, '');
  return `${letters || 'sale'}-${Date.now().toString(36).slice(-5)}`;
}

/** `attempt(button, action)` shows trouble; `onmade(sale)` once it is there. */
export function newSale({ words, path, key, attempt, onmade }) {
  const number = (value, least, most) => h('input', { type: 'number', required: true, value, min: least, max: most, inputmode: 'numeric' });
  const typedAt = (ms) => h('input', { type: 'datetime-local', required: true, value: typedIn(words.zone, ms) });

  /** The performances that nobody can buy yet, the next one first. */
  async function unsold() {
    const [{ performances }, { on_sales: onSales }] = await Promise.all([get(`${path}/performances`, { bearer: key }), get(`${path}/on-sales`, { bearer: key })]);
    const sold = await Promise.all(onSales.map((each) => get(`${path.replace('/manage', '')}/on-sales/${each.on_sale}`)));
    const taken = new Set(sold.flatMap((each) => each.performances.map(({ performance }) => performance)));
    return performances.filter((each) => !taken.has(each.performance) && Date.parse(each.starts_at) > Date.now());
  }

  function formFor(performances, close) {
    const midnight = Math.ceil(Date.now() / DAY_MS) * DAY_MS;
    const title = h('input', { type: 'text', required: true, maxlength: 120, value: performances.length === 1 ? performances[0].title : '' });
    const [queueAt, startAt] = [typedAt(midnight + 9 * 3_600_000), typedAt(midnight + 10 * 3_600_000)];
    const [rate, cap, most] = [number(60, 1, 100_000), number(100, 1, 100_000), number(6, 1, MOST_SEATS)];
    const boxes = performances.map((each) => h('input', { type: 'checkbox', name: 'performance', value: each.performance, checked: performances.length === 1 }));
    const list = h('fieldset', {}, h('legend', {}, words.say('sale_what')), performances.map((each, at) => h('label', { class: 'choice' }, boxes[at], h('span', {}, h('b', {}, each.title), h('small', {}, words.moment(each.starts_at))))));
    const trouble = h('p', { class: 'notice problem', role: 'alert', hidden: true });
    const check = h('button', { type: 'submit', class: 'primary' }, words.say('sale_check'));
    const form = h('form', { onsubmit: look }, list, field(words.say('sale_title'), title, words.say('sale_title_hint')),
      field(words.say('sale_queue_at'), queueAt, words.say('sale_queue_at_hint')), field(words.say('sale_start_at'), startAt, words.say('sale_zone', { zone: words.zone })),
      field(words.say('rate_field'), rate), field(words.say('cap_field'), cap, words.say('cap_hint')), field(words.say('sale_most'), most), trouble, check);
    const shown = h('div', { hidden: true });

    function refuse(text) {
      setText(trouble, text);
      trouble.hidden = false;
    }

    function look(event) {
      event.preventDefault();
      trouble.hidden = true;
      const chosen = performances.filter((_, at) => boxes[at].checked);
      const [prequeue, opens] = [queueAt, startAt].map((input) => instantIn(words.zone, input.value));
      if (!chosen.length) refuse(words.say('sale_none'));
      else if (!prequeue || !opens) refuse(words.say('sale_no_such_time'));
      else if (opens < prequeue) refuse(words.say('sale_order'));
      else if (Date.parse(opens) < Date.now()) refuse(words.say('sale_past'));
      else if (chosen.some((each) => Date.parse(each.starts_at) < Date.parse(opens))) refuse(words.say('sale_late'));
      else summary(chosen, prequeue, opens);
    }

    function summary(chosen, prequeue, opens) {
      const make = h('button', { type: 'button', class: 'primary large' }, words.say('sale_make'));
      const back = h('button', { type: 'button', class: 'secondary', onclick: () => { [form.hidden, shown.hidden] = [false, true]; } }, words.say('sale_edit'));
      const body = {
        on_sale: nameFor(title.value), title: title.value.trim(), performances: chosen.map((each) => each.performance), prequeue_at: prequeue, opens_at: opens,
        rate_per_minute: Number(rate.value), cap: Number(cap.value), seats_a_hold: Number(most.value), seats_a_place: Number(most.value), reason: words.say('reason_none'),
      };
      make.addEventListener('click', () => attempt(make, async () => { const made = await change('POST', `${path}/on-sales`, { bearer: key, body }); close(); onmade(made); }));
      shown.replaceChildren(h('h3', {}, words.say('sale_summary')), h('ul', { class: 'summary' },
        chosen.map((each) => h('li', {}, `${each.title}, ${words.moment(each.starts_at)}`)),
        h('li', {}, words.say('sale_summary_when', { queue: words.moment(prequeue), start: words.moment(opens) })),
        h('li', {}, words.say('sale_summary_pace', { rate: body.rate_per_minute, cap: body.cap, most: body.seats_a_hold }))),
      h('p', { class: 'consequence' }, words.say('sale_make_hint')), h('div', { class: 'actions' }, make, back));
      [form.hidden, shown.hidden] = [true, false];
      make.focus();
    }
    return [form, shown];
  }

  function build(close) {
    const box = h('div', {}, h('p', { class: 'muted' }, words.say('loading')));
    const retry = h('button', { type: 'button', class: 'secondary' }, words.say('loading'));
    attempt(retry, async () => {
      const performances = await unsold();
      box.replaceChildren(...(performances.length ? formFor(performances, close) : [h('p', {}, words.say('sale_nothing'))]));
    });
    return [box];
  }
  return unfold(words.say('sale_new'), build).element;
}
