// The control page: what a house's manager watches and steers during an on-sale. /h/{house}/control

import { saleCurve } from './aftersale.js';
import { change, explain, get } from './api.js';
import { asideDesk } from './asidedesk.js';
import { attentionList } from './attention.js';
import { nowMs } from './clock.js';
import { codesDesk } from './codesdesk.js';
import { h, setText, whileBusy } from './dom.js';
import { lineTiles, linesDesk } from './linesdesk.js';
import { newSale } from './newsale.js';
import { orderDesk } from './orderdesk.js';
import { isOrder, orderNumber } from './ordernumber.js';
import { planChange } from './planchange.js';
import { openPage, readPath } from './shell.js';
import { askForKey, leaveButton } from './staff.js';
import { staffKeys } from './staffkeys.js';
import { loadStaffLook } from './stafflook.js';
import { situationOf, steering } from './steering.js';
import { plannedSteps } from './laterpace.js';
import { themeDesk } from './themedesk.js';
import { afterwards } from './unfold.js';
import { webhookList } from './webhooks.js';
import { sayMoment } from './zonetime.js';

const LOOK_EVERY_MS = 2500;
const OLD_MS = 8000;
/** What else holds a line back is said where it was done, or where it is busy. */
const SLOWER = ['few-seats', 'full'];
const [READ_ACTIONS, SHOWN_ACTIONS] = [100, 25];

const { house } = readPath();
loadStaffLook();
const { words, main, house: facts } = await openPage({ house, title: 'control', isStaff: true, parts: ['shop', 'staff'] });
const path = `/v1/houses/${house}/manage`;
const { key, found: { on_sales: onSales } } = await askForKey({ words, main, title: 'control', check: (bearer) => get(`${path}/on-sales`, { bearer }) });

const problem = h('p', { class: 'notice problem', role: 'alert', hidden: true });
const sentence = h('p', { class: 'sentence' });
const badge = h('p', { class: 'phase' });
const age = h('p', { class: 'muted age' });
const stale = h('p', { class: 'notice problem', role: 'status', hidden: true }, words.say('control.stale'));
const pressed = h('div');
const board = h('div', { class: 'board' });
const actions = h('ul', { class: 'log' });
const after = afterwards({ words });
let shown = null;
let [timer, seenAt, written, latest] = [null, 0, '', []];

function tellTrouble(trouble) {
  after.hide();
  setText(problem, explain(trouble, words));
  problem.hidden = false;
  problem.scrollIntoView({ block: 'nearest' });
}

async function attempt(button, action, said) {
  problem.hidden = true;
  await whileBusy(button, async () => {
    await action();
    if (said) after.tell(said);
  }, tellTrouble);
}

const desk = { words, path, house, key, attempt, after };
const attention = attentionList({ ...desk, attempt: (button, action, said) => attempt(button, action, [said, words.say('no_way_back')].filter(Boolean).join(' ')) });
const earlierMessages = (id) => [...new Set(latest.filter((each) => each.what === 'message' && each.subject === id).map((each) => each.detail.message).filter(Boolean))];
const steer = steering({ ...desk, earlierMessages, act: async (verb, asked, reason) => {
  const now = await change('POST', `${path}/on-sales/${shown.on_sale}/${verb}`, { bearer: key, body: { ...asked, reason } });
  show(now);
  return now;
} });

const nameOnSale = ({ title, phase }) => `${title} (${words.say(`phase.${phase}`)})`;
const tile = (label, value, note) => h('div', { class: 'tile' }, h('dt', {}, words.say(label)), h('dd', {}, value, note ? h('small', {}, note) : null));

function drawBoard(now) {
  const { seats } = now;
  const share = (count) => (seats.capacity ? words.say('percent', { share: Math.round((100 * count) / seats.capacity) }) : null);
  const meter = h('div', { class: 'meter', role: 'img', 'aria-label': words.say('seats_meter', { sold: seats.sold, held: seats.held, open: seats.open }) },
    ['sold', 'held', 'open', 'blocked'].map((state) => { const part = h('span', { class: state }); part.style.flexGrow = String(seats[state]); return part; }));
  board.replaceChildren(
    h('dl', { class: 'tiles' },
      tile('count.joined', words.number(now.joined)), tile('count.now_serving', words.number(now.now_serving)),
      tile('count.ahead', words.number(now.waiting)),
      tile('count.live', words.number(now.live_passes), words.say('of_at_most', { n: now.cap })), tile('count.rate', words.number(now.rate_per_minute), words.say('per_minute')),
      tile('count.orders', words.number(now.orders)), tile('count.takings', words.money(now.takings, now.currency)),
      now.backlog ? tile('count.backlog', words.number(now.backlog), words.say('backlog_hint')) : null),
    h('h3', {}, words.say('seats')), meter,
    h('dl', { class: 'tiles states' }, ['open', 'held', 'sold', 'blocked'].map((state) => tile(`seat.${state}`, words.number(seats[state]), share(seats[state])))), ...lineTiles(now.lines, words, tile));
}

function show(now) {
  shown = now;
  seenAt = nowMs();
  tellAge();
  stale.hidden = true;
  setText(sentence, situationOf(now, words));
  setText(badge, words.say(`phase.${now.phase}`));
  badge.className = `phase ${now.phase}`;
  const notices = [now.message ? h('p', { class: 'notice message' }, h('small', {}, words.say('message_now')), now.message) : null,
    now.pressure_level || now.slowed_percent ? h('p', { class: 'notice' }, words.say(`pressure.${now.pressure_level}`), h('small', { lang: 'en' }, now.pressure)) : null,
    SLOWER.includes(now.why) ? h('p', { class: 'notice' }, words.say(`slower.${now.why}`)) : null,
    now.rates.length ? h('div', { class: 'notice' }, h('small', {}, words.say('later_title')), plannedSteps(now.rates, words)) : null].filter(Boolean);
  pressed.replaceChildren(...notices);
  drawBoard(now);
  setText([...choice.options].find((option) => option.value === now.on_sale), nameOnSale(now));
  steer.show(now);
  curve.update(now);
}

/** How old what is shown is: nobody should steer by numbers that stopped moving. */
function tellAge() {
  if (seenAt) setText(age, words.say('control.as_of', { ago: words.ago(Math.max(1000, nowMs() - seenAt)) }));
  if (seenAt && nowMs() - seenAt > OLD_MS) stale.hidden = false;
}

async function look(id) {
  clearTimeout(timer);
  try {
    const now = await get(`${path}/on-sales/${id}`, { bearer: key });
    if (choice.value === id) show(now);
    await Promise.all([readActions(), attention.read()]).catch(() => null);
  } catch {
    stale.hidden = false;
  }
  if (choice.value === id) timer = setTimeout(() => look(id), LOOK_EVERY_MS);
}

const did = (what) => (words.has(`did.${what}`) ? words.say(`did.${what}`) : what);
const titleOf = ({ what, subject }) => (what.startsWith('theme') ? '' : isOrder(subject) ? orderNumber(subject, words) : onSales.find((each) => each.on_sale === subject)?.title ?? subject);
const stepsOf = (planned) => planned.split(', ').filter(Boolean).map((step) => step.split('=')).map(([at, rate]) => words.say('later_step', { time: sayMoment(words, at), rate })).join(' ');
const detailOf = ({ what, detail }) => (what === 'message' ? `“${detail.message ?? ''}”` : what === 'schedule' ? stepsOf(detail.rates ?? '') : what === 'rate' ? [detail.rate_per_minute, detail.cap].filter(Boolean).map((n) => words.number(n)).join(' / ') : '');

/** What was done comes from the house's books, a moment later than it was done. */
async function readActions() {
  const { actions: list } = await get(`${path}/actions?limit=${READ_ACTIONS}`, { bearer: key });
  if (written === JSON.stringify(list)) return;
  [written, latest] = [JSON.stringify(list), list];
  actions.replaceChildren(...(list.length ? list.slice(0, SHOWN_ACTIONS) : [null]).map((each) => (each ? h('li', {},
    h('time', { datetime: each.at }, `${words.shortDate(each.at)} ${words.hour(each.at)}`), h('b', {}, `${did(each.what)} `, titleOf(each)), detailOf(each) ? h('span', {}, detailOf(each)) : null,
    h('span', {}, each.who), h('q', {}, each.why)) : h('li', {}, words.say('no_actions')))));
}

function made(sale) {
  onSales.push(sale);
  choice.append(h('option', { value: sale.on_sale }, nameOnSale(sale)));
  choice.value = sale.on_sale;
  [chooser.hidden, desktop.hidden] = [false, false];
  nothing.hidden = true;
  after.tell(words.say('sale_made', { title: sale.title, page: `/h/${house}/${sale.on_sale}` }));
  look(sale.on_sale);
}

const [orders, csv] = orderDesk(desk);
const choice = h('select', { onchange: () => { after.hide(); look(choice.value); } }, onSales.map((each) => h('option', { value: each.on_sale }, nameOnSale(each))));
const chooser = h('label', { class: 'field inline', hidden: !onSales.length }, h('span', {}, words.say('on_sale')), choice);
const curve = saleCurve({ ...desk, onSale: () => choice.value });
const nothing = h('p', { class: 'card', hidden: Boolean(onSales.length) }, words.say('nothing_on_sale'));
const desktop = h('div', { class: 'columns', hidden: !onSales.length },
  h('section', { class: 'card now', 'aria-label': words.say('now') }, h('h2', { class: 'unseen' }, words.say('now')), badge, sentence, pressed, steer.first, age, stale),
  h('section', { class: 'card', 'aria-label': words.say('steer') }, h('h2', {}, words.say('steer')), steer.others));
main.classList.add('wide');
main.append(h('div', { class: 'intro row' }, h('h1', {}, words.say('control')), leaveButton({ words })), chooser, problem, after.element, attention.element, nothing, desktop,
  h('section', { class: 'card', 'aria-label': words.say('numbers'), hidden: !onSales.length }, h('h2', {}, words.say('numbers')), board),
  h('section', { class: 'card administration', 'aria-label': words.say('administration') }, h('h2', {}, words.say('administration')),
    newSale({ ...desk, onmade: made }), linesDesk({ ...desk, shown: () => shown }), asideDesk(desk), codesDesk(desk), planChange({ ...desk, onSale: () => choice.value }), orders, themeDesk({ ...desk, name: facts.name }), staffKeys(desk), webhookList(desk).element, csv, ...curve.elements),
  h('section', { class: 'card' }, h('h2', {}, words.say('actions')), actions));
setInterval(tellAge, 1000);
if (onSales.length) {
  choice.value = (['open', 'paused', 'prequeue', 'scheduled'].map((phase) => onSales.find((each) => each.phase === phase)).find(Boolean) ?? onSales[0]).on_sale;
  look(choice.value);
}
Promise.all([readActions(), attention.read()]).catch(() => null);
