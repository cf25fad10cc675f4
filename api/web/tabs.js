// Several tabs of one browser are one visitor: one of them asks the server, and tells the others what it heard.

import { pause } from './api.js';
import { readKept, writeKept } from './storage.js';

const LEASE_MS = 4000;
/** What another tab has kept may be seen so much later than what it says, or than its lock. */
const LATE_MS = 150;

/** A part of a page that the browser may forbid altogether, or lack; undefined then. */
const attempt = (make) => { try { return make(); } catch { return undefined; } };

export class Tabs {
  /** `name` is what they share. `onlead()`: this tab is the one that asks, from now on. `onhear(message)`: another tab said something. */
  constructor(name, { onlead, onhear }) {
    Object.assign(this, { name, onlead, onhear, isLeading: false, isRunning: false, id: Math.random() });
  }

  start() {
    this.isRunning = true;
    this.channel = attempt(() => new BroadcastChannel(this.name));
    if (this.channel) this.channel.onmessage = async ({ data }) => { await pause(LATE_MS); if (this.isRunning) this.onhear(data); };
    this.take();
  }

  /** Lets another tab lead. A page that goes to sleep must hold nothing: else it cannot be brought back as it was. */
  stop() {
    this.isRunning = false;
    this.isLeading = false;
    this.channel?.close();
    clearInterval(this.leasing);
    this.queued?.abort();
    this.release?.();
  }

  say(message) {
    attempt(() => this.channel?.postMessage(message));
  }

  /** The tab that somebody looks at leads: a browser lets the hidden ones run slowly. The others stand ready. */
  take() {
    if (!this.isRunning || this.isLeading) return;
    if (navigator.locks) this.lead(!document.hidden);
    else this.lease(!document.hidden);
  }

  async lead(isTaking) {
    this.queued?.abort();
    const queued = this.queued = new AbortController();
    const until = new Promise((resolve) => { this.release = resolve; });
    try {
      await navigator.locks.request(this.name, isTaking ? { steal: true } : { signal: queued.signal }, () => { this.begin(); return until; });
    } catch (error) {
      if (error.name !== 'AbortError') { this.begin(); return; }
      // Another tab has taken the lead; this one waits for that one to end.
      if (this.queued === queued && this.isRunning && !queued.signal.aborted) { this.isLeading = false; this.lead(false); }
    }
  }

  /** Whether this tab still leads, at this moment. */
  leads() {
    this.renew?.(false);
    return this.isLeading;
  }

  begin() {
    if (!this.isRunning || this.isLeading) return;
    this.isLeading = true;
    this.onlead();
  }

  /** The same where a browser has no locks: whoever leads says so every two seconds, and is no leader any more after four. */
  lease(isTaking) {
    const name = `${this.name}/lead`;
    this.renew = (mayTake) => {
      const held = attempt(() => JSON.parse(readKept(name)));
      if (!mayTake && held && held.id !== this.id && Date.now() < held.until) { this.isLeading = false; return; }
      writeKept(name, JSON.stringify({ id: this.id, until: Date.now() + LEASE_MS }));
      this.begin();
    };
    clearInterval(this.leasing);
    this.leasing = setInterval(() => this.renew(false), LEASE_MS / 2);
    this.renew(isTaking);
  }

  /**
   * Does something that only one tab may be doing; the others wait for it to be done, and for what it kept to be seen: false is
   * that it kept nothing.
   */
  async alone(action) {
    if (!navigator.locks) return action();
    let isBegun = false;
    const run = async () => {
      isBegun = true;
      let done;
      // Done is done only then: a page that goes on to another lets go of its locks.
      try { return done = await action(); } finally { if (done !== false) await pause(LATE_MS); }
    };
    try {
      return await navigator.locks.request(`${this.name}/alone`, run);
    } catch (error) {
      if (isBegun) throw error;
      return action();
    }
  }
}
