// What the widget loads once the queue itself can be seen: what stands below, and how that looks.

import { h } from './dom.js';
import { moreParts } from './waitingmore.js';
import { MORE_STYLE } from './widgetmorestyle.js';

/** Adds it to a widget's view. `room` is its shadow root. */
export function addMore({ room, view, ...facts }) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(MORE_STYLE);
  room.adoptedStyleSheets = [...room.adoptedStyleSheets, sheet];
  view.add(moreParts(facts));
}

/** The seats cannot be chosen inside a frame, and this one keeps its visitors: a link leads out. */
export function offerWindow(room, page, words) {
  const link = h('a', { href: page.href, target: '_blank', rel: 'noopener' }, words.say('do.enter'));
  room.querySelector('.stuck')?.remove();
  room.querySelector('.primary').closest('.actions').after(h('p', { class: 'notice stuck', role: 'alert' }, `${words.say('frame_keeps_you')} `, link));
  link.focus();
}
