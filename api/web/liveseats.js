// Which seats are still open, as it happens: server-sent events, and asking every few seconds where they do not come
// through. Every message says from which version to which it leads; whoever is not at the first has missed something,
// and asks for the whole: on the stream itself, so that nothing lies between the whole and what changes next.

import { get, SERVER } from './api.js';

const ASK_EVERY_MS = 3000;
const TRY_STREAM_AGAIN_MS = 30_000;
/** The server says something every 15 s; a stream that is silent for longer is dead, whatever the browser thinks. */
const SILENT_MS = 40_000;

export class LiveSeats {
  /** `onchange({letters, changed, areas, change})`: a letter a seat in plan order, which of them changed (null: any), places open an area; how often the plan has changed. */
  constructor({ house, performance, onchange }) {
    Object.assign(this, { path: `/v1/houses/${house}/performances/${performance}/seats`, onchange, version: 0, letters: [], areas: {}, isRunning: false });
    this.onback = () => { if (!document.hidden && this.isRunning) this.resume(); };
  }

  async start() {
    this.isRunning = true;
    addEventListener('online', this.onback);
    document.addEventListener('visibilitychange', this.onback);
    await this.read();
    this.listen();
  }

  stop() {
    this.isRunning = false;
    removeEventListener('online', this.onback);
    document.removeEventListener('visibilitychange', this.onback);
    this.quiet();
  }

  quiet() {
    this.stream?.close();
    [this.asking, this.trying, this.silence].forEach(clearTimeout);
  }

  /** After a tunnel or a sleep: what is true now, and then what changes. */
  async resume() {
    await this.read().catch(() => null);
    if (this.isRunning && this.stream?.readyState !== EventSource.OPEN) {
      this.quiet();
      this.listen();
    }
  }

  async read() {
    const whole = await get(this.path);
    // An answer that was kept on the way may be older than what was heard since; two of them are the truth.
    if (whole.version < this.version && !this.wasOlder) {
      this.wasOlder = true;
      return;
    }
    this.wasOlder = false;
    this.show(whole);
  }

  show({ version, seats, areas, plan_change: change = 0 }) {
    Object.assign(this, { version, letters: [...seats], areas, change });
    this.tell(null);
  }

  tell(changed) {
    if (this.isRunning) this.onchange({ letters: this.letters, changed, areas: this.areas, change: this.change });
  }

  listen(since = this.version) {
    if (!this.isRunning) return;
    const address = new URL(`${this.path.slice(1)}/changes`, SERVER);
    address.searchParams.set('since', since);
    this.stream = new EventSource(address);
    this.stream.onopen = () => { clearTimeout(this.asking); this.hear(); };
    this.stream.onmessage = (event) => {
      const { since, version, changes, areas } = JSON.parse(event.data);
      if (since !== this.version) {
        this.quiet();
        this.listen(0);
        return;
      }
      this.hear();
      for (const [n, letter] of changes) this.letters[n] = letter;
      this.version = version;
      this.areas = { ...this.areas, ...areas };
      this.tell(changes.map(([n]) => n));
    };
    this.stream.addEventListener('reload', (event) => { this.hear(); this.show(JSON.parse(event.data)); });
    this.stream.onerror = () => this.fallBack();
  }

  /** Heartbeats are comments, which a page does not hear: after a long silence one look tells whether anything was missed. */
  hear() {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => { this.read().catch(() => this.fallBack()); this.hear(); }, SILENT_MS);
  }

  fallBack() {
    this.quiet();
    if (!this.isRunning) return;
    const ask = async () => {
      await this.read().catch(() => null);
      if (this.isRunning) this.asking = setTimeout(ask, ASK_EVERY_MS * (0.75 + Math.random() / 2));
    };
    this.asking = setTimeout(ask, ASK_EVERY_MS * Math.random());
    this.trying = setTimeout(() => { clearTimeout(this.asking); this.listen(); }, TRY_STREAM_AGAIN_MS * (0.75 + Math.random() / 2));
  }
}
