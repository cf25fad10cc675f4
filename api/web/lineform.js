// The queues of a sale beside everybody's, for whoever has a code or an invitation; and of whoever stands in one, which it is.

import { explain } from './api.js';
import { field, h, setText, whileBusy } from './dom.js';

const JOINED = ['prequeue', 'open', 'paused'];

/** `element`: the form, as long as one of them may be joined; `above`: what somebody's own queue is called, and until when it calls. */
export function lineForm({ line, words, onSale }) {
  const { lines, one_place_per: per } = onSale;
  // Where each has one place, whose it is to be comes first: with the form for that.
  if (!lines.length) return { element: '', update() {} };
  const which = h('select', {});
  const code = h('input', { type: 'text', required: true, autocomplete: 'off', autocapitalize: 'characters', spellcheck: false, value: line.how?.code ?? '' });
  const problem = h('p', { class: 'notice problem', role: 'alert', hidden: true });
  const join = h('button', { class: 'secondary' }, words.say('line.join'));
  const without = h('button', { type: 'button', class: 'quiet', hidden: !line.how, onclick: forget }, words.say('line.without'));
  const form = h('form', { onsubmit: submit }, field(words.say('line.which'), which), field(words.say('line.code'), code), problem, h('div', { class: 'actions' }, join));
  const others = h('ul', {});
  const element = h('details', { class: 'lines', hidden: true, open: Boolean(line.how) }, h('summary', {}, words.say('line.have_code')), form, others, without);
  const above = h('p', { class: 'notice', hidden: true });
  let written = '';

  function submit(event) {
    event.preventDefault();
    problem.hidden = true;
    const how = { line: which.value, code: code.value.trim() };
    whileBusy(join, async () => {
      if (line.memory.kept.place) line.leave();
      await line.join(how);
    }, (fault) => { problem.hidden = false; setText(problem, explain(fault, words)); });
  }

  /** Whoever came by the link of an invitation, and joins as everybody does. */
  function forget() {
    line.how = undefined;
    history.replaceState(history.state, '', location.pathname + location.search);
    [code.value, without.hidden, element.open] = ['', true, false];
  }

  const until = (time) => (time ? words.say('line.until', { time: words.moment(time) }) : '');

  function update({ status, place }, { action, hasEnded, isInLine }) {
    const own = place && lines.find((each) => each.line === line.memory.kept.line);
    above.hidden = !own || !isInLine;
    if (!above.hidden) setText(above, [words.say('line.yours', { title: own.title }), until(status.closes_at)].join(' '));
    element.hidden = Boolean(per) || !status || hasEnded || (place !== null && action !== 'again');
    if (element.hidden) return;
    const phase = (each) => (each === own ? status.phase : status.lines[each.line]?.phase);
    const told = lines.map((each) => [each, phase(each)]);
    if (written === JSON.stringify(told)) return;
    written = JSON.stringify(told);
    const open = told.filter(([, now]) => JOINED.includes(now));
    const chosen = which.value || line.how?.line;
    which.replaceChildren(...open.map(([each]) => h('option', { value: each.line, selected: each.line === chosen }, each.title)));
    form.hidden = !open.length;
    others.replaceChildren(...told.flatMap(([{ title, opens_at: opens, closes_at: closes }, now]) => (
      now === 'scheduled' ? [words.say('line.later', { title, time: words.moment(opens) })]
        : now === 'over' ? [words.say('line.over', { title })] : closes ? [`${title}. ${until(closes)}`] : [])).map((text) => h('li', {}, text)));
  }

  return { element, above, update };
}
