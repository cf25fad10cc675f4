// The seat map is a file of its own: asked for once a page has a <parvis-seat-map>, wherever it came from.

import { importPinned } from './pinned.js';

const watcher = new MutationObserver(loadSeatMap);

function loadSeatMap() {
  if (!document.querySelector('parvis-seat-map')) return;
  watcher.disconnect();
  importPinned('seatmap.js');
}

watcher.observe(document, { childList: true, subtree: true });
loadSeatMap();
