// What a screen reader hears of the queue: news, in one sentence, and never more often than every half minute.

import { h, setText } from './dom.js';
import { IN_TURN } from './situation.js';

const SPEAK_EVERY_MS = 30_000;
const SAY_AHEAD_EVERY_MS = 60_000;

/** Two unseen regions: one for news, and one that interrupts, for the turn alone. `update(state, shown)`. */
export function speaker(words) {
  const calm = h('p', { role: 'status' });
  const urgent = h('p', { role: 'alert' });
  const element = h('div', { class: 'unseen' }, calm, urgent);
  let [said, saidAtMs, waiting, latest, hadTurn] = [null, -Infinity, null, null, false];

  const topic = ([state, shown]) => [shown.name, shown.message, state.isConnected].join();

  function speak() {
    clearTimeout(waiting);
    const [state, shown] = latest;
    const [now, isNews] = [performance.now(), topic(latest) !== said];
    const isDue = isNews || (shown.name === 'waiting' && now - saidAtMs >= SAY_AHEAD_EVERY_MS);
    if (!isDue) return;
    if (now - saidAtMs < SPEAK_EVERY_MS) {
      waiting = setTimeout(speak, SPEAK_EVERY_MS - (now - saidAtMs));
      return;
    }
    const ahead = shown.name === 'waiting' ? words.say('spoken_ahead', { n: state.ahead }) : '';
    setText(calm, [shown.headline, ahead, shown.message, shown.trouble].filter(Boolean).join('. '));
    [said, saidAtMs] = [topic(latest), now];
  }

  function update(state, shown) {
    const isFirst = latest === null || !latest[0].status;
    latest = [state, shown];
    const hasTurn = IN_TURN.includes(shown.name);
    setText(urgent, hasTurn && (hadTurn || !isFirst) ? words.say('stage.turn') : '');
    hadTurn = hasTurn;
    // What a page begins with is read from the page.
    if (isFirst || hasTurn) said = topic(latest);
    else speak();
  }

  return { element, update, stop: () => clearTimeout(waiting) };
}
