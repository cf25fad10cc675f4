// What is kept about an on-sale in this browser, so that a reload, a dead battery or a tunnel costs nobody their place.

import { untilMs } from './clock.js';
import { readKept, writeKept } from './storage.js';

const PLACE = ['place', 'secret', 'index', 'line'];

export class Memory {
  constructor(house, onSale) {
    this.name = `parvis:${house}/${onSale}`;
    this.kept = {};
    /** How long what is kept stays: `device`, `tab`, or `page` where the browser keeps nothing. */
    this.lasts = 'device';
    this.read();
  }

  /** Takes in what another tab has kept since. */
  read() {
    try {
      this.kept = JSON.parse(readKept(this.name)) ?? this.kept;
    } catch { /* not ours, or broken: what this page knows still holds */ }
  }

  keep(facts) {
    this.read();
    Object.assign(this.kept, facts);
    this.lasts = writeKept(this.name, JSON.stringify(this.kept));
  }

  forgetPlace() {
    this.keep({ contact: undefined, secret: undefined, join_key: undefined, place: undefined, index: undefined, line: undefined, position: undefined, pass: undefined, moved: undefined });
  }

  /** The pass, while it lives. */
  get pass() {
    return this.kept.pass && !this.kept.moved && untilMs(this.kept.pass_expires_at) > 0 ? this.kept.pass : null;
  }

  /** The place for an address, behind the `#`: a fragment reaches neither a server nor its logs. Empty without a place. */
  get fragment() {
    const { kept } = this;
    return kept.place ? new URLSearchParams(PLACE.map((name) => [name, kept[name]])).toString() : '';
  }

  /** Takes a place over that came in a fragment; a place of another number that is here already is lost. */
  takeOver({ place, secret, index, line }) {
    if (place === this.kept.place) return;
    this.forgetPlace();
    this.keep({ place, secret, line, index: Number(index) });
  }
}
