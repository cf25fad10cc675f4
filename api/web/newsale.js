// Putting performances on sale, in three looks: what, when, and a check in words before anything is made.

import { nameFor } from './addresses.js';
import { change, get } from './api.js';
import { field, h } from './dom.js';
import { linesForm, sayLines } from './linesdesk.js';
import { newPerformance } from './newperformance.js';
import { sayPriceType } from './prices.js';
import { seatRules } from './seatrules.js';
import { secondLook } from './secondlook.js';
import { secretButton } from './secretbutton.js';
import { timesForm } from './timesform.js';
import { unfold } from './unfold.js';
import { instantIn, sayMoment, typedIn } from './zonetime.js';

const DAY_MS = 86_400_000;
const MOST_SEATS = 20;
const CURRENCY = 'EUR';
const WINDOW_SECONDS = [0, 10, 60, 300];

/** `attempt(button, action)` shows trouble; `after` tells what was done; `onmade(sale)` once it is there. */
export function newSale({ words, path, key, attempt, after, onmade }) {
  const number = (value, least, most) => h('input', { type: 'number', required: true, value, min: least, max: most, inputmode: 'numeric' });
  const typedAt = (ms) => h('input', { type: 'datetime-local', required: true, value: typedIn(words.zone, ms) });

  /** The performances that nobody can buy yet, the next one first; and the currency that the house's last one is sold in. */
  async function unsold() {
    const [{ performances }, { on_sales: onSales }] = await Promise.all([get(`${path}/performances`, { bearer: key }), get(`${path}/on-sales`, { bearer: key })]);
    const sold = await Promise.all(onSales.map((each) => get(`${path.replace('/manage', '')}/on-sales/${each.on_sale}`)));
    const taken = new Set(sold.flatMap((each) => each.performances.map(({ performance }) => performance)));
    return { offered: performances.filter((each) => !taken.has(each.performance) && Date.parse(each.starts_at) > Date.now()), currency: performances.at(-1)?.currency ?? CURRENCY };
  }

  /** `made`: the performance that was made just now, or none; `houses`: who may contribute to the draw. */
  function formFor(performances, made, houses, close) {
    const midnight = Math.ceil(Date.now() / DAY_MS) * DAY_MS;
    const first = performances.length === 1 ? performances[0] : performances.find((each) => each.performance === made);
    const title = h('input', { type: 'text', required: true, maxlength: 120, value: first?.title ?? '' });
    const [queueAt, startAt] = [typedAt(midnight + 9 * 3_600_000), typedAt(midnight + 10 * 3_600_000)];
    const [rate, cap, most] = [number(60, 1, 100_000), number(100, 1, 100_000), number(6, 1, MOST_SEATS)];
    const work = h('select', {}, ['off', 'under-pressure', 'always'].map((each) => h('option', { value: each }, words.say(`sale_work.${each}`))));
    const per = h('select', {}, ['', 'email', 'phone'].map((each) => h('option', { value: each }, words.say(`sale_per.${each || 'none'}`))));
    const sender = h('input', { type: 'url', maxlength: 500, placeholder: 'https://', pattern: 'https://.+' });
    const against = h('details', { class: 'more' }, h('summary', {}, words.say('sale_robots')), field(words.say('sale_work'), work, words.say('sale_work_hint')),
      field(words.say('sale_per'), per, words.say('sale_per_hint')), field(words.say('sale_sender'), sender, words.say('sale_sender_hint')), secretButton({ words, path, key, attempt, of: 'contact' }));
    const boxes = performances.map((each) => h('input', { type: 'checkbox', name: 'performance', value: each.performance, checked: each === first }));
    const list = h('fieldset', {}, h('legend', {}, words.say('sale_what')), performances.map((each, at) => h('label', { class: 'choice' }, boxes[at], h('span', {}, h('b', {}, each.title), h('small', {}, words.moment(each.starts_at))))));

    const contributing = houses.map(({ house }) => h('input', { type: 'checkbox', name: 'contributor', value: house }));
    const contributors = h('fieldset', { hidden: houses.length === 0 }, h('legend', {}, words.say('sale_contributors')), h('p', { class: 'muted' }, words.say('sale_contributors_hint')),
      houses.map(({ name }, at) => h('label', { class: 'choice' }, contributing[at], h('span', {}, name))));

    const sayWindow = (seconds) => (seconds ? words.say('sale_windows_each', { window: words.span(seconds) }) : words.say('sale_windows_none'));
    const windows = h('select', {}, WINDOW_SECONDS.map((each) => h('option', { value: each }, sayWindow(each))));

    const [times, rules] = [timesForm({ words }), seatRules({ words })];
    const others = linesForm({ words, opensAt: () => startAt.value });

    function read() {
      const chosen = performances.filter((_, at) => boxes[at].checked);
      const [prequeue, opens] = [queueAt, startAt].map((input) => instantIn(words.zone, input.value));
      if (!chosen.length) return words.say('sale_none');
      if (Boolean(per.value) !== Boolean(sender.value)) return words.say('sale_sender_needed');
      if (!prequeue || !opens) return words.say('sale_no_such_time');
      if (opens < prequeue) return words.say('sale_order');
      if (Date.parse(opens) < Date.now()) return words.say('sale_past');
      if (chosen.some((each) => Date.parse(each.starts_at) < Date.parse(opens))) return words.say('sale_late');
      const lines = others.read();
      if (typeof lines === 'string') return lines;
      const body = {
        on_sale: nameFor(title.value), title: title.value.trim(), performances: chosen.map((each) => each.performance), prequeue_at: prequeue, opens_at: opens,
        rate_per_minute: Number(rate.value), cap: Number(cap.value), seats_a_hold: Number(most.value), seats_a_place: Number(most.value),
        proof_of_work: work.value, one_place_per: per.value, contact_url: sender.value, reason: words.say('reason_none'),
        contributors: contributing.filter((each) => each.checked).map((each) => each.value), lines, fair_window_seconds: Number(windows.value), ...times.read(), ...rules.read(),
      };
      const kinds = chosen.flatMap((each) => Object.entries(each.price_types));
      const large = new Map(kinds.filter(([, kind]) => kind.at_least > body.seats_a_hold).map(([type, kind]) => [type, kind.at_least]));
      return {
        lines: [...chosen.map((each) => `${each.title}, ${words.moment(each.starts_at)}`), words.say('sale_summary_when', { queue: sayMoment(words, prequeue), start: sayMoment(words, opens) }),
          words.say('sale_summary_pace', { rate: body.rate_per_minute, cap: body.cap, most: body.seats_a_hold }),
          ...[...large].map(([type, least]) => words.say('sale_summary_group', { price: sayPriceType(type, words), least, most: body.seats_a_hold })),
          ...times.say(body), ...rules.say(body),
          ...(body.fair_window_seconds ? [sayWindow(body.fair_window_seconds)] : []),
          ...(body.contributors.length ? [`${words.say('sale_contributors')}: ${houses.filter((_, at) => contributing[at].checked).map(({ name }) => name).join(', ')}`] : []), ...sayLines(lines, words)],
        hint: words.say('sale_make_hint'), yes: words.say('sale_make'),
        make: async () => { const sale = await change('POST', `${path}/on-sales`, { bearer: key, body }); close(); onmade(sale); },
      };
    }
    const fields = [list, field(words.say('sale_title'), title, words.say('sale_title_hint')),
      field(words.say('sale_queue_at'), queueAt, words.say('sale_queue_at_hint')), field(words.say('sale_start_at'), startAt, words.say('sale_zone', { zone: words.zone })),
      field(words.say('rate_field'), rate), field(words.say('cap_field'), cap, words.say('cap_hint')), field(words.say('sale_most'), most), field(words.say('sale_windows'), windows, words.say('sale_windows_hint')), contributors, others.element, rules.element, times.element, against];
    return secondLook({ words, attempt, fields, read });
  }

  function build(close) {
    const box = h('div', {}, h('p', { class: 'muted' }, words.say('loading')));
    async function draw(made) {
      const [{ offered, currency }, { houses }] = await Promise.all([unsold(), get(`${path}/neighbours`, { bearer: key })]);
      const another = newPerformance({ words, path, key, attempt, after, currency, onmade: async (performance) => {
        after.tell(words.say('show_made', { title: performance.title }));
        await draw(performance.performance);
        box.querySelector('form input:checked')?.focus();
      } });
      box.replaceChildren(another, ...(offered.length ? formFor(offered, made, houses, close) : [h('p', {}, words.say('sale_nothing'))]));
    }
    const retry = h('button', { type: 'button' });
    attempt(retry, () => draw());
    return [box];
  }
  return unfold(words.say('sale_new'), build).element;
}
