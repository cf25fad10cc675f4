// All houses' on-sales in one place: /

import { explain, get } from './api.js';
import { field, h, setText } from './dom.js';
import { isWanted, PHASES, readFilters, withFilters } from './filters.js';
import { inOrder, onSaleCard } from './onsalelist.js';
import { linkPlain, openPage } from './shell.js';
import { applyColours } from './theme.js';

const LOOK_AGAIN_MS = 60_000;
/** Whoever types is told how many there are once they stop. */
const TOLD_AFTER_MS = 700;

const { words, main } = await openPage({ title: 'one_stop', parts: ['directory'] });
main.classList.add('wide');
linkPlain(words);
const list = h('ul', { class: 'cards' });
const count = h('p', { class: 'count', role: 'status' });
const down = h('p', { class: 'notice', hidden: true });
const nothing = h('div', { class: 'card', hidden: true });
let [directory, shown, telling, readAtMs] = [null, '', null, 0];
let filters = readFilters(location.href);

const choice = (name, options) => h('select', { name, onchange: refine }, options.map(([value, text]) => h('option', { value, selected: filters[name] === value }, text)));
const input = (name, type) => h('input', { name, type, value: filters[name], oninput: refine });
const form = h('form', { class: 'filters', role: 'search', 'aria-label': words.say('filters'), onsubmit: (event) => event.preventDefault() });

function build({ houses }) {
  const fields = [
    field(words.say('filter_text'), input('text', 'search')),
    houses.length > 1 ? field(words.say('house'), choice('house', [['', words.say('every_house')], ...houses.map(({ house, name }) => [house, name])])) : '',
    field(words.say('filter_phase'), choice('phase', ['', ...Object.keys(PHASES)].map((phase) => [phase, words.say(phase ? `filter_phase.${phase}` : 'filter_phase.all')]))),
    field(words.say('filter_from'), input('from', 'date')), field(words.say('filter_until'), input('until', 'date')),
  ];
  form.replaceChildren(...fields, h('button', { type: 'button', class: 'quiet clear', onclick: clear }, words.say('filter_clear')));
}

function refine(event) {
  filters = { ...filters, [event.target.name]: event.target.value.trim() };
  history.replaceState(history.state, '', withFilters(location.href, filters));
  show();
}

function clear() {
  filters = readFilters(location.origin);
  history.replaceState(history.state, '', withFilters(location.href, filters));
  build(directory);
  show();
  form.querySelector('[name=text]').focus();
}

function card(onSale) {
  const element = onSaleCard(onSale, onSale.house, words);
  element.classList.add('themed');
  applyColours(element, directory.houses.find(({ house }) => house === onSale.house)?.colours);
  return element;
}

/** Draws what is wanted, unless it stands there already; the focus stays where it was. */
function show() {
  const wanted = inOrder(directory.on_sales.filter((each) => isWanted(each, filters)));
  const isFiltered = Object.values(filters).some(Boolean);
  form.hidden = directory.on_sales.length === 0 && !isFiltered;
  nothing.hidden = wanted.length > 0;
  form.querySelector('.clear').hidden = !isFiltered || !nothing.hidden;
  if (!nothing.hidden) sayNothing(isFiltered && directory.on_sales.length > 0);
  down.hidden = directory.unavailable.length === 0;
  setText(down, down.hidden ? '' : words.say('unavailable_houses', { names: directory.unavailable.map(({ name }) => name).join(', ') }));
  clearTimeout(telling);
  telling = setTimeout(() => setText(count, wanted.length ? words.say('filter_count', { n: wanted.length }) : ''), shown ? TOLD_AFTER_MS : 0);
  const now = JSON.stringify([wanted, directory.houses]);
  if (now === shown) return;
  shown = now;
  const focused = list.contains(document.activeElement) ? document.activeElement.getAttribute('href') : null;
  list.replaceChildren(...wanted.map(card));
  if (focused) (list.querySelector(`[href="${CSS.escape(focused)}"]`) ?? main).focus();
}

function sayNothing(isFiltered) {
  nothing.replaceChildren(h('p', {}, words.say(isFiltered ? 'filter_nothing' : 'nothing_on_sale')),
    isFiltered ? h('p', {}, h('button', { type: 'button', class: 'secondary', onclick: clear }, words.say('filter_show_all'))) : '');
}

async function read() {
  readAtMs = Date.now();
  directory = await get('/v1/on-sales');
  if (!form.firstChild) build(directory);
  show();
}

/** While somebody looks, what comes and goes is followed. */
function lookAgain() {
  if (!document.hidden && Date.now() - readAtMs >= LOOK_AGAIN_MS) read().catch(() => null);
}

main.append(h('div', { class: 'intro' }, h('h1', {}, words.say('one_stop')), h('p', { class: 'muted' }, words.say('one_stop_lead'))));
try {
  await read();
  main.append(down, form, count, nothing, list);
  setInterval(lookAgain, 5000);
  document.addEventListener('visibilitychange', lookAgain);
} catch (problem) {
  main.append(h('p', { class: 'notice problem', role: 'alert' }, explain(problem, words)));
}
