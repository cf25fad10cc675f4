// "Check it yourself": the draw, explained and recomputed in the visitor's own browser.

import { get, SERVER } from './api.js';
import { h, setText } from './dom.js';
import { decode, makeDraw } from './draw.js';
import { fault, isListed } from './drawcheck.js';
import { importPinned } from './pinned.js';

/** Those that did not reveal their contribution in time. */
const withheld = (draw) => (draw.contributors ?? []).filter((each) => draw.seed && !each.secret).map((each) => each.house);

/** Where the draw of the visitor's own queue is. */
function drawOf({ path, memory }) {
  const own = memory.kept.line ?? 'public';
  return `${path}${own === 'public' ? '' : `/lines/${own}`}/draw`;
}

/** What the house says until everybody who joined is recorded. */
const NOT_YET = new Set(['not-recorded-yet', 'draw-not-made']);

/** Whether the place is in the closed list: `listed`, `missing`, `wrong` (not proved), `later`, or `away` (ask again). */
async function find(line, draw, index) {
  let answer;
  try {
    answer = await get(`${drawOf(line)}/paths/${index}`);
  } catch ({ slug }) {
    return NOT_YET.has(slug) ? 'later' : slug === 'not-found' ? 'missing' : 'away';
  }
  // What is no path at all proves nothing either.
  return await isListed(draw, index, line.memory.kept.secret, answer?.path).catch(() => false) ? 'listed' : 'wrong';
}

async function check(line, words) {
  const { state } = line;
  const { draw, house, on_sale: onSale } = state.status;
  const wrong = (name, facts) => ({ isRight: false, text: words.say(`draw.check_${name}`, facts) });
  const mistake = await fault(`${house}/${onSale}/${line.memory.kept.line ?? 'public'}`, draw, state.firstCommitment ?? undefined, line.memory.kept.others);
  if (mistake) return wrong(mistake);
  if (state.index === null) return { isRight: true, text: words.say('draw.check_seed_right') };
  const windows = draw.windows ? await importPinned('windows.js') : null;
  if (windows && !(await windows.leadsToAnchor(draw))) return wrong('mix_wrong');
  const isInIt = state.index < draw.entrants;
  // Its window has not ended; or everybody of it has been called, and the status says no more of it.
  if (windows && !isInIt && (state.position === null || state.index < draw.later.borders[0])) return { isRight: true, text: words.say('draw.check_seed_right') };
  const number = (windows ? await windows.rank(draw, state.index) : (await makeDraw(decode(draw.seed), draw.entrants))(state.index)) + 1;
  if (number !== state.position + 1) return wrong('number_wrong', { number });
  const found = draw.root && isInIt && line.memory.kept.secret ? await find(line, draw, state.index) : '';
  if (found === 'wrong' || found === 'missing') return wrong(`list_${found}`);
  const facts = { arrived: state.index + 1, number, entrants: draw.entrants };
  const right = words.say(isInIt ? 'draw.check_right' : windows ? 'draw.check_right_later' : 'draw.check_right_late', facts);
  const listed = { listed: 'draw.check_listed', later: 'draw.check_list_later', away: 'draw.check_list_away' }[found];
  return { isRight: true, text: listed ? `${right} ${words.say(listed)}` : right };
}

/** A `details` element on the draw of a line: `update(state)` whenever the state changed. */
export function drawDetails({ line, words }) {
  const list = h('dl', { class: 'fingerprints' });
  const button = h('button', { type: 'button', class: 'secondary', onclick: run }, words.say('draw.check'));
  const outcome = h('p', { class: 'outcome', role: 'status' });
  const lead = h('p', {});
  const whole = h('a', { download: 'draw.json' }, words.say('draw.transcript'));
  const transcript = h('p', {}, whole);
  const element = h('details', { class: 'draw' }, h('summary', {}, words.say('draw.title')), lead, list, button, outcome, transcript);
  let written = '';

  async function run() {
    setText(outcome, words.say('draw.checking'));
    const { isRight, text } = await check(line, words);
    outcome.dataset.right = isRight ? 'yes' : 'no';
    setText(outcome, text);
  }

  function update(state) {
    const draw = state.status?.draw;
    element.hidden = !draw;
    if (!draw) return;
    button.hidden = !draw.seed;
    transcript.hidden = !draw.root;
    whole.href = new URL(drawOf(line).slice(1), SERVER).href;
    setText(lead, words.say(draw.seed ? 'draw.after' : 'draw.before'));
    const rows = [
      ['draw.commitment', state.firstCommitment ?? draw.commitment], ['draw.seed', draw.secret ?? draw.seed],
      ['draw.entrants', draw.entrants === undefined ? null : words.number(draw.entrants)],
      ['draw.window', draw.rule?.window_seconds ? words.span(draw.rule.window_seconds) : null],
      ['draw.root', draw.root],
      ['draw.contributors', (draw.contributors ?? []).map((each) => each.house).join(', ')],
      ['draw.withheld', withheld(draw).join(', ')],
      ['draw.arrived', state.index === null ? null : words.number(state.index + 1)],
      ['draw.algorithm', draw.algorithm],
    ].filter(([, value]) => value);
    if (written === JSON.stringify(rows)) return;
    written = JSON.stringify(rows);
    list.replaceChildren(...rows.map(([name, value]) => h('div', {}, h('dt', {}, words.say(name)), h('dd', {}, value))));
  }

  return { element, update };
}
