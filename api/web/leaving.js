// Whoever leaves the shop keeps what is reserved, and their room inside, for a moment only. Who is here again after a reload,
// or still in another tab, has it as before: the newest word counts, and it is newer than any tab of this browser has said.

import { SERVER } from './api.js';
import { readKept, writeKept } from './storage.js';

/** So often a page that is looked at asks whether its visitor has gone on on another device. */
const LOOK_MS = 10_000;

/**
 * A page that may be brought back as it was has not been left, nor has one that is being paid for. `shop`: the on-sale's
 * path; `onended()`: somebody else has the room of whoever comes back now.
 */
export function watchLeaving({ basket, shop, onended }) {
  const { memory } = basket;
  const left = `${memory.name}/left`;
  const pathOf = (hold) => `${basket.path}/holds/${encodeURIComponent(hold)}/presence`;

  const say = (path, ongone) => basket.ask('POST', path, { body: { leaving: false, at: Math.max(Date.now(), Number(readKept(left)) + 1) } }).catch(ongone);

  function isHere() {
    if (readKept(left) && memory.pass) {
      say(`${shop}/presence`, ({ slug }) => {
        if (slug !== 'pass-ended') return;
        memory.keep({ pass_expires_at: undefined });
        onended();
      });
    }
    for (const { hold } of basket.holds) {
      say(pathOf(hold), ({ slug }) => { if (['hold-ended', 'unknown-hold'].includes(slug)) basket.dropGone([hold]); });
    }
  }

  function look() {
    if (!document.hidden && memory.pass && !memory.kept.moved) say(`${shop}/presence`, () => null); // that is told by the basket
  }

  setInterval(look, LOOK_MS);
  document.addEventListener('visibilitychange', look);
  addEventListener('pagehide', ({ persisted }) => {
    if (persisted || basket.isUnderWay || !basket.bearer()) return;
    const at = Date.now();
    for (const path of [`${shop}/presence`, ...basket.holds.map(({ hold }) => pathOf(hold))]) {
      const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${basket.bearer()}`, 'Idempotency-Key': crypto.randomUUID() };
      fetch(new URL(path.slice(1), SERVER), { method: 'POST', keepalive: true, credentials: 'omit', headers, body: JSON.stringify({ leaving: true, at }) }).catch(() => null);
    }
    writeKept(left, String(at));
  });
  addEventListener('storage', ({ key }) => { if (key === left) isHere(); });
  isHere();
}
