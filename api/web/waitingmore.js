// What stands below a visitor's place in the queue. The widget loads it once the queue itself can be seen.

import { saleSummary } from './aftersale.js';
import { h } from './dom.js';
import { contactForm } from './contactform.js';
import { drawDetails } from './drawview.js';
import { nobodiesBefore } from './leaps.js';
import { lineForm } from './lineform.js';
import { openSeats } from './openseats.js';
import { outlook } from './outlook.js';
import { personalLink } from './personallink.js';
import { proving } from './proving.js';
import { speaker } from './speaker.js';
import { turnSigns } from './turnsigns.js';

/** What the house always says to whoever waits, above all else. */
function standingNotice(words) {
  const notice = words.entries['own.line'];
  return { element: '', above: notice ? h('p', { class: 'notice message' }, notice) : '', update() {} };
}

/** The parts in their order. `given`: a place that came with the address, of another number than the one kept here. */
export function moreParts({ line, words, onSale, given = null }) {
  line.nobodies = nobodiesBefore;
  return [
    standingNotice(words), saleSummary({ words, onSale }), proving({ line, words }), contactForm({ line, words, onSale }), lineForm({ line, words, onSale }), outlook(words), openSeats({ words, onSale }), turnSigns({ words, onSale }), personalLink({ line, words, onSale, given }),
    drawDetails({ line, words }), speaker(words),
  ];
}
