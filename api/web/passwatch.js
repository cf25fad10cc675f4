// Whose turn it is, and until when. Whoever goes on on another device is told here, with a way back; whoever needs more time
// than most asks for it, as often as they like until the stay is over, and is warned before the end.

import { explain } from './api.js';
import { untilMs } from './clock.js';
import { decode } from './draw.js';
import { h, setText, whileBusy } from './dom.js';

const WARN_MS = 180_000;
const FOR_EVER = '9999-12-31';

/** What a pass says itself: from when on it is not renewed, and whether more time was asked for. */
function termsOf(pass) {
  const { stay_until: stayS, more_time: isLonger } = pass ? JSON.parse(new TextDecoder().decode(decode(pass.split('.')[1]))) : {};
  return { stay: stayS ? new Date(stayS * 1000).toISOString() : FOR_EVER, isLonger };
}

/** `element` stands above the seats. `onback()`: the visitor goes on here. `isOffered`: the house gives more time. */
export function passWatch({ line, words, isOffered, onback }) {
  const { memory } = line;
  const until = h('span', { class: 'muted' });
  const soon = h('p', { class: 'notice trouble', role: 'status', hidden: true });
  const more = h('button', { type: 'button', class: 'quiet more-time', hidden: true, onclick: () => press(more, { more_time: true }) }, words.say('pass_longer'));
  const here = h('button', { type: 'button', class: 'primary', onclick: () => press(here, { renews: undefined }) }, words.say('do.here'));
  const moved = h('div', { class: 'notice problem moved', role: 'alert', hidden: true }, h('p', {}, words.say('problem.moved-elsewhere')), here);
  const trouble = h('p', { class: 'notice problem', role: 'alert', hidden: true });
  const element = h('div', { class: 'pass-until' }, until, ' ', more, soon, moved, trouble);
  let isHere = true;

  async function press(button, how) {
    trouble.hidden = true;
    await whileBusy(button, async () => {
      if (!await line.claim(how)) throw Object.assign(new Error(), { isTold: true });
      if (how.more_time) show();
      else onback();
    }, (problem) => {
      if (problem.slug === 'moved-elsewhere') tellMoved();
      trouble.hidden = problem.slug === 'moved-elsewhere';
      setText(trouble, problem.isTold ? words.say(line.isTurnOver ? 'problem.turn-over' : 'next.full') : explain(problem, words));
    });
  }

  /** Also told to the other tabs of this browser: none of them goes on by itself. */
  function tellMoved() {
    if (!memory.kept.moved) memory.keep({ moved: true });
    show();
    moved.scrollIntoView({ block: 'nearest' });
  }

  function show() {
    memory.read();
    const { kept, pass } = memory;
    if (!kept.moved && !isHere) return onback();
    isHere = !kept.moved;
    moved.hidden = isHere;
    const { stay, isLonger } = termsOf(kept.pass);
    const isAtEnd = kept.pass_expires_at >= stay;
    until.hidden = !pass;
    more.hidden = !pass || !isOffered || (isAtEnd && isLonger);
    const time = pass && words.time(kept.pass_expires_at);
    const isLast = pass && isAtEnd && more.hidden;
    if (pass) setText(until, `${words.say('shop_until', { time })} ${stay === FOR_EVER || isLast ? '' : words.say('stay_most', { time: words.time(stay) })}`.trim());
    setText(soon, said());
    soon.hidden = !soon.textContent;
    return undefined;

    function said() {
      if (!pass) return isHere && untilMs(stay) <= 0 ? words.say('problem.stay-over') : '';
      if (isLast) return words.say('stay_last', { time });
      return more.hidden || untilMs(kept.pass_expires_at) > WARN_MS ? '' : words.say('pass_nearly_up');
    }
  }

  setInterval(show, 1000);
  addEventListener('storage', ({ key }) => { if (key === memory.name) show(); });
  return { element, show, tellMoved };
}
