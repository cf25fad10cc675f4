// What chance there is of seats, and why the wait has become longer. It stands right behind the wait itself.

import { chanceOf } from './chance.js';
import { h } from './dom.js';
import { waitingIn } from './leaps.js';

/** The sentences, as `api/forms/outlook.py` has them; none before the sales and after them. */
export function outlookOf({ status, ahead }, name, words) {
  const isNext = name === 'joinable' && status?.phase === 'open';
  if (!isNext && (ahead === null || !['waiting', 'paused'].includes(name))) return [];
  const { lines, seats_open: open, seats_held: held, chance, why } = status;
  const seatsOpen = Object.values(open).reduce((sum, count) => sum + count, 0);
  const before = isNext ? waitingIn(lines.public) : ahead;
  const said = [words.say(`chance.${chanceOf(before, lines, seatsOpen + held, chance)}`)];
  if (!seatsOpen && held) said.unshift(words.say('held_may_return', { n: held }));
  if (why && why !== name && words.has(`why.${why}`)) said.unshift(words.say(`why.${why}`));
  return said;
}

/** The same as a part of the waiting room. */
export function outlook(words) {
  const element = h('div', { class: 'next outlook', hidden: true });
  let written = '';

  function update(state, { name }) {
    const facts = element.closest('.waiting')?.querySelector('.facts');
    if (facts && element.previousElementSibling !== facts) facts.after(element);
    const said = outlookOf(state, name, words);
    element.hidden = !said.length;
    if (written === (written = said.join('\n'))) return;
    element.replaceChildren(...said.map((text) => h('p', {}, text)));
  }

  return { element, update };
}
