// What stands below a visitor's place in the queue. The widget loads it once the queue itself can be seen.

import { drawDetails } from './drawview.js';
import { openSeats } from './openseats.js';
import { personalLink } from './personallink.js';
import { speaker } from './speaker.js';
import { turnSigns } from './turnsigns.js';

/** The parts in their order. `given`: a place that came with the address, of another number than the one kept here. */
export function moreParts({ line, words, onSale, given = null }) {
  return [
    openSeats({ words, onSale }), turnSigns({ words, onSale }), personalLink({ line, words, onSale, given }), drawDetails({ line, words }), speaker(words),
  ];
}
