// The usual prices besides the full one, as a share of it, with what each asks for: none of them has to be.

import { field, h } from './dom.js';
import { sayPriceType } from './prices.js';
import { secretButton } from './secretbutton.js';

const WHOLE = 100;
const MOST_OF_A_KIND = 100;
const KINDS = [
  { type: 'group', count: 'at_least', usual: 10 },
  { type: 'member', needs: 'number', count: 'at_most', usual: 2 },
  { type: 'youth' },
  { type: 'social', needs: 'number' },
  { type: 'promo', needs: 'code' },
];
const FREE_COMPANION = { needs: 'companion', share: 0, fee: 0 };

/** Per cent as it is typed, as the API takes it: basis points. */
export const basisPoints = (input) => Math.round(Number(input.value) * 100);

/** A field for per cent, which may be left empty. */
export const percent = () => h('input', { type: 'number', min: 0, max: WHOLE, step: 0.01, inputmode: 'decimal' });

/** Fields for the usual prices; `attempt(button, action)` shows trouble. `read()` gives `price_types` as the API takes them, and a line of words for each. */
export function priceKinds({ words, path, key, attempt }) {
  const rows = KINDS.map((kind) => ({
    ...kind, share: percent(),
    number: kind.count && h('input', { type: 'number', min: 1, max: MOST_OF_A_KIND, required: true, value: kind.usual, inputmode: 'numeric' }),
  }));
  const companion = h('input', { type: 'checkbox' });
  const checker = h('input', { type: 'url', maxlength: 500, placeholder: 'https://', pattern: 'https://.+' });
  const element = h('details', { class: 'more' }, h('summary', {}, words.say('show_kinds')),
    h('fieldset', { class: 'category' }, h('legend', {}, words.say('show_kinds_of')),
      rows.map(({ type, share, number }) => [field(sayPriceType(type, words), share, words.say(`show_kind.${type}`)), number ? field(words.say(`show_count.${type}`), number) : null])),
    field(words.say('show_numbers'), checker, words.say('show_numbers_hint')), secretButton({ words, path, key, attempt, of: 'number' }),
    h('label', { class: 'choice' }, companion, h('span', {}, words.say('show_companion'))));
  // What is wrong where nobody sees it could not be mended.
  element.addEventListener('invalid', () => { element.open = true; }, true);
  return {
    element,
    read() {
      const asked = rows.filter(({ share }) => share.value !== '');
      const types = asked.map(({ type, needs, count, share, number }) => [type, { share: basisPoints(share), ...(needs ? { needs } : {}), ...(needs === 'number' && checker.value ? { verify_url: checker.value } : {}), ...(count ? { [count]: Number(number.value) } : {}) }]);
      const lines = asked.map(({ type, share, number }) => [words.say('show_kind_line', { price: sayPriceType(type, words), share: Number(share.value) }), number ? `${words.say(`show_count.${type}`)}: ${words.number(Number(number.value))}` : null].filter(Boolean).join('. '));
      return {
        types: Object.fromEntries([...types, ...(companion.checked ? [['companion', FREE_COMPANION]] : [])]),
        lines: [...lines, ...(asked.some(({ needs }) => needs === 'number') && !checker.value ? [words.say('show_numbers_none')] : []), ...(companion.checked ? [words.say('show_companion')] : [])],
      };
    },
  };
}
