// "Check it yourself": the draw, explained and recomputed in the visitor's own browser.

import { decode, digest, makeDraw } from './draw.js';
import { h, setText } from './dom.js';

async function check(state, words) {
  const { draw } = state.status;
  const seed = decode(draw.seed);
  const secret = decode(draw.secret ?? draw.seed);
  const promised = state.firstCommitment ?? draw.commitment;
  if ((await digest(secret)) !== promised) return { isRight: false, text: words.say('draw.check_seed_wrong') };
  if (state.index === null) return { isRight: true, text: words.say('draw.check_seed_right') };
  const position = (await makeDraw(seed, draw.entrants))(state.index);
  if (position !== state.position) return { isRight: false, text: words.say('draw.check_number_wrong', { number: position + 1 }) };
  const name = state.index < draw.entrants ? 'draw.check_right' : 'draw.check_right_late';
  return { isRight: true, text: words.say(name, { arrived: state.index + 1, number: position + 1, entrants: draw.entrants }) };
}

/** A `details` element on the draw of a line: `update(state)` whenever the state changed. */
export function drawDetails({ line, words }) {
  const list = h('dl', { class: 'fingerprints' });
  const button = h('button', { type: 'button', class: 'secondary', onclick: run }, words.say('draw.check'));
  const outcome = h('p', { class: 'outcome', role: 'status' });
  const lead = h('p', {});
  const element = h('details', { class: 'draw' }, h('summary', {}, words.say('draw.title')), lead, list, button, outcome);
  let written = '';

  async function run() {
    setText(outcome, words.say('draw.checking'));
    const { isRight, text } = await check(line.state, words);
    outcome.dataset.right = isRight ? 'yes' : 'no';
    setText(outcome, text);
  }

  function update(state) {
    const draw = state.status?.draw;
    element.hidden = !draw;
    if (!draw) return;
    button.hidden = !draw.seed;
    setText(lead, words.say(draw.seed ? 'draw.after' : 'draw.before'));
    const rows = [
      ['draw.commitment', state.firstCommitment ?? draw.commitment], ['draw.seed', draw.secret ?? draw.seed],
      ['draw.entrants', draw.entrants === undefined ? null : words.number(draw.entrants)],
      ['draw.arrived', state.index === null ? null : words.number(state.index + 1)],
      ['draw.algorithm', draw.algorithm],
    ].filter(([, value]) => value);
    if (written === JSON.stringify(rows)) return;
    written = JSON.stringify(rows);
    list.replaceChildren(...rows.map(([name, value]) => h('div', {}, h('dt', {}, words.say(name)), h('dd', {}, value))));
  }

  return { element, update };
}
