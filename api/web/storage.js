// Where a browser lets a page keep something: on the device, else as long as the tab lives.

const shelf = (lasts, open) => ({
  lasts,
  read: (name) => open().getItem(name),
  write: (name, text) => { if (text !== null) open().setItem(name, text); else open().removeItem(name); },
});
/** The most lasting first. Any of them may be forbidden or full; an entry of the history survives a reload even then. */
const SHELVES = [
  shelf('device', () => localStorage),
  shelf('tab', () => sessionStorage),
  {
    lasts: 'tab',
    read: (name) => history.state?.[name],
    write: (name, text) => { if (text !== null || history.state?.[name]) history.replaceState({ ...history.state, [name]: text }, ''); },
  },
];

/** For what should not outlive the tab. */
export const TAB = SHELVES.slice(1);

/** The text kept under a name, or null. What lies on a lesser shelf is the newer: it came there when the better was shut. */
export function readKept(name, shelves = SHELVES) {
  for (const { read } of [...shelves].reverse()) {
    try {
      const text = read(name);
      if (text) return text;
    } catch { /* this browser forbids it */ }
  }
  return null;
}

/** Keeps a text where it lasts longest, and says how long that is: `device`, `tab`, or `page` when nothing keeps it. */
export function writeKept(name, text, shelves = SHELVES) {
  let lasts = null;
  for (const each of shelves) {
    try {
      each.write(name, lasts ? null : text);
      lasts ??= each.lasts;
    } catch { /* forbidden, or full */ }
  }
  return lasts ?? 'page';
}
