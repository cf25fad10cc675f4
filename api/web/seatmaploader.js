// The seat map is a file of its own: asked for once a page has a <parvis-seat-map>, wherever it came from.

import { importPinned } from './pinned.js';

/** True once there is one: the file then is on its way. */
function loadSeatMap() {
  if (!document.querySelector('parvis-seat-map')) return false;
  importPinned('seatmap.js').catch((problem) => console.error(problem));
  return true;
}

if (!loadSeatMap()) {
  const watcher = new MutationObserver(() => { if (loadSeatMap()) watcher.disconnect(); });
  watcher.observe(document, { childList: true, subtree: true });
}
