// All houses' on-sales in one place: /

import { explain, get } from './api.js';
import { h } from './dom.js';
import { inOrder, onSaleCard } from './onsalelist.js';
import { openPage } from './shell.js';

const { words, main } = await openPage({ title: 'one_stop' });
main.append(h('div', { class: 'intro' }, h('h1', {}, words.say('one_stop')), h('p', { class: 'muted' }, words.say('one_stop_lead'))));

try {
  const { on_sales: onSales, unavailable } = await get('/v1/on-sales');
  const houses = [...new Map(onSales.map((each) => [each.house, each.house_name]))];
  const list = h('ul', { class: 'cards' });
  const show = (house) => list.replaceChildren(...inOrder(onSales).filter((each) => !house || each.house === house).map((each) => onSaleCard(each, each.house, words)));
  const choose = h('select', { onchange: () => show(choose.value) }, h('option', { value: '' }, words.say('every_house')), houses.map(([house, name]) => h('option', { value: house }, name)));
  main.append(
    unavailable.length ? h('p', { class: 'notice' }, words.say('unavailable_houses', { names: unavailable.map((house) => house.name).join(', ') })) : '',
    houses.length > 1 ? h('label', { class: 'field inline' }, h('span', {}, words.say('house')), choose) : '',
    onSales.length ? list : h('p', { class: 'card' }, words.say('nothing_on_sale')));
  show('');
} catch (problem) {
  main.append(h('p', { class: 'notice problem', role: 'alert' }, explain(problem, words)));
}
