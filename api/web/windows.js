// Where a house draws by windows of time: whoever joined in the same one is drawn together, earlier windows come first.
// The same as `engine/windows.py`; the vectors in tests/vectors/draw.json hold for both. Loaded where it is needed.

import { decode, makeDraw, signing } from './draw.js';

const LINK = new TextEncoder().encode('parvis-window');
const MOST_LATER = 5000;

/** The seed of the window before, of those after the start. All as bytes. */
export async function earlier(seed) {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new Uint8Array([...LINK, ...seed])));
}

async function within(seed, name, start, end, index) {
  return start + (await makeDraw(await (await signing(seed))(`window/${name}`), end - start))(index - start);
}

/**
 * The position of an index, both from 0, in a draw as a status tells it; undefined while its window has not ended. Whoever
 * has been called with all of their window is told their index.
 */
export async function rank({ seed, entrants, windows, later }, index) {
  if (index < entrants) {
    const window = windows.findIndex((end) => index < end);
    return within(decode(seed), window, windows[window - 1] ?? 0, windows[window], index);
  }
  const { first, borders } = later;
  const window = borders.findIndex((border) => index < border);
  if (window === 0) return index;
  if (window < 0) return first + borders.length - 2 >= MOST_LATER ? index : undefined;
  const [start, end] = [borders[window - 1], borders[window]];
  let own = decode(later.seed);
  for (let at = window + 1; at < borders.length; at += 1) own = await earlier(own);
  return within(own, `${start}/${end}`, start, end, index);
}

/** Whether the seed of the last window after the start that has ended leads to what was published beforehand. */
export async function leadsToAnchor({ rule, later }) {
  let seed = decode(later.seed);
  for (let at = later.first + later.borders.length - 2; at > 0; at -= 1) seed = await earlier(seed);
  const anchor = decode(rule.anchor);
  return anchor.length === seed.length && anchor.every((byte, at) => byte === seed[at]);
}
