// What only staff sees has a style sheet of its own: it costs a visitor nothing.

import { h } from './dom.js';

export function loadStaffLook() {
  document.head.append(h('link', { rel: 'stylesheet', href: new URL('./staff.css', import.meta.url).href }));
}
