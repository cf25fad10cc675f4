// What Parvis signs its questions to a house's own program with: shown to whoever asks, for that program's settings.

import { get } from './api.js';
import { h } from './dom.js';

/** `of`: `number` or `contact`, whose secret it is; `attempt(button, action)` shows trouble. */
export function secretButton({ words, path, key, attempt, of }) {
  const shown = h('code', { class: 'secret', role: 'status' });
  const button = h('button', { type: 'button', class: 'quiet', onclick: () => attempt(button, async () => {
    shown.textContent = (await get(`${path}/${of}-secret`, { bearer: key })).secret;
  }) }, words.say('secret_show'));
  return h('p', {}, button, ' ', shown);
}
