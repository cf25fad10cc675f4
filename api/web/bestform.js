// The best seats together that are left: how many, at most for how much, one tap.

import { h, setText } from './dom.js';
import { partForm } from './partform.js';
import { aboutPrice, pricesOf, sayPriceType } from './prices.js';
import { stepper } from './stepper.js';

/** What a seat of a category costs at the least: the price that the house names first is what most people pay. */
const usualPrice = (performance, name) => Object.values(performance.prices[name])[0];
/** With its fee, which may be the price type's own. */
const usualTotal = (performance, name) => usualPrice(performance, name) + (performance.price_types[Object.keys(performance.prices[name])[0]]?.fee ?? performance.fee);

/** A row of choices of which one is taken, as buttons to the finger and as radios to the keyboard. */
function chips({ name, legend, options, value, onchange }) {
  const inputs = options.map((option) => h('input', { type: 'radio', name, value: String(option.value), ...(option.value === value ? { checked: true } : {}), onchange: () => onchange(option.value) }));
  return h('fieldset', { class: 'chips' }, h('legend', {}, legend), h('div', { class: 'chip-row' },
    options.map((option, at) => h('label', { class: 'chip' }, inputs[at], h('span', {}, option.text)))));
}

/**
 * `categories`: the names of those with seats. `onask({best, types, category})`: `best` as the engine takes it;
 * `category`: what was chosen, empty for any. `hasStairs`: some of the hall is reached without stairs, and some is not.
 * `onwheelchair`: where wheelchair places are, null without any. `start`: how many are asked for at first.
 */
export function bestForm({ performance, categories, limit, currency, words, onask, onwheelchair, hasStairs, start = 2 }) {
  const prices = [...new Set(categories.map((name) => usualPrice(performance, name)))].sort((a, b) => a - b);
  const asked = { quantity: Math.min(start, limit), most: prices.at(-1), category: '' };
  const reduced = h('div', { class: 'quantities' });
  const box = h('details', { class: 'more' }, h('summary', {}, words.say('best_more')));
  const button = h('button', { type: 'submit', class: 'primary large' }, words.say('find_best'));
  let types = new Map();

  const allowed = () => (asked.category ? [asked.category] : categories.filter((name) => usualPrice(performance, name) <= asked.most));

  /** How many of the seats at another price than the usual; the rest pay that. */
  function showTypes() {
    const found = pricesOf(performance, allowed());
    const [, ...others] = Object.keys(found);
    const before = types;
    types = new Map();
    const settle = () => {
      const room = asked.quantity - [...types.values()].reduce((sum, each) => sum + each.value, 0);
      for (const each of types.values()) each.most = each.value + room;
    };
    reduced.replaceChildren(...others.map((type) => {
      const name = sayPriceType(type, words);
      const each = stepper({ label: name, value: Math.min(before.get(type)?.value ?? 0, asked.quantity), most: asked.quantity, onchange: settle, words });
      types.set(type, each);
      return h('div', { class: 'quantity' }, h('span', {}, name, h('small', {}, aboutPrice(found[type], performance.price_types?.[type], currency, words))), each.element);
    }));
    settle();
    reduced.hidden = !others.length;
  }

  function take(changed) {
    Object.assign(asked, changed);
    showTypes();
  }

  const numbers = Array.from({ length: Math.min(limit, 10) }, (_, at) => ({ value: at + 1, text: words.number(at + 1) }));
  const quantity = chips({ name: 'quantity', legend: words.say('how_many'), options: numbers, value: asked.quantity, onchange: (value) => take({ quantity: value }) });
  const ceilings = [...prices.slice(0, -1).slice(-4).map((value) => ({ value, text: words.say('up_to', { amount: words.money(value, currency) }) })), { value: prices.at(-1), text: words.say('any_price') }];
  const ceiling = prices.length > 1 ? chips({ name: 'ceiling', legend: words.say('at_most'), options: ceilings, value: asked.most, onchange: (value) => { choose.value = ''; take({ most: value, category: '' }); } }) : null;
  const choose = h('select', { onchange: () => take({ category: choose.value }) }, ['', ...categories].map((name) => h('option', { value: name },
    name ? `${name} – ${words.money(usualPrice(performance, name), currency)}` : words.say('any_category'))));
  const aisle = h('select', {}, ['', 'any', 'left', 'right'].map((value) => h('option', { value }, words.say(`wish_aisle.${value || 'none'}`))));
  const part = partForm({ words });
  const [noStairs, apart] = [h('input', { type: 'checkbox' }), h('input', { type: 'checkbox' })];
  const labelled = (key, input) => h('label', { class: 'field' }, h('span', {}, words.say(key)), input);
  const ticked = (key, input) => h('label', { class: 'choice' }, input, h('span', {}, words.say(key)));
  box.append(...[categories.length > 1 ? labelled('category', choose) : null, reduced, labelled('wish_where', aisle), ...part.elements,
    hasStairs ? ticked('wish_no_stairs', noStairs) : null, ticked('wish_apart', apart)].filter(Boolean));

  /** `isAnywhere`: wherever in the hall that is. */
  function ask(category, isAnywhere = false) {
    const found = Object.keys(pricesOf(performance, category ? [category] : allowed()));
    const others = [...types].flatMap(([type, each]) => Array(each.value).fill(type)).slice(0, asked.quantity);
    const usual = Array(asked.quantity - others.length).fill(found[0]);
    const wished = category || asked.category;
    const best = {
      quantity: asked.quantity,
      ...(wished ? { category: wished } : asked.most < prices.at(-1) ? { max_price: Math.max(...allowed().map((name) => usualTotal(performance, name))) } : {}),
      ...(aisle.value && !isAnywhere ? { aisle: aisle.value } : {}), ...(isAnywhere ? {} : part.read()), ...(noStairs.checked ? { no_stairs: true } : {}), ...(apart.checked ? { split: 'anywhere' } : {}),
    };
    return { best, types: [...usual, ...others], category: wished };
  }

  showTypes();
  const element = h('form', { class: 'card best', part: 'best', onsubmit: (event) => { event.preventDefault(); onask(button, ask('')); } },
    h('h2', {}, words.say('best_title')), quantity, ceiling, box, button,
    onwheelchair ? h('button', { type: 'button', class: 'quiet', onclick: onwheelchair }, words.say('wheelchair_show')) : null);
  return { element, ask, over: part.over, own: part.own, get quantity() { return asked.quantity; } };
}

/** Why these are the best: as the engine says it. */
const sayWhy = ({ together, by, better_rows: better }, words) => [words.say(`found_by.${by}`), together === 'together' ? '' : words.say(`found_split.${together}`), better ? words.say('found_better', { n: better }) : ''];

/** What was found: in words, with a way to other seats and a way to give them back. */
export function foundBox({ words, onother, onback }) {
  const what = h('b');
  const more = h('span');
  const note = h('p', { class: 'muted', hidden: true });
  const other = h('button', { type: 'button', class: 'secondary', onclick: () => onother(other) }, words.say('other_seats'));
  const back = h('button', { type: 'button', class: 'quiet', onclick: () => onback(back) }, words.say('let_go', { n: 2 }));
  const element = h('div', { class: 'notice good found', part: 'found', hidden: true }, h('p', { role: 'status' }, what, ' ', more), note, h('div', { class: 'actions' }, other, back));
  return {
    element,
    show({ seats, amount, until, count, choice, isSame = false }) {
      element.hidden = false;
      setText(what, seats);
      setText(more, `${amount}. ${words.say('reserved_until', { time: until })}.`);
      const why = [isSame ? words.say('same_seats') : '', ...(choice ? sayWhy(choice, words) : [])].filter(Boolean);
      setText(note, why.join(' '));
      note.hidden = !why.length;
      setText(back, words.say('let_go', { n: count }));
      other.hidden = false;
    },
    hide() { element.hidden = true; },
  };
}
