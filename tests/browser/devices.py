"""What browsers and their owners do, as scripts that run before a page's own: nothing of the page is replaced."""

from typing import Final

WITHOUT_LOCKS: Final = "delete Navigator.prototype.locks;"
"""An older browser."""
LATE: Final = """
const { getItem, setItem } = Storage.prototype, known = new Map();
const look = (name) => {
  const text = getItem.call(localStorage, name), seen = known.get(name) ?? [{ at: -Infinity, text }];
  if (seen.at(-1).text !== text) seen.push({ at: performance.now(), text });
  known.set(name, seen);
  return seen.findLast(({ at }) => at < performance.now() - 60).text;
};
setInterval(() => { for (const name of known.keys()) look(name); }, 5);
Storage.prototype.getItem = function (name) { return this === localStorage ? look(name) : getItem.call(this, name); };
Storage.prototype.setItem = function (name, text) {
  setItem.call(this, name, text);
  if (this === localStorage) known.set(name, [{ at: -Infinity, text }]);
};"""
"""A busy browser: what another tab has kept is seen 60 ms late."""
FULL: Final = """
const set = Storage.prototype.setItem;
Storage.prototype.setItem = function (...rest) {
  if (this === localStorage) throw new DOMException('full', 'QuotaExceededError');
  return set.apply(this, rest);
};"""
"""A device on which nothing fits any more."""
FORBIDDEN: Final = """
for (const name of ['localStorage', 'sessionStorage']) {
  Object.defineProperty(window, name, { get() { throw new DOMException('forbidden', 'SecurityError'); } });
}"""
"""A person who lets no page keep anything."""
AWAY: Final = """
let isAway = false;
Object.defineProperty(document, 'hidden', { get: () => isAway });
window.goAway = (away) => { isAway = away; document.dispatchEvent(new Event('visibilitychange')); };"""
"""`goAway(true)`: the person looks at another tab."""
HEARD: Final = """
const start = OscillatorNode.prototype.start;
window.tones = 0;
OscillatorNode.prototype.start = function (...rest) { window.tones += 1; return start.apply(this, rest); };
const Real = window.Notification;
window.notices = [];
window.Notification = class extends Real {
  constructor(title, options) { super(title, options); window.notices.push(title); }
};"""
"""`tones` and `notices`: what the device was told to do."""
SLEPT: Final = """
const clock = Date.now;
window.sleptMs = 0;
Date.now = () => clock() + window.sleptMs;"""
"""`sleptMs`: so long the lid was shut; the clock on the wall went on, and no timer did."""
SPOKEN: Final = """
window.spoken = [];
const listen = () => {
  for (const role of ['status', 'alert']) {
    const text = document.querySelector(`.unseen [role=${role}]`)?.textContent;
    const last = window.spoken.findLast((each) => each.role === role);
    if (text && last?.text !== text) window.spoken.push({ role, text });
  }
};
new MutationObserver(listen).observe(document, { subtree: true, childList: true, characterData: true });"""
"""`spoken`: what a screen reader says of the queue."""
CAME_BACK: Final = "addEventListener('pageshow', ({ persisted }) => { window.cameBack = persisted; });"
"""`cameBack`: the page was kept by the browser as it was, and not loaded again."""
