// What the control page offers: a button that opens what belongs to it, and a line that says what was done.

import { h, setText } from './dom.js';

/** How long an action can be undone with one press. */
const UNDO_MS = 180_000;

/** A button with what it opens below it; `build()` gives the content afresh each time it opens. */
export function unfold(label, build, { kind = 'secondary' } = {}) {
  const body = h('div', { class: 'unfolded', id: `unfolded-${++unfold.count}`, hidden: true });
  const button = h('button', { type: 'button', class: `unfold ${kind}`, 'aria-expanded': 'false', 'aria-controls': body.id, onclick: () => open(body.hidden) }, label);
  function open(isOpen) {
    body.hidden = !isOpen;
    button.setAttribute('aria-expanded', String(isOpen));
    body.replaceChildren(...(isOpen ? [build(() => { open(false); button.focus(); })].flat() : []));
  }
  return { element: h('div', { class: 'unfolding' }, button, body), close: () => open(false), get isOpen() { return !body.hidden; } };
}
unfold.count = 0;

/** What was done last, in words, with the way back where there is one. */
export function afterwards({ words }) {
  const said = h('p', { role: 'status', class: 'said' });
  const undo = h('button', { type: 'button', class: 'secondary' }, words.say('undo'));
  const element = h('div', { class: 'notice good afterwards', hidden: true }, said, undo);
  let back = null;
  let timer = null;
  undo.addEventListener('click', () => back?.run(undo));

  function forget() {
    back = null;
    undo.hidden = true;
    clearTimeout(timer);
  }

  /** `way`: {run(button), isStill(now)}; without one the words say that it cannot be undone. */
  function tell(text, way = null) {
    forget();
    setText(said, text);
    element.hidden = false;
    if (way) {
      back = way;
      undo.hidden = false;
      timer = setTimeout(forget, UNDO_MS);
    }
    element.scrollIntoView({ block: 'nearest' });
  }

  return {
    element, tell,
    hide: () => { forget(); element.hidden = true; },
    /** Whoever else changed it since is not overruled by an undo. */
    look: (now) => { if (back && !back.isStill(now)) forget(); },
  };
}
