// An order's number as people say it, and as they type it again: the same for whoever bought and for whoever sells.

import { h } from './dom.js';

const ORDER = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export const isOrder = (text) => ORDER.test(text);

const groupsOf = (order) => order.replaceAll('-', '').toUpperCase().match(/.{1,4}/g);
const nameOf = (sign, words) => (words.has(`spell.${sign}`) ? words.say(`spell.${sign}`) : sign);
const aloud = (order, words) => groupsOf(order).map((group) => [...group].map((sign) => nameOf(sign, words)).join(' ')).join(', ');

/** The number in groups of four; whoever hears it hears digits, and names for the letters. */
export function orderNumber(order, words, tag = 'span') {
  return h(tag, { class: 'order-number', 'data-order': order }, h('span', { 'aria-hidden': 'true' }, groupsOf(order).map((group) => h('span', {}, group))),
    h('span', { class: 'unseen' }, aloud(order, words)));
}

/** The number among a list of facts, with how it is spelled. */
export function orderFact(order, words) {
  return h('div', {}, h('dt', {}, words.say('order_number')), orderNumber(order, words, 'dd'),
    h('dd', {}, h('details', {}, h('summary', {}, words.say('read_aloud')), h('p', { class: 'aloud' }, aloud(order, words)))));
}

/**
 * Which orders to ask for when somebody has typed a number, or how one begins: {begins, after}, its 12 to 32 hexadecimal
 * digits, and the id that comes just before the first that begins so. Null for what begins no order's number.
 */
export function typedOrder(text) {
  const begins = text.replaceAll(/[\s-]/g, '').toLowerCase();
  if (!/^(?!0{12})[0-9a-f]{12,32}$/.test(begins)) return null;
  const before = (BigInt(`0x${begins.padEnd(32, '0')}`) - 1n).toString(16).padStart(32, '0');
  return { begins, after: before.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-') };
}
