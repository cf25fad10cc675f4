// What cannot be taken back is asked twice: a form, and then in words what it would make.

import { h, setText } from './dom.js';

/**
 * The two looks, as a list of elements. `read()` gives {lines, hint, yes, make}: what would be, what comes of it, what
 * the button says, and what it does; or the words of what is wrong with it; or a promise of either. `attempt(button, action)` shows trouble.
 */
export function secondLook({ words, attempt, fields, read }) {
  const trouble = h('p', { class: 'notice problem', role: 'alert', hidden: true });
  const check = h('button', { type: 'submit', class: 'primary' }, words.say('sale_check'));
  const form = h('form', { onsubmit: look }, fields, trouble, check);
  const shown = h('div', { class: 'second-look', hidden: true });

  function look(event) {
    event.preventDefault();
    attempt(check, async () => {
      const found = await read();
      trouble.hidden = typeof found !== 'string';
      if (trouble.hidden) ask(found);
      else setText(trouble, found);
    });
  }

  function ask({ lines, hint, yes, make }) {
    const button = h('button', { type: 'button', class: 'primary large', onclick: () => attempt(button, make) }, yes);
    const back = h('button', { type: 'button', class: 'secondary', onclick: () => { [form.hidden, shown.hidden] = [false, true]; } }, words.say('sale_edit'));
    shown.replaceChildren(h('h3', {}, words.say('sale_summary')), h('ul', { class: 'summary' }, lines.map((line) => h('li', {}, line))), h('p', { class: 'consequence' }, hint), h('div', { class: 'actions' }, button, back));
    [form.hidden, shown.hidden] = [true, false];
    button.focus();
  }
  return [form, shown];
}
