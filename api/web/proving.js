// Says that the browser is working for its place, and how far it is: nobody waits without knowing for what.

import { h } from './dom.js';

export function proving({ line, words }) {
  const bar = h('progress', { max: 1, 'aria-label': words.say('doorbell.proving') });
  const above = h('div', { class: 'notice', hidden: true }, h('p', { role: 'status' }, words.say('doorbell.proving')), bar);
  return {
    element: '', above,
    update() {
      above.hidden = line.proven == null;
      bar.value = line.proven ?? 0;
    },
  };
}
