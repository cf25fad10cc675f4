// A house's own page: /h/{house}

import { h } from './dom.js';
import { inOrder, onSaleCard } from './onsalelist.js';
import { linkPlain, openPage, readPath } from './shell.js';

const { words, house, main } = await openPage({ house: readPath().house });
const cards = inOrder(house.on_sales).map((onSale) => onSaleCard({ ...onSale, house_name: null }, house.house, words));
linkPlain(words);
main.append(
  h('div', { class: 'intro' }, h('h1', {}, house.name), h('p', { class: 'muted' }, words.say('house_lead'))),
  cards.length ? h('ul', { class: 'cards' }, cards) : h('p', { class: 'card' }, words.say('nothing_on_sale')));
