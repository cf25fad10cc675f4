// Making a performance in one of the house's halls: what it is called, when it begins, and what each category costs.

import { nameFor } from './addresses.js';
import { change, get } from './api.js';
import { field, h } from './dom.js';
import { newHall } from './newhall.js';
import { basisPoints, percent, priceKinds } from './pricekinds.js';
import { sayPriceType } from './prices.js';
import { secondLook } from './secondlook.js';
import { unfold } from './unfold.js';
import { instantIn, sayMoment } from './zonetime.js';

const DEAREST = 100_000;
const TYPES = ['full', 'reduced'];

/** `attempt(button, action)` shows trouble; `after` tells what was done; `onmade(performance)` once it is there. `currency`: ISO 4217. */
export function newPerformance({ words, path, key, attempt, after, onmade, currency }) {
  const { maximumFractionDigits: digits } = new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions();
  const amount = (required) => h('input', { type: 'number', required, min: 0, max: DEAREST, step: 10 ** -digits, inputmode: 'decimal' });
  const minor = (input) => Math.round(Number(input.value) * 10 ** digits);

  /** `offer(hall)` chooses one that was made meanwhile: what is typed already stays. */
  function formFor(halls, close) {
    const title = h('input', { type: 'text', required: true, maxlength: 120 });
    const startAt = h('input', { type: 'datetime-local', required: true });
    const fee = amount(false);
    const vat = percent();
    const kinds = priceKinds({ words, path, key, attempt });
    const which = h('select', { onchange: () => drawPrices() }, halls.map((each) => h('option', { value: each.hall }, each.name)));
    const prices = h('fieldset');
    const hallNow = () => halls.find((each) => each.hall === which.value);
    let inputs = new Map();

    /** One row a category of the hall: the full price, and another only where there is one. */
    function drawPrices() {
      inputs = new Map(hallNow().categories.map((category) => [category, TYPES.map((type) => amount(type === 'full'))]));
      prices.replaceChildren(h('legend', {}, words.say('show_prices', { currency })), ...[...inputs].map(([category, [full, reduced]]) =>
        h('fieldset', { class: 'category' }, h('legend', {}, category), field(words.say('price.full'), full), field(words.say('show_reduced'), reduced))));
    }

    function read() {
      const starts = instantIn(words.zone, startAt.value);
      if (!starts) return words.say('sale_no_such_time');
      if (Date.parse(starts) < Date.now()) return words.say('show_past');
      const asked = Object.fromEntries([...inputs].map(([category, typed]) => [category, Object.fromEntries(TYPES.map((type, at) => [type, typed[at]]).filter(([, input]) => input.value !== '').map(([type, input]) => [type, minor(input)]))]));
      const others = kinds.read();
      const body = { performance: nameFor(title.value), hall: which.value, title: title.value.trim(), starts_at: starts, prices: asked, fee: minor(fee), currency, vat_rate: basisPoints(vat), price_types: others.types, reason: words.say('reason_none') };
      const costs = Object.entries(asked).map(([category, table]) => `${category}: ${Object.entries(table).map(([type, price]) => `${sayPriceType(type, words)} ${words.money(price, currency)}`).join(', ')}`);
      return {
        lines: [`${body.title}, ${sayMoment(words, starts)}, ${hallNow().name}`, ...costs, ...others.lines, words.say('show_fee_line', { amount: words.money(body.fee, currency) }), words.say('show_vat_line', { rate: body.vat_rate / 100 })],
        hint: words.say('show_make_hint'), yes: words.say('show_make'),
        make: async () => { const made = await change('POST', `${path}/performances`, { bearer: key, body }); close(); await onmade(made); },
      };
    }
    drawPrices();
    const fields = [field(words.say('show_title'), title, words.say('show_title_hint')), field(words.say('show_hall'), which), field(words.say('show_starts_at'), startAt, words.say('sale_zone', { zone: words.zone })),
      prices, kinds.element, field(words.say('show_fee'), fee, words.say('show_fee_hint')), field(words.say('show_vat'), vat, words.say('show_vat_hint'))];
    const offer = (hall) => {
      if (![...which.options].some(({ value }) => value === hall.hall)) which.append(h('option', { value: hall.hall }, hall.name));
      which.value = hall.hall;
      drawPrices();
      which.focus();
    };
    return { elements: secondLook({ words, attempt, fields, read }), offer };
  }

  function build(close) {
    const form = h('div', {}, h('p', { class: 'muted' }, words.say('loading')));
    const halls = [];
    let offer = null;
    function draw() {
      const made = halls.length ? formFor(halls, close) : null;
      offer = made?.offer;
      form.replaceChildren(...(made?.elements ?? [h('p', {}, words.say('show_no_hall'))]));
    }
    const another = newHall({ words, path, key, attempt, onmade: (hall) => {
      halls.push(hall);
      after.tell(words.say('hall_made', { name: hall.name }));
      if (!offer) draw();
      offer(hall);
    } });
    attempt(h('button', { type: 'button' }), async () => {
      halls.push(...(await get(`${path}/halls`, { bearer: key })).halls);
      draw();
    });
    return [another, form];
  }
  return unfold(words.say('show_new'), build).element;
}
