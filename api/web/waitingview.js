// What someone in the queue sees: the same on the house's page and inside the widget.

import { explain } from './api.js';
import { untilMs } from './clock.js';
import { h, setText, whileBusy } from './dom.js';
import { describe, IN_TURN, KEEPING } from './situation.js';

/** What a house's own page may put into the widget, by the situation that it is shown in; the others are always there. */
const SLOTS = {
  before: ({ countdown }) => Boolean(countdown), waiting: ({ name }) => KEEPING.includes(name),
  turn: ({ name }) => IN_TURN.includes(name), 'sold-out': ({ name }) => name === 'sold_out', closed: ({ name }) => name === 'closed',
};
const box = (...children) => h('p', { class: 'number-box', hidden: true }, children);

/**
 * Builds the view of a `Line`. `onenter(line)` is called when it is the visitor's turn and they press the button.
 * `hasSlots`: inside the widget. What stands below (`waitingmore.js`) is added when it is there.
 */
export function waitingView({ line, words, onSale, onenter, entry = '', hasSlots = false }) {
  const headline = h('h2', { class: 'stage', tabindex: '-1' });
  const number = h('strong', { class: 'number' });
  const numberBox = box(h('span', { class: 'number-label' }, words.say('your_number')), number);
  const countLabel = h('span', { class: 'number-label' });
  const count = h('strong', { class: 'countdown', role: 'timer' });
  const countBox = box(countLabel, count);
  const bar = h('progress', { class: 'ahead', 'aria-label': words.say('progress') });
  const facts = h('dl', { class: 'facts' });
  const next = h('div', { class: 'next' });
  const button = h('button', { type: 'button', class: 'primary large', hidden: true, onclick: press });
  const leave = h('button', { type: 'button', class: 'quiet', hidden: true, onclick: askToLeave });
  const stay = h('button', { type: 'button', class: 'secondary', hidden: true, onclick: () => { showLeaving(false); leave.focus(); } }, words.say('leave_queue_not'));
  const problem = h('p', { class: 'notice problem', role: 'alert', hidden: true });
  const trouble = h('p', { class: 'notice trouble', hidden: true });
  const message = h('p', { class: 'notice message', hidden: true });
  const age = h('p', { class: 'age', hidden: true });
  const actions = h('div', { class: 'actions' }, button, leave, stay);
  const parts = [];
  const rest = h('div', { class: 'rest' });
  const slots = hasSlots ? Object.keys(SLOTS).map((name) => h('slot', { name, hidden: true })) : [];
  const root = h('section', { class: 'card waiting' },
    message, headline, numberBox, countBox, bar, trouble, facts, next, slots, problem, actions, age, rest);
  let shown = null;
  let furthest = 0;
  let isLeaving = false;
  const ticking = setInterval(tick, 1000);
  showLeaving(false);

  function tick() {
    if (!shown) return;
    if (shown.countdown) setText(count, untilMs(shown.countdown.until) ? words.stretch(untilMs(shown.countdown.until)) : words.say('any_moment'));
    const { ageMs } = line.state;
    // In steps of five seconds: a number that runs draws the eye from what matters.
    setText(age, ageMs < 5000 ? words.say('as_of_now') : words.say('as_of', { ago: words.ago(Math.floor(ageMs / 5000) * 5000) }));
    show();
  }

  async function press() {
    problem.hidden = true;
    await whileBusy(button, async () => {
      if (shown.action === 'enter') await onenter(line);
      else {
        if (shown.action === 'again') line.leave();
        await line.join(line.how);
      }
    }, (fault) => { problem.hidden = false; setText(problem, explain(fault, words)); });
  }

  function askToLeave() {
    if (isLeaving) line.leave();
    showLeaving(!isLeaving);
  }

  /** Asks again before a number is lost, with a way back. */
  function showLeaving(isAsked) {
    isLeaving = isAsked;
    stay.hidden = !isAsked;
    setText(leave, words.say(isAsked ? 'leave_queue_sure' : 'leave_queue'));
  }

  /** What may change without news from the server. */
  function show() {
    shown = describe(line.state, words, onSale);
    setText(trouble, shown.trouble);
    trouble.hidden = !shown.trouble;
  }

  function update(state) {
    const focused = root.getRootNode().activeElement;
    show();
    root.dataset.situation = shown.name;
    setText(headline, shown.headline);
    numberBox.hidden = !shown.number;
    setText(number, shown.number ?? '');
    countBox.hidden = !shown.countdown;
    setText(countLabel, shown.countdown?.label ?? '');
    furthest = Math.max(furthest, state.ahead ?? 0);
    bar.hidden = shown.name !== 'waiting' || !furthest;
    if (!bar.hidden) [bar.max, bar.value] = [furthest, furthest - state.ahead];
    facts.replaceChildren(...shown.facts.map(([label, value]) => h('div', {}, h('dt', {}, label), h('dd', {}, value))));
    facts.hidden = !shown.facts.length;
    if (next.textContent !== shown.next.join('')) next.replaceChildren(...shown.next.map((text) => h('p', {}, text)));
    button.hidden = !shown.action;
    if (shown.action) setText(button, words.say(shown.action === 'enter' && entry ? entry : `do.${shown.name === 'shopping' ? 'return' : shown.action}`));
    leave.hidden = !KEEPING.includes(shown.name) && !(shown.hasEnded && state.place);
    if (leave.hidden) showLeaving(false);
    actions.hidden = button.hidden && leave.hidden;
    setText(message, shown.message);
    message.hidden = !shown.message;
    age.hidden = !state.status || shown.hasEnded || shown.name === 'shopping';
    for (const slot of slots) slot.hidden = !SLOTS[slot.name](shown);
    for (const part of parts) part.update(state, shown);
    tick();
    // Whoever pressed what is gone now goes on reading from the top, and not from nowhere.
    if (focused && root.contains(focused) && !focused.checkVisibility()) headline.focus();
    return shown;
  }

  /** Adds what stands below; what of it is `above` comes first of all. */
  function add(more) {
    parts.push(...more);
    rest.append(...more.map((part) => part.element));
    root.prepend(...more.map((part) => part.above ?? ''));
    line.changed();
  }

  return { element: root, update, add, stop: () => { clearInterval(ticking); parts.forEach((part) => part.stop?.()); } };
}
