// Which seats are still open, as it happens: server-sent events, and asking every few seconds where they do not come through.

import { get, SERVER } from './api.js';

const ASK_EVERY_MS = 3000;
const TRY_STREAM_AGAIN_MS = 30_000;

export class LiveSeats {
  /** `onchange({states, areas})`: a letter a seat in plan order, and places open an area. */
  constructor({ house, performance, onchange }) {
    Object.assign(this, { path: `/v1/houses/${house}/performances/${performance}/seats`, onchange, version: 0, states: [], areas: {}, isRunning: false });
  }

  async start() {
    this.isRunning = true;
    await this.read();
    this.listen();
  }

  stop() {
    this.isRunning = false;
    this.stream?.close();
    clearTimeout(this.asking);
    clearTimeout(this.trying);
  }

  async read() {
    const { version, seats, areas } = await get(this.path);
    Object.assign(this, { version, states: [...seats], areas });
    this.tell();
  }

  tell() {
    if (this.isRunning) this.onchange({ states: this.states.join(''), areas: this.areas });
  }

  listen() {
    if (!this.isRunning) return;
    const address = new URL(`${this.path.slice(1)}/changes`, SERVER);
    address.searchParams.set('since', this.version);
    this.stream = new EventSource(address);
    this.stream.onopen = () => clearTimeout(this.asking);
    this.stream.onmessage = (event) => {
      const { version, changes, areas } = JSON.parse(event.data);
      for (const [n, state] of changes) this.states[n] = state;
      this.version = version;
      this.areas = { ...this.areas, ...areas };
      this.tell();
    };
    this.stream.addEventListener('reload', () => this.read().catch(() => this.fallBack()));
    this.stream.onerror = () => this.fallBack();
  }

  fallBack() {
    this.stream.close();
    clearTimeout(this.asking);
    clearTimeout(this.trying);
    if (!this.isRunning) return;
    const ask = async () => {
      await this.read().catch(() => null);
      if (this.isRunning) this.asking = setTimeout(ask, ASK_EVERY_MS * (0.75 + Math.random() / 2));
    };
    this.asking = setTimeout(ask, ASK_EVERY_MS * Math.random());
    this.trying = setTimeout(() => { clearTimeout(this.asking); this.listen(); }, TRY_STREAM_AGAIN_MS * (0.75 + Math.random() / 2));
  }
}
