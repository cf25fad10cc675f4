// What became of a sale: a link for everybody who waited in vain, and for its house the curve of every minute.

import { getFile, SERVER } from './api.js';
import { h } from './dom.js';

const OVER = ['sold_out', 'closed'];
const summaryOf = (words, house, onSale) => new URL(`h/${house}/${onSale}/summary?language=${words.language}`, SERVER);

/** For visitors, once the sale is over: where else there may be seats, and how it went. */
export function saleSummary({ words, onSale }) {
  const ways = [['sold_out_elsewhere', new URL(`h/${onSale.house}`, SERVER)], ['all_houses', SERVER], ['how_it_went', summaryOf(words, onSale.house, onSale.on_sale)]];
  const element = h('ul', { class: 'onwards', hidden: true }, ways.map(([name, href]) => h('li', {}, h('a', { href }, words.say(name)))));
  return { element, update(_, shown) { element.hidden = !shown.hasEnded; } };
}

/** Gives a file to whoever is at the browser. */
export function saveFile(file, name) {
  const address = URL.createObjectURL(file);
  h('a', { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** For the house: a file, and once a sale is over the same link. `attempt(button, action)` shows trouble. */
export function saleCurve({ words, path, house, key, attempt, onSale }) {
  const curve = h('button', { type: 'button', class: 'secondary', onclick: () => attempt(curve, async () => {
    saveFile(await getFile(`${path}/on-sales/${onSale()}/curve`, { bearer: key }), `${house}-${onSale()}-curve.csv`);
  }) }, words.say('sale_curve'));
  const link = h('a', {}, words.say('how_it_went'));
  const went = h('p', { hidden: true }, link);
  return {
    elements: [curve, went],
    update({ on_sale: name, phase }) {
      went.hidden = !OVER.includes(phase);
      link.href = summaryOf(words, house, name);
    },
  };
}
