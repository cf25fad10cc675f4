// What someone in the queue sees: the same on the house's page and inside the widget.

import { explain } from './api.js';
import { untilMs } from './clock.js';
import { drawDetails } from './drawview.js';
import { h, setText, whileBusy } from './dom.js';

const SPEAK_EVERY_MS = 60_000;
const ENDED = ['sold_out', 'closed'];

/** Which situation a visitor is in, of all that the page knows how to tell. */
export function situation(state) {
  const { phase, place, position, isServed, isTurnOver, isFull, hasPass } = state;
  if (!phase) return state.trouble ? 'missing' : 'loading';
  if (ENDED.includes(phase) && !hasPass) return phase;
  if (hasPass) return 'shopping';
  if (isTurnOver) return 'turn_over';
  if (!place) return phase === 'scheduled' ? 'scheduled' : 'joinable';
  if (position === null) return 'gathered';
  if (phase === 'paused') return 'paused';
  if (isServed) return isFull ? 'full' : 'turn';
  return phase === 'open' ? 'waiting' : 'gathered';
}

const ACTIONS = { joinable: 'join', turn: 'enter', full: 'enter', shopping: 'enter', turn_over: 'again' };

function sayWait(ahead, reckoning, words) {
  if (ahead === 0) return words.say('any_moment');
  if (!reckoning) return words.say('wait_unknown');
  const [from, to] = reckoning;
  return to <= 1 ? words.say('about_a_minute') : words.say('minutes_range', { from, to });
}

/** What to show for a situation: words only, no page. `onSale` gives the start of joining. */
export function describe(state, words, onSale) {
  const name = situation(state);
  const { status, ahead, position, reckoning } = state;
  const opens = status?.opens_at ?? onSale.opens_at;
  const isBefore = ['scheduled', 'prequeue'].includes(state.phase);
  const seatsOpen = Object.values(status?.seats_open ?? {}).reduce((sum, count) => sum + count, 0);
  const facts = [];
  if (status && !ENDED.includes(state.phase) && isBefore) facts.push([words.say('sales_start'), words.moment(opens)]);
  if (name === 'gathered' && isBefore) facts.push([words.say('arrived_as'), words.number(state.index + 1)]);
  if (isBefore && status.lines.public.joined) facts.push([words.say('people_waiting'), words.number(status.lines.public.joined)]);
  if (ahead !== null && ['waiting', 'paused'].includes(name)) {
    facts.push([words.say('ahead_of_you'), words.number(ahead)]);
    facts.push([words.say('expected_wait'), name === 'paused' ? words.say('wait_unknown_paused') : sayWait(ahead, reckoning, words)]);
    facts.push([words.say('seats_still_open'), words.number(seatsOpen)]);
  }
  const isTight = name === 'waiting' && ahead > seatsOpen / 3;
  const until = name === 'scheduled' ? onSale.prequeue_at : opens;
  return {
    name, action: ACTIONS[name] ?? null,
    headline: words.say(`stage.${name}`),
    number: position !== null && ['waiting', 'paused', 'turn', 'full'].includes(name) ? words.number(position + 1) : null,
    countdown: isBefore ? { label: words.say(name === 'scheduled' ? 'queue_opens_in' : 'sales_start_in'), until } : null,
    facts,
    next: [words.say(`next.${name}${name === 'joinable' && !isBefore ? '_open' : ''}`, { time: words.hour(opens) }), isTight ? words.say('seats_are_tight') : ''].filter(Boolean),
    message: status?.message || '',
    isConnected: state.isConnected,
  };
}

/** Builds the view of a `Line`. `onenter(line)` is called when it is the visitor's turn and they press the button. */
export function waitingView({ line, words, onSale, onenter }) {
  const headline = h('h2', { class: 'stage' });
  const numberLabel = h('span', { class: 'number-label' }, words.say('your_number'));
  const number = h('strong', { class: 'number' });
  const numberBox = h('p', { class: 'number-box', hidden: true }, numberLabel, number);
  const countLabel = h('span', { class: 'number-label' });
  const count = h('strong', { class: 'countdown', role: 'timer' });
  const countBox = h('p', { class: 'number-box', hidden: true }, countLabel, count);
  const bar = h('progress', { class: 'ahead', 'aria-label': words.say('progress') });
  const facts = h('dl', { class: 'facts' });
  const next = h('div', { class: 'next' });
  const button = h('button', { type: 'button', class: 'primary large', hidden: true, onclick: press });
  const leave = h('button', { type: 'button', class: 'quiet', hidden: true, onclick: askToLeave }, words.say('leave_queue'));
  const problem = h('p', { class: 'notice problem', role: 'alert', hidden: true });
  const reconnect = h('p', { class: 'notice', hidden: true }, words.say('reconnecting'));
  const message = h('p', { class: 'notice message', hidden: true });
  const spoken = h('p', { class: 'unseen', role: 'status' });
  const draw = drawDetails({ line, words });
  const root = h('section', { class: 'card waiting' },
    message, headline, numberBox, countBox, bar, facts, next, problem, h('div', { class: 'actions' }, button, leave), reconnect, draw.element, spoken);
  let shown = null;
  let lastSpoken = { name: null, atMs: 0 };
  let furthest = 0;
  const ticking = setInterval(tick, 1000);

  function tick() {
    if (!shown?.countdown) return;
    setText(count, untilMs(shown.countdown.until) ? words.stretch(untilMs(shown.countdown.until)) : words.say('any_moment'));
  }

  async function press() {
    problem.hidden = true;
    await whileBusy(button, async () => {
      if (shown.action === 'join') await line.join();
      else if (shown.action === 'enter') await onenter(line);
      else { line.leave(); await line.join(); }
    }, (trouble) => { problem.hidden = false; setText(problem, explain(trouble, words)); });
  }

  function askToLeave() {
    if (leave.dataset.sure) line.leave();
    leave.dataset.sure = leave.dataset.sure ? '' : 'yes';
    setText(leave, words.say(leave.dataset.sure ? 'leave_queue_sure' : 'leave_queue'));
  }

  function speak(state) {
    const now = performance.now();
    const isNews = lastSpoken.name !== shown.name;
    if (!isNews && (state.ahead === null || now - lastSpoken.atMs < SPEAK_EVERY_MS)) return;
    const ahead = state.ahead !== null && shown.name === 'waiting' ? words.say('spoken_ahead', { n: state.ahead }) : '';
    setText(spoken, [shown.headline, ahead].filter(Boolean).join('. '));
    lastSpoken = { name: shown.name, atMs: now };
  }

  function update(state) {
    shown = describe(state, words, onSale);
    root.dataset.situation = shown.name;
    setText(headline, shown.headline);
    numberBox.hidden = !shown.number;
    setText(number, shown.number ?? '');
    countBox.hidden = !shown.countdown;
    setText(countLabel, shown.countdown?.label ?? '');
    furthest = Math.max(furthest, state.ahead ?? 0);
    bar.hidden = shown.name !== 'waiting' || furthest === 0;
    if (!bar.hidden) [bar.max, bar.value] = [furthest, furthest - state.ahead];
    facts.replaceChildren(...shown.facts.map(([label, value]) => h('div', {}, h('dt', {}, label), h('dd', {}, value))));
    facts.hidden = shown.facts.length === 0;
    if (next.textContent !== shown.next.join('')) next.replaceChildren(...shown.next.map((text) => h('p', {}, text)));
    button.hidden = !shown.action;
    if (shown.action) setText(button, words.say(`do.${shown.name === 'shopping' ? 'return' : shown.action}`));
    leave.hidden = !['gathered', 'waiting', 'paused'].includes(shown.name);
    setText(message, shown.message);
    message.hidden = !shown.message;
    reconnect.hidden = shown.isConnected;
    draw.update(state);
    speak(state);
    tick();
    return shown;
  }

  return { element: root, update, stop: () => clearInterval(ticking) };
}
