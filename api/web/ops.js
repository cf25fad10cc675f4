// The operations page: how every house of the network is doing, for whoever looks after all of them. /ops
// Each house is asked at its own address: one that is down is seen to be, and the others stay live.

import { get, pause, Problem } from './api.js';
import { h, setText } from './dom.js';
import { openPage } from './shell.js';
import { askForKey, leaveButton } from './staff.js';
import { loadStaffLook } from './stafflook.js';

const LOOK_EVERY_MS = 2000;
const PATIENCE_MS = 4000;
const OLD_MS = 10_000;
const SPEAK_EVERY_MS = 30_000;
const IN_TROUBLE = ['down', 'unreachable', 'recovering', 'unrecorded', 'strained'];

loadStaffLook();
const { words, main } = await openPage({ title: 'ops', isStaff: true, parts: ['staff', 'ops'] });
const { key, found } = await askForKey({ words, main, title: 'ops', kind: 'po', hint: 'ops.key_hint', check: (bearer) => get('/v1/operated-houses', { bearer }) });

const summary = h('p', { class: 'notice' }, words.say('loading'));
const spoken = h('p', { class: 'unseen', role: 'status' });
const boards = found.houses.map(houseBoard);
main.classList.add('wide');
main.append(
  h('div', { class: 'intro row' }, h('h1', {}, words.say('ops')), leaveButton({ words })), h('p', { class: 'muted' }, words.say('ops.lead')),
  summary, spoken, h('ul', { class: 'cards houses' }, boards.map((board) => board.element)));
let spokenAt = -SPEAK_EVERY_MS;

/** Says which houses need somebody, at once; a screen reader hears of it at most every half minute. */
function sumUp() {
  if (boards.some((board) => !board.state)) return;
  const names = boards.filter((board) => IN_TROUBLE.includes(board.state) || board.needsPerson).map((board) => board.name);
  const text = names.length ? words.say('ops.look_at', { names: names.join(', ') }) : words.say('ops.well', { n: boards.length });
  setText(summary, text);
  summary.className = names.length ? 'notice problem' : 'notice good';
  if (text === spoken.textContent || performance.now() < spokenAt + SPEAK_EVERY_MS) return;
  spokenAt = performance.now();
  setText(spoken, text);
}

function houseBoard({ house, name }) {
  const state = h('p', { class: 'phase' });
  const age = h('p', { class: 'muted age' }, words.say('ops.never'));
  const why = h('p', { class: 'notice', lang: 'en', hidden: true });
  const tiles = h('dl', { class: 'tiles' });
  const sales = h('ul', { class: 'sales' });
  const link = h('a', { href: `/h/${house}/control`, 'aria-label': words.say('ops.control', { house: name }) }, name);
  const element = h('li', { class: 'card house-board' }, h('h2', {}, link), state, age, why, tiles, sales);
  const board = { element, name, state: null, needsPerson: false, look, showAge };
  let heardAt = null;
  let ageAtHearing = 0;

  function showState(now) {
    board.state = now;
    element.dataset.state = IN_TROUBLE.includes(now) ? 'trouble' : now;
    state.className = `phase ${now}`;
    setText(state, words.say(`ops.state.${now}`));
  }

  function showAge() {
    if (heardAt === null) return;
    const ms = performance.now() - heardAt + ageAtHearing;
    const text = words.say('ops.age', { n: Math.round(ms / 1000) });
    setText(age, ms > OLD_MS ? `${words.say('ops.stale')} ${text}` : text);
    element.dataset.old = String(ms > OLD_MS);
  }

  const tile = (label, value, isBad = false) => h('div', { class: isBad ? 'tile bad' : 'tile' }, h('dt', {}, words.say(label)), h('dd', {}, value));

  function show(now) {
    showState(now.state);
    board.needsPerson = now.alarms + now.dead_letters > 0;
    // A house that is down tells nothing more: what was so before it went stays, and grows old.
    if (!now.read_at) return;
    heardAt = performance.now();
    ageAtHearing = Math.max(0, Date.parse(now.server_time) - Date.parse(now.read_at));
    why.hidden = !now.pressure;
    setText(why, now.pressure);
    const speed = now.p99_ms === null ? words.say('ops.unknown') : words.say('ops.ms', { n: now.p99_ms });
    tiles.replaceChildren(
      tile('ops.waiting', words.number(now.waiting)), tile('ops.admitted', words.number(now.admitted_last_minute)),
      tile('ops.seats', words.number(now.seats_open)), tile('ops.holds', words.number(now.holds)),
      tile('ops.requests', words.number(now.requests_last_minute)), tile('ops.speed', speed, now.p99_ms > 500),
      tile('ops.behind', words.say('ops.seconds', { n: Math.round(now.writer_lag_ms / 1000) }), now.writer_lag_ms > 10_000),
      tile('ops.alarms', words.number(now.alarms), now.alarms > 0), tile('ops.refunds', words.number(now.refunds_due)),
      now.dead_letters ? tile('ops.unwritten', words.number(now.dead_letters), true) : '');
    sales.replaceChildren(...now.on_sales.map(sale));
    showAge();
  }

  async function look() {
    try {
      const late = pause(PATIENCE_MS).then(() => { throw new Problem({ slug: 'unreachable' }); });
      show(await Promise.race([get(`/v1/houses/${house}/ops`, { bearer: key }), late]));
    } catch (problem) {
      if (problem.status === 401) location.reload(); // the key was withdrawn
      showState('unreachable');
      showAge();
    }
    sumUp();
  }
  return board;
}

function sale({ title, phase, waiting, admitted_last_minute: admitted, seats_open: seats }) {
  const fact = (label, n) => h('span', {}, `${words.say(label)}: ${words.number(n)}`);
  return h('li', {}, h('b', {}, title), h('span', { class: `phase ${phase}` }, words.say(`ops.state.${phase}`)),
    fact('ops.waiting', waiting), fact('ops.admitted', admitted),
    Object.entries(seats).map(([category, n]) => h('span', {}, words.say('ops.sale_seats', { category, n }))));
}

async function watch(board) {
  for (;;) {
    if (!document.hidden) await board.look();
    await pause(LOOK_EVERY_MS);
  }
}

boards.forEach(watch);
document.addEventListener('visibilitychange', () => { if (!document.hidden) boards.forEach((board) => board.look()); });
setInterval(() => boards.forEach((board) => board.showAge()), 1000);
