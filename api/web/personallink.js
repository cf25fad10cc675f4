// The place as a link of one's own: for another device, and for a browser that keeps nothing.

import { SERVER } from './api.js';
import { h, setText } from './dom.js';
import { KEEPING } from './situation.js';

/** `element`: the link and how to take it along; `above`: which number to go on with, when a link brought another one. */
export function personalLink({ line, words, onSale, given }) {
  const address = h('input', { type: 'text', readonly: true, id: 'personal-link', class: 'address', onfocus: () => address.select() });
  const copied = h('p', { class: 'muted', role: 'status' });
  const element = h('details', { class: 'link', hidden: true }, h('summary', {}, words.say('link_title')), h('p', {}, words.say('link_lead')),
    h('label', { class: 'field', for: 'personal-link' }, h('span', {}, words.say('link_label'))), address,
    h('div', { class: 'actions' }, h('button', { type: 'button', class: 'secondary', onclick: copy }, words.say('link_copy'))), copied);
  const above = h('div', { class: 'notice question', hidden: !given }, h('p', {}, words.say('link_other')), h('div', { class: 'actions' },
    h('button', { type: 'button', class: 'secondary', onclick: () => answer(true) }, words.say('link_take')),
    h('button', { type: 'button', class: 'secondary', onclick: () => answer(false) }, words.say('link_keep'))));

  let isOffered = false;

  async function copy() {
    try {
      await navigator.clipboard.writeText(address.value);
      setText(copied, words.say('link_copied'));
    } catch {
      address.focus();
      setText(copied, words.say('link_selected'));
    }
  }

  function answer(isTaken) {
    above.hidden = true;
    if (isTaken) line.takeOver(given);
    else line.changed();
  }

  function update({ lasts }, { name }) {
    element.hidden = !KEEPING.includes(name);
    if (element.hidden) return;
    const page = new URL(`h/${onSale.house}/${onSale.on_sale}`, SERVER);
    page.hash = line.memory.fragment;
    if (address.value !== page.href) address.value = page.href;
    if (lasts !== 'device' && !isOffered) isOffered = element.open = true;
  }

  return { element, above, update };
}
