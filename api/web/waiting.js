// The waiting page of an on-sale: /h/{house}/{on_sale}.

import { explain, get } from './api.js';
import { h } from './dom.js';
import { readFragment } from './fragment.js';
import { Line } from './line.js';
import { goBack, readReturn } from './returning.js';
import { linkPlain, NEVER, openPage, readPath, whenAndWhere } from './shell.js';
import { titleSign } from './situation.js';
import { moreParts } from './waitingmore.js';
import { waitingView } from './waitingview.js';

/** So many performances stand above the queue; more would push it off the screen. */
const FEW = 3;
const STRAIGHT_TRIES = 4;
const { house: slug, onSale: id } = readPath();
const line = new Line({ house: slug, onSale: id });
const asked = get(`/v1/houses/${slug}/on-sales/${id}`);
asked.catch(() => null);
line.start();
const { words, house, main } = await openPage({ house: slug, parts: ['waiting'] });
const back = readReturn(house.return_addresses);
if (back === false) {
  line.stop();
  fail(house.name, words.say('return.refused'), location.pathname, 'return.stay');
  await NEVER;
}

/** Nothing but what is wrong, and a way on. */
function fail(title, problem, address, name) {
  main.replaceChildren(
    h('div', { class: 'intro' }, h('h1', {}, title)), h('p', { class: 'notice problem', role: 'alert' }, problem),
    h('p', {}, h('a', { class: 'button secondary', href: address }, words.say(name))));
}

/** The seats; with the place behind the `#` where this browser keeps nothing from one page to the next. */
async function goToSeats() {
  if (back) {
    const { pass } = line.memory;
    const asking = (await asked).known_user && get(`${line.path}/known-user`, { bearer: pass });
    const { queueittoken } = await Promise.resolve(asking || {}).catch((problem) => {
      // It ended before its time, or another device has gone on: pressing the button again claims it anew.
      if (['pass-ended', 'moved-elsewhere'].includes(problem.slug)) line.memory.keep({ pass_expires_at: undefined });
      throw problem;
    });
    goBack(back, pass, queueittoken);
    return;
  }
  const page = new URL(`/h/${slug}/${id}/seats`, location.href);
  if (line.memory.lasts !== 'device') page.hash = line.memory.fragment;
  location.assign(page);
}

async function enter() {
  if (line.memory.pass || await line.claim({ renews: undefined })) await goToSeats();
  else if (line.isFull) setTimeout(() => { if (line.isFull) enter().catch(() => line.changed()); }, line.retryAfterMs);
}

/** While the room of a safety net rests a visitor comes straight in; where that does not work at once, the room shows. */
async function goStraightIn() {
  await line.join();
  for (let tries = 0; tries < STRAIGHT_TRIES && !await line.claim(); tries += 1) await new Promise((resume) => { setTimeout(resume, line.retryAfterMs); });
  if (line.memory.pass) await goToSeats();
}

/** The house's policies: what it says in this language, else what its network file does. */
function policies(kept) {
  const say = (name) => (words.has(`own.${name}`) ? words.say(`own.${name}`) : kept?.[name]);
  const rows = ['fees', 'refunds', 'delivery'].filter(say);
  if (!rows.length) return [];
  return [h('details', { class: 'policies' }, h('summary', {}, words.say('policies')),
    h('dl', {}, rows.map((name) => [h('dt', {}, words.say(`policy.${name}`)), h('dd', {}, say(name))])))];
}

/** The place that a personal link brought: taken at once where there is none yet, else given for the visitor to choose. */
function takeLink() {
  const given = readFragment();
  if (!given || given.place === line.memory.kept.place) return null;
  if (line.memory.kept.place) return given;
  line.takeOver(given);
  return null;
}

/** What an invitation's link says: which queue, and by which code. It stays in the address, where no server sees it: a page that is loaded again has it still. */
function invited() {
  const given = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  return given.line && given.code ? { line: given.line, code: given.code } : undefined;
}

try {
  const onSale = await asked;
  line.how = invited();
  line.prequeueAt = onSale.prequeue_at;
  line.turnMs = onSale.turn_seconds * 1000;
  const view = waitingView({ line, words, onSale, onenter: enter, entry: back ? 'return.enter' : '' });
  const calm = `${onSale.title} – ${document.title}`;
  const plainLink = linkPlain(words);
  let isNew = true;
  line.onchange = (state) => {
    // Once: whoever gives their number up stays out.
    if (isNew && state.status) {
      isNew = false;
      if (state.status.safety_net?.is_active === false && state.phase === 'open' && !state.place) goStraightIn().catch(() => line.changed());
    }
    document.title = titleSign(state, view.update(state), words) + calm;
    // A number is not taken along.
    plainLink.hidden = Boolean(state.place);
  };
  const dates = h('ul', { class: 'dates' }, onSale.performances.map((performance) => h('li', {},
    onSale.performances.length > 1 ? h('b', {}, performance.title) : null, ' ', whenAndWhere(performance, words))));
  const areMany = onSale.performances.length > FEW;
  // Whoever has bought finds it here again: this is the address that people keep.
  const { order = line.memory.kept.bought } = line.memory.kept;
  const bought = order ? h('p', {}, h('a', { href: `/h/${slug}/${id}/seats#order` }, words.say('your_order'))) : null;
  main.append(
    h('div', { class: 'intro' }, h('h1', {}, onSale.title), areMany ? null : dates, bought),
    view.element,
    areMany ? h('details', { class: 'policies' }, h('summary', {}, `${words.say('performances')} (${words.number(onSale.performances.length)})`), dates) : '',
    ...policies(onSale.policies));
  addEventListener('hashchange', () => { if (location.hash.includes('secret=')) location.reload(); });
  view.add(moreParts({ line, words, onSale, given: takeLink() }));
} catch (problem) {
  line.stop();
  fail(problem.status === 404 ? words.say('stage.missing') : house.name, explain(problem, words), `/h/${slug}`, 'back_to_house');
}
