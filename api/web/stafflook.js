// What only staff sees has a style sheet of its own: it costs a visitor nothing. And how their fields behave.

import { h } from './dom.js';

const WRITTEN_IN = 'input[type=text], textarea';

/** Once a page. What is typed loses its blanks at both ends: a field of blanks alone is an empty one, and the browser says so at once. */
export function loadStaffLook() {
  addEventListener('change', ({ target }) => { if (target.matches(WRITTEN_IN)) target.value = target.value.trim(); }, true);
  document.head.append(h('link', { rel: 'stylesheet', href: new URL('./staff.css', import.meta.url).href }));
}
