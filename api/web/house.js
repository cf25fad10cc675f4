// A house's own page: /h/{house}

import { h } from './dom.js';
import { inOrder, onSaleCard } from './onsalelist.js';
import { linkPlain, openPage, readPath } from './shell.js';

const { words, house, main } = await openPage({ house: readPath().house });
const LOOK_AGAIN_MS = 10_000;

/** A house that cannot answer now is asked again, and never said to sell nothing. */
function sayDown() {
  setTimeout(() => location.reload(), LOOK_AGAIN_MS);
  return h('p', { class: 'notice problem', role: 'alert' }, words.say('problem.busy'));
}

const cards = inOrder(house.on_sales).map((onSale) => onSaleCard({ ...onSale, house_name: null }, house.house, words));
linkPlain(words);
main.append(
  h('div', { class: 'intro' }, h('h1', {}, house.name), h('p', { class: 'muted' }, words.say('house_lead'))),
  !house.available ? sayDown() : cards.length ? h('ul', { class: 'cards' }, cards) : h('p', { class: 'card' }, words.say('nothing_on_sale')));
