// Steering a running sale: the one sensible thing large, the others behind their names; before each what it will do,
// and after it the way back, or that there is none.

import { field, h, setText } from './dom.js';
import { laterPace } from './laterpace.js';
import { guardForm } from './guardform.js';
import { unfold } from './unfold.js';
import { sayMoment } from './zonetime.js';

const FIRST = { scheduled: 'open', prequeue: 'open', open: 'pause', paused: 'resume', draining: 'resume', stopped: 'resume' };
const FINAL = ['close', 'stop'];
const LONGEST_MESSAGE = 300;
const EARLIER = 3;

/** The phase, and what it is within it. */
const stateOf = (now) => (now.phase === 'open' && now.draining ? 'draining' : now.phase === 'paused' && now.stopped ? 'stopped' : now.phase);

/** What is going on, in one sentence or two. */
export function situationOf(now, words) {
  const facts = { time: sayMoment(words, now.opens_at), joined: now.joined, waiting: now.waiting, live: now.live_passes, rate: now.rate_per_minute, free: now.seats.open, capacity: now.seats.capacity, orders: now.orders };
  return words.say(`situation.${stateOf(now)}`, facts);
}

/** `act(verb, facts, why)` does it and gives the sale after it; `attempt(button, action)` shows trouble; `after` tells. */
export function steering({ words, act, attempt, after, earlierMessages }) {
  const first = h('div', { class: 'first' });
  const others = h('div', { class: 'others' });
  let now = null;
  let drawn = '';
  const live = new Map();

  const reasonInput = () => h('input', { type: 'text', maxlength: 300 });
  const whyOf = (input) => input.value.trim() || words.say('reason_none');
  const number = (value, most) => h('input', { type: 'number', min: 1, max: most, required: true, value, inputmode: 'numeric' });
  const facts = () => ({ joined: now.joined, waiting: now.waiting, live: now.live_passes, held: now.seats.held, free: now.seats.open, rate: now.rate_per_minute, cap: now.cap, time: sayMoment(words, now.opens_at) });

  /** Words that are kept right while the numbers move. */
  function consequence(read) {
    const element = h('p', { class: 'consequence' }, read());
    live.set(element, read);
    return element;
  }

  /** The way back from what was just done: what to ask, and whether it is still as it was left. */
  function wayBack(verb, before) {
    const undone = (what, asked, isStill) => ({ isStill, run: (button) => attempt(button, async () => {
      await act(what, asked, words.say('undo_reason', { what: words.say(`act.${verb}`) }));
      after.tell(words.say('undone', { what: words.say(`act.${verb}`) }));
    }) });
    if (verb === 'pause') return undone('resume', {}, (later) => later.phase === 'paused');
    if (verb === 'drain') return undone('resume', {}, (later) => later.draining);
    if (verb === 'resume' && stateOf(before) === 'draining') return undone('drain', {}, (later) => stateOf(later) === 'open');
    if (verb === 'schedule') return undone('schedule', { rates: before.rates }, (later) => JSON.stringify(later.rates) === JSON.stringify(now.rates));
    if (verb === 'resume' && stateOf(before) === 'paused') return undone('pause', {}, (later) => later.phase === 'open');
    if (verb === 'guard') {
      const { safety_net_per_minute: net, fails } = now;
      return undone('guard', { safety_net_per_minute: before.safety_net_per_minute, fails: before.fails }, (later) => later.safety_net_per_minute === net && later.fails === fails);
    }
    if (verb === 'message') return undone('message', { message: before.message }, (later) => later.message === now.message);
    if (verb === 'rate') {
      const [rate, cap] = [now.rate_per_minute, now.cap];
      return undone('rate', { rate_per_minute: before.rate_per_minute, cap: before.cap }, (later) => later.rate_per_minute === rate && later.cap === cap);
    }
    return null;
  }

  function perform(verb, button, asked, why, then) {
    const before = now;
    return attempt(button, async () => {
      now = await act(verb, asked, why);
      then?.();
      const way = wayBack(verb, before);
      const said = verb === 'message' && !now.message ? 'message_gone' : verb === 'schedule' && !now.rates.length ? 'schedule_gone' : verb;
      after.tell([words.say(`acted.${said}`, facts()), way ? null : words.say('no_way_back')].filter(Boolean).join(' '), way);
    });
  }

  /** The one thing: done with one press, or after a look at what cannot be undone. */
  function drawFirst() {
    const verb = FIRST[stateOf(now)];
    if (!verb) return first.replaceChildren();
    const hint = consequence(() => words.say(`act.${verb}_hint`, facts()));
    if (verb === 'open') {
      const sure = unfold(words.say('act.open'), (close) => confirmation('open', close), { kind: 'primary large' });
      return first.replaceChildren(hint, sure.element);
    }
    const reason = reasonInput();
    const button = h('button', { type: 'submit', class: 'primary large' }, words.say(`act.${verb}`));
    const submit = (event) => { event.preventDefault(); perform(verb, button, {}, whyOf(reason)); };
    return first.replaceChildren(h('form', { onsubmit: submit }, hint, button, field(words.say('reason_optional'), reason, words.say('reason_hint'))));
  }

  /** Before something that has no way back: its consequence in numbers, and two answers. */
  function confirmation(verb, close) {
    const reason = reasonInput();
    const button = h('button', { type: 'submit', class: FINAL.includes(verb) ? 'danger' : 'primary' }, words.say(`sure.${verb}`));
    const submit = (event) => { event.preventDefault(); perform(verb, button, {}, whyOf(reason)); };
    return h('form', { onsubmit: submit }, consequence(() => words.say(`sure.${verb}_hint`, facts())), h('p', {}, h('b', {}, words.say('no_way_back'))),
      field(words.say('reason_optional'), reason, words.say('reason_hint')),
      h('div', { class: 'actions' }, button, h('button', { type: 'button', class: 'secondary', onclick: close }, words.say('sure.no'))));
  }

  function messageForm(close) {
    const text = h('textarea', { rows: 3, maxlength: LONGEST_MESSAGE, value: now.message });
    const reason = reasonInput();
    const show = h('button', { type: 'submit', class: 'primary' }, words.say('message_show'));
    const remove = h('button', { type: 'button', class: 'secondary', onclick: () => perform('message', remove, { message: '' }, whyOf(reason), close) }, words.say('message_remove'));
    const submit = (event) => {
      event.preventDefault();
      perform('message', show, { message: text.value.replaceAll(/\s+/g, ' ').trim() }, whyOf(reason), close);
    };
    const earlier = earlierMessages(now.on_sale).filter((each) => each !== now.message).slice(0, EARLIER);
    text.required = true;
    return h('form', { onsubmit: submit }, h('p', { class: 'consequence' }, words.say('act.message_hint', facts())), field(words.say('message_field'), text, words.say('message_hint')),
      earlier.length ? h('div', { class: 'offers' }, h('span', {}, words.say('message_earlier')), earlier.map((each) => h('button', { type: 'button', class: 'quiet', onclick: () => { text.value = each; text.focus(); } }, each))) : null,
      field(words.say('reason_optional'), reason, words.say('reason_hint')), h('div', { class: 'actions' }, show, now.message ? remove : null));
  }

  function rateForm(close) {
    const [rate, cap, reason] = [number(now.rate_per_minute, 100_000), number(now.cap, 100_000), reasonInput()];
    const outcome = consequence(() => {
      const [perMinute, most] = [Number(rate.value), Number(cap.value)];
      const minutes = Math.ceil(now.waiting / Math.max(1, perMinute));
      return [words.say('rate_outcome', { rate: perMinute, waiting: now.waiting, duration: words.span(Math.max(1, minutes) * 60) }),
        most < now.live_passes ? words.say('cap_outcome', { live: now.live_passes, cap: most }) : null].filter(Boolean).join(' ');
    });
    const button = h('button', { type: 'submit', class: 'primary' }, words.say('rate_use'));
    const submit = (event) => {
      event.preventDefault();
      perform('rate', button, { rate_per_minute: Number(rate.value), cap: Number(cap.value) }, whyOf(reason), close);
    };
    return h('form', { onsubmit: submit, oninput: () => setText(outcome, live.get(outcome)()) }, field(words.say('rate_field'), rate), field(words.say('cap_field'), cap, words.say('cap_hint')), outcome,
      field(words.say('reason_optional'), reason, words.say('reason_hint')), button);
  }

  /** Done with one press, and undone with one. */
  function simple(verb, close) {
    const reason = reasonInput();
    const button = h('button', { type: 'submit', class: 'primary' }, words.say(`act.${verb}`));
    const submit = (event) => { event.preventDefault(); perform(verb, button, {}, whyOf(reason), close); };
    return h('form', { onsubmit: submit }, consequence(() => words.say(`act.${verb}_hint`, facts())), field(words.say('reason_optional'), reason, words.say('reason_hint')), button);
  }

  function laterForm(close) {
    const reason = reasonInput();
    return laterPace({ words, now, reason, use: (button, rates) => perform('schedule', button, { rates }, whyOf(reason), close) });
  }

  function draw() {
    live.clear();
    drawFirst();
    const offered = [];
    if (now.phase === 'sold_out') offered.push(unfold(words.say('act.resume'), (close) => confirmation('resume', close)));
    if (now.phase !== 'closed') offered.push(unfold(words.say('act.message'), messageForm), unfold(words.say('act.rate'), rateForm), unfold(words.say('act.schedule'), laterForm),
      unfold(words.say('act.guard'), (close) => guardForm({ words, now, save: (button, asked, reason) => perform('guard', button, asked, whyOf(reason), close) })));
    if (stateOf(now) === 'open') offered.push(unfold(words.say('act.drain'), (close) => simple('drain', close)));
    if (['open', 'draining', 'paused'].includes(stateOf(now))) offered.push(unfold(words.say('act.stop'), (close) => confirmation('stop', close)));
    if (now.phase !== 'closed') offered.push(unfold(words.say('act.close'), (close) => confirmation('close', close)));
    others.replaceChildren(...offered.map((each) => each.element));
  }

  /** Takes in how the sale stands; what somebody is filling in stays until another kind of action fits. */
  function show(later) {
    const is = `${later.on_sale} ${stateOf(later)}`;
    now = later;
    after.look(now);
    if (is !== drawn) {
      drawn = is;
      draw();
    }
    for (const [element, read] of live) {
      if (element.isConnected) setText(element, read());
      else live.delete(element);
    }
  }
  return { first, others, show };
}
