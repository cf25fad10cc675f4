// What a price may ask for that somebody types: a code, or the number of a member or a card.

import { h } from './dom.js';
import { sayPriceType } from './prices.js';

const TYPED = ['code', 'number'];

/**
 * Fields for what this performance's prices ask for; null where they ask for nothing. `onchange()` after each change.
 * `read()` gives what the API takes; `proven(performance)` the performance with those prices as everybody's.
 */
export function proofForm({ performance: { price_types: kinds = {} }, words, onchange }) {
  const asking = Object.entries(kinds).filter(([, { needs }]) => TYPED.includes(needs));
  if (!asking.length) return null;
  const field = (label) => {
    const input = h('input', { type: 'text', autocomplete: 'off', autocapitalize: 'characters', spellcheck: false, maxlength: 64, onchange });
    return { input, element: h('label', { class: 'field' }, h('span', {}, label), input), get text() { return input.value.trim(); } };
  };
  const code = asking.some(([, { needs }]) => needs === 'code') ? field(words.say('proof_code')) : null;
  const numbers = new Map(asking.filter(([, { needs }]) => needs === 'number').map(([type]) => [type, field(words.say('proof_number', { price: sayPriceType(type, words) }))]));
  const hasProof = (type, needs) => (needs === 'code' ? code : numbers.get(type))?.text;
  return {
    element: h('details', { class: 'card more proofs' }, h('summary', {}, words.say('proof_title')), [code, ...numbers.values()].filter(Boolean).map(({ element }) => element)),
    read() {
      const typed = [...numbers].filter(([, { text }]) => text).map(([type, { text }]) => [type, text]);
      return { ...(code?.text ? { codes: [code.text] } : {}), ...(typed.length ? { numbers: Object.fromEntries(typed) } : {}) };
    },
    proven: (performance) => ({ ...performance, price_types: Object.fromEntries(Object.entries(kinds).map(([type, kind]) => [type, hasProof(type, kind.needs) ? { ...kind, needs: '' } : kind])) }),
  };
}
