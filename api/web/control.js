// The control page: what a house's manager watches and steers during an on-sale. /h/{house}/control

import { change, explain, get, getFile } from './api.js';
import { attentionList } from './attention.js';
import { field, h, setText, whileBusy } from './dom.js';
import { openPage, readPath } from './shell.js';
import { askForKey, leaveButton } from './staff.js';
import { webhookList } from './webhooks.js';

const LOOK_EVERY_MS = 2500;
const SCOPES = ['manage', 'orders:read', 'orders:write', 'counter'];
const CAN = { open: ['scheduled', 'prequeue'], pause: ['open'], resume: ['paused'], close: ['scheduled', 'prequeue', 'open', 'paused', 'sold_out'] };

const { house } = readPath();
const { words, main } = await openPage({ house, title: 'control', isStaff: true, parts: ['shop', 'staff'] });
const path = `/v1/houses/${house}/manage`;
const { key, found: { on_sales: onSales } } = await askForKey({ words, main, check: (bearer) => get(`${path}/on-sales`, { bearer }) });

const problem = h('p', { class: 'notice problem', role: 'alert', hidden: true });
const stale = h('p', { class: 'notice', role: 'status', hidden: true }, words.say('control.stale'));
const done = h('p', { class: 'notice good', role: 'status', hidden: true });
const board = h('div', { class: 'board' });
const steering = h('div', { class: 'steering' });
const actions = h('ul', { class: 'log' });
let shown = null;
let timer = null;
let written = '';

async function attempt(button, action, said) {
  [problem.hidden, done.hidden] = [true, true];
  await whileBusy(button, async () => {
    await action();
    if (said) setText(done, said);
    done.hidden = !said;
  }, (trouble) => { setText(problem, explain(trouble, words)); problem.hidden = false; problem.scrollIntoView({ block: 'nearest' }); });
}

const attention = attentionList({ words, path, key, attempt });

const nameOnSale = ({ title, phase }) => `${title} (${words.say(`phase.${phase}`)})`;
const tile = (label, value, note) => h('div', { class: 'tile' }, h('dt', {}, words.say(label)), h('dd', {}, value, note ? h('small', {}, note) : null));

function drawBoard(now) {
  const { seats } = now;
  const share = (count) => (seats.capacity ? words.say('percent', { share: Math.round((100 * count) / seats.capacity) }) : null);
  const meter = h('div', { class: 'meter', role: 'img', 'aria-label': words.say('seats_meter', { sold: seats.sold, held: seats.held, open: seats.open }) },
    ['sold', 'held', 'open', 'blocked'].map((state) => { const part = h('span', { class: state }); part.style.flexGrow = String(seats[state]); return part; }));
  board.replaceChildren(
    h('p', { class: `phase ${now.phase}` }, words.say(`phase.${now.phase}`)),
    now.message ? h('p', { class: 'notice message' }, now.message) : '',
    now.pressure_level || now.slowed_percent ? h('p', { class: 'notice', role: 'status' }, words.say(`pressure.${now.pressure_level}`), h('small', { lang: 'en' }, now.pressure)) : '',
    h('dl', { class: 'tiles' },
      tile('count.joined', words.number(now.joined)), tile('count.now_serving', words.number(now.now_serving)),
      tile('count.ahead', words.number(Math.max(0, now.joined - now.now_serving))),
      tile('count.live', words.number(now.live_passes), words.say('of_at_most', { n: now.cap })), tile('count.rate', words.number(now.rate_per_minute), words.say('per_minute')),
      tile('count.orders', words.number(now.orders)), tile('count.takings', words.money(now.takings, now.currency)),
      now.backlog ? tile('count.backlog', words.number(now.backlog), words.say('backlog_hint')) : null),
    h('h2', {}, words.say('seats')), meter,
    h('dl', { class: 'tiles states' }, ['open', 'held', 'sold', 'blocked'].map((state) => tile(`seat.${state}`, words.number(seats[state]), share(seats[state])))));
}

function act(verb, facts) {
  return change('POST', `${path}/on-sales/${shown.on_sale}/${verb}`, { bearer: key, body: facts }).then(show);
}

const reasonField = () => h('input', { type: 'text', required: true, maxlength: 300 });

/** A form that always asks why. `fields`: [[label, input, name, hint]…]; `confirm`: words to tick before it goes. */
function actionForm(verb, fields = [], confirm = null) {
  const reason = reasonField();
  const button = h('button', { type: 'submit', class: confirm ? 'danger' : 'primary' }, words.say(`act.${verb}`));
  const sure = confirm ? h('label', { class: 'choice' }, h('input', { type: 'checkbox', required: true }), h('span', {}, confirm)) : null;
  const submit = (event) => {
    event.preventDefault();
    const facts = Object.fromEntries(fields.map(([, input, name]) => [name, input.type === 'number' ? Number(input.value) : input.value]));
    attempt(button, () => act(verb, { ...facts, reason: reason.value }), words.say(`acted.${verb}`));
  };
  return h('details', { class: 'action' }, h('summary', {}, words.say(`act.${verb}`)), h('form', { onsubmit: submit },
    h('p', { class: 'muted' }, words.say(`act.${verb}_hint`)), fields.map(([label, input, , hint]) => field(words.say(label), input, hint)),
    field(words.say('reason'), reason, words.say('reason_hint')), sure, button));
}

function drawSteering(now) {
  const number = (value, most) => h('input', { type: 'number', min: 1, max: most, required: true, value, inputmode: 'numeric' });
  const forms = Object.keys(CAN).filter((verb) => verb !== 'close' && CAN[verb].includes(now.phase)).map((verb) => actionForm(verb));
  if (now.phase !== 'closed') {
    forms.push(actionForm('rate', [['rate_field', number(now.rate_per_minute, 100000), 'rate_per_minute'], ['cap_field', number(now.cap, 100000), 'cap', words.say('cap_hint')]]),
      actionForm('message', [['message_field', h('textarea', { rows: 3, maxlength: 300, value: now.message ?? '' }), 'message', words.say('message_hint')]]),
      actionForm('close', [], words.say('close_sure')));
  }
  steering.replaceChildren(...forms);
}

function show(now) {
  const isNew = !shown || shown.on_sale !== now.on_sale || shown.phase !== now.phase;
  shown = now;
  stale.hidden = true;
  drawBoard(now);
  setText([...choice.options].find((option) => option.value === now.on_sale), nameOnSale(now));
  if (isNew) drawSteering(now);
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

/** What was done comes from the house's books, a moment later than it was done. */
async function readActions() {
  const { actions: list } = await get(`${path}/actions`, { bearer: key });
  if (written === JSON.stringify(list)) return;
  written = JSON.stringify(list);
  actions.replaceChildren(...(list.length ? list : [null]).map((each) => (each ? h('li', {},
    h('time', { datetime: each.at }, `${words.shortDate(each.at)} ${words.hour(each.at)}`), h('b', {}, `${did(each.what)} ${each.subject ?? ''}`), h('span', {}, each.who), h('q', {}, each.why)) : h('li', {}, words.say('no_actions')))));
}

const csv = h('button', { type: 'button', class: 'secondary', onclick: () => attempt(csv, async () => {
  const address = URL.createObjectURL(await getFile(`${path}/orders.csv`, { bearer: key }));
  h('a', { href: address, download: `${house}-orders.csv` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}) }, words.say('orders_csv'));

function keyForm() {
  const [name, reason] = [h('input', { type: 'text', required: true, maxlength: 80 }), reasonField()];
  const list = h('ul', { class: 'log' });
  const made = h('p', { class: 'notice good', role: 'status', hidden: true });
  const button = h('button', { type: 'submit', class: 'primary' }, words.say('key_create'));
  const boxes = SCOPES.map((scope) => h('label', { class: 'choice' }, h('input', { type: 'checkbox', name: 'scope', value: scope }), h('span', {}, words.say(`scope.${scope}`))));
  const read = async () => {
    const { keys } = await get(`${path}/keys`, { bearer: key });
    list.replaceChildren(...keys.map((each) => {
      const revoke = h('button', { type: 'button', class: 'quiet', onclick: () => {
        if (revoke.dataset.sure) attempt(revoke, async () => { await change('DELETE', `${path}/keys/${each.key_id}`, { bearer: key }); await read(); });
        revoke.dataset.sure = 'yes';
        setText(revoke, words.say('key_revoke_sure'));
      } }, words.say('key_revoke'));
      return h('li', {}, h('b', {}, each.name), h('span', {}, each.scopes.map((scope) => words.say(`scope.${scope}`)).join(', ')), each.revoked ? h('em', {}, words.say('key_revoked')) : revoke);
    }));
  };
  const submit = (event) => {
    event.preventDefault();
    const scopes = new FormData(event.target).getAll('scope');
    attempt(button, async () => {
      const created = await change('POST', `${path}/keys`, { bearer: key, body: { name: name.value, scopes, reason: reason.value } });
      made.replaceChildren(words.say('key_once'), ' ', h('code', {}, created.key));
      made.hidden = false;
      await read();
    });
  };
  const form = h('form', { onsubmit: submit }, field(words.say('key_name'), name, words.say('key_name_hint')), h('fieldset', {}, h('legend', {}, words.say('key_may')), boxes), field(words.say('reason'), reason), button, made);
  return h('details', { class: 'action', ontoggle: (event) => { if (event.target.open) read().catch((trouble) => { setText(problem, explain(trouble, words)); problem.hidden = false; }); } },
    h('summary', {}, words.say('keys')), list, form);
}

const choice = h('select', { onchange: () => look(choice.value) }, onSales.map((each) => h('option', { value: each.on_sale }, nameOnSale(each))));
main.classList.add('wide');
main.append(h('div', { class: 'intro row' }, h('h1', {}, words.say('control')), leaveButton({ words })), problem, done, stale, attention.element,
  onSales.length ? h('label', { class: 'field inline' }, h('span', {}, words.say('on_sale')), choice) : h('p', { class: 'card' }, words.say('nothing_on_sale')),
  h('div', { class: 'columns' }, h('section', { class: 'card', 'aria-label': words.say('numbers') }, board),
    h('section', { class: 'card', 'aria-label': words.say('steer') }, h('h2', {}, words.say('steer')), steering, h('h2', {}, words.say('administration')), csv, keyForm(), webhookList({ words, path, key, attempt }).element)),
  h('section', { class: 'card' }, h('h2', {}, words.say('actions')), actions));
if (onSales.length) {
  choice.value = (onSales.find((each) => each.phase === 'open') ?? onSales[0]).on_sale;
  look(choice.value);
}
Promise.all([readActions(), attention.read()]).catch(() => null);
