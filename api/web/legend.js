// What the looks of the seats mean: categories by letter, colour and price, states by shape.

import { h } from './dom.js';
import { priceRange, pricesOf } from './prices.js';
import { BLOCKED, HELD, legendStamp, MINE, OPEN, readInks, SOLD, STATE_NAMES } from './seatlooks.js';
import { inkOn } from './theme.js';

const GREY = '#888888';

/** Fills a chooser's legend. */
export function fillLegend({ plan, performance, currency, words, stage, legend, counts, hold }) {
  const [inks, ratio] = [readInks(stage), Math.min(2, devicePixelRatio)];
  const stamp = (facts) => legendStamp({ state: OPEN, color: GREY, colorInk: '#000', inks, ratio, ...facts });
  const categories = plan.categories.filter(({ name }) => counts.has(name)).map(({ name, color, letter }) => h('li', {}, stamp({ color, colorInk: inkOn(color), letter }),
    h('span', {}, h('b', {}, `${letter} · ${name}`), ' ', priceRange(Object.values(pricesOf(performance, [name]))[0], currency, words)), counts.get(name)));
  const states = [HELD, SOLD, BLOCKED, ...(hold ? [MINE] : [])].map((state) => h('li', {}, stamp({ state }), words.say(`seat.${STATE_NAMES[state]}`)));
  const wheelchair = plan.isWheelchair.some(Boolean) ? [h('li', {}, stamp({ letter: '♿', isWheelchair: true }), words.say('wheelchair'))] : [];
  legend.replaceChildren(...categories, ...states, ...wheelchair);
}
