// What the widget loads once the queue itself can be seen: what stands below, and how that looks.

import { moreParts } from './waitingmore.js';
import { MORE_STYLE } from './widgetmorestyle.js';

/** Adds it to a widget's view. `room` is its shadow root. */
export function addMore({ room, view, ...facts }) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(MORE_STYLE);
  room.adoptedStyleSheets = [...room.adoptedStyleSheets, sheet];
  view.add(moreParts(facts));
}
