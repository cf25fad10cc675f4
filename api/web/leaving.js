// Whoever leaves the shop keeps what is reserved for a moment only. Who is here again after a reload, or still in another
// tab, has it as before: the newest word counts, and it is newer than what any tab of this browser has said.

import { SERVER } from './api.js';
import { readKept, writeKept } from './storage.js';

/** A page that may be brought back as it was has not been left, nor has one that is being paid for. */
export function watchLeaving(basket) {
  const { memory } = basket;
  const left = `${memory.name}/left`;
  const pathOf = (hold) => `${basket.path}/holds/${encodeURIComponent(hold)}/presence`;

  function isHere() {
    const at = Math.max(Date.now(), Number(readKept(left)) + 1);
    for (const { hold } of basket.holds) {
      basket.ask('POST', pathOf(hold), { body: { leaving: false, at } }).catch(({ slug }) => {
        if (['hold-ended', 'unknown-hold'].includes(slug)) basket.dropGone([hold]);
      });
    }
  }

  addEventListener('pagehide', ({ persisted }) => {
    if (persisted || basket.isUnderWay) return;
    const at = Date.now();
    for (const { hold } of basket.holds) {
      const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${basket.bearer()}`, 'Idempotency-Key': crypto.randomUUID() };
      fetch(new URL(pathOf(hold).slice(1), SERVER), { method: 'POST', keepalive: true, credentials: 'omit', headers, body: JSON.stringify({ leaving: true, at }) }).catch(() => null);
    }
    if (basket.holds.length) writeKept(left, String(at));
  });
  addEventListener('storage', ({ key }) => { if (key === left) isHere(); });
  isHere();
}
