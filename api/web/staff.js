// Staff come in with a key of their house, kept for as long as the tab is open and nowhere else.

import { explain, Problem } from './api.js';
import { field, h, setText, whileBusy } from './dom.js';

/** A key for each page of each house: whoever runs the sale and helps at the counter has two. */
const NAME = `parvis:key:${location.pathname}`;

/** Asks for the key of a page (`title`: its name in the words) until `check(key)` accepts it (throws a `Problem` otherwise); gives what `check` gave, and the key. */
export function askForKey({ words, main, title, check, kind = 'pk', hint = 'staff_key_hint' }) {
  return new Promise((resolve) => {
    const input = h('input', { type: 'password', required: true, autocomplete: 'off', spellcheck: 'false', placeholder: `${kind}_…` });
    const problem = h('p', { class: 'notice problem', role: 'alert', hidden: true });
    const button = h('button', { type: 'submit', class: 'primary' }, words.say('come_in'));
    const form = h('form', { class: 'card key-form', onsubmit: submit }, h('h1', {}, words.say(title)), h('p', { class: 'muted' }, words.say('staff_title')), field(words.say('staff_key'), input, words.say(hint)), problem, button);

    async function enter(key) {
      const found = await check(key);
      sessionStorage.setItem(NAME, key);
      form.remove();
      resolve({ key, found });
    }

    async function submit(event) {
      event.preventDefault();
      problem.hidden = true;
      await whileBusy(button, () => enter(input.value.trim()), (trouble) => {
        setText(problem, isRefused(trouble) ? words.say('key_refused') : explain(trouble, words));
        problem.hidden = false;
      });
    }

    main.append(form);
    const kept = sessionStorage.getItem(NAME);
    if (kept) enter(kept).catch((trouble) => { if (isRefused(trouble)) sessionStorage.removeItem(NAME); });
  });
}

const isRefused = (trouble) => trouble instanceof Problem && [401, 403].includes(trouble.status);

/** Forgets the key and starts again. */
export function leaveButton({ words }) {
  return h('button', { type: 'button', class: 'quiet', onclick: () => { sessionStorage.removeItem(NAME); location.reload(); } }, words.say('leave_staff'));
}
