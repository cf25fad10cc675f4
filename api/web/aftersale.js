// What became of a sale: a link for everybody who waited in vain, and for its house the curve of every minute.

import { getFile, SERVER } from './api.js';
import { h } from './dom.js';

const summaryOf = (house, onSale) => new URL(`v1/houses/${house}/on-sales/${onSale}/summary`, SERVER);

/** For visitors, once the sale is over. */
export function saleSummary({ words, onSale }) {
  const element = h('p', { class: 'muted', hidden: true }, h('a', { href: summaryOf(onSale.house, onSale.on_sale) }, words.say('how_it_went')));
  return { element, update(_, shown) { element.hidden = !shown.hasEnded; } };
}

/** For the house: a file and the same link, of the on-sale that is looked at. `attempt(button, action)` shows trouble. */
export function saleCurve({ words, path, house, key, attempt, onSale }) {
  const curve = h('button', { type: 'button', class: 'secondary', onclick: () => attempt(curve, async () => {
    const address = URL.createObjectURL(await getFile(`${path}/on-sales/${onSale()}/curve`, { bearer: key }));
    h('a', { href: address, download: `${house}-${onSale()}-curve.csv` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  }) }, words.say('sale_curve'));
  const link = h('a', { href: '#' }, words.say('sale_summary'));
  link.addEventListener('click', () => { link.href = summaryOf(house, onSale()); });
  return [curve, h('p', {}, link)];
}
