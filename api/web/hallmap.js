// The hall as a picture to choose from, by finger or mouse. Two kinds of canvas lie over each other: the whole hall,
// once, and on top a sharp picture of what is in view. While a gesture lasts both are only moved, which the compositor
// does alone; the sharp one is painted anew, in slices, when the gesture rests. A change repaints the seat that changed.
// The picture says nothing to a screen reader: the list beside it does.

import { h, setText } from './dom.js';
import { SeatGrid } from './seatgrid.js';
import { Painter } from './seatpainter.js';
import { readInks } from './seatlooks.js';
import { Zoom } from './zoom.js';

const TILE_PX = 96;
const SLICE_MS = 3;
const MOST_RATIO = 2;
const WHOLE_PX = 1400;
const MOST_TOUCHES = 300;
const REACH_PX = 22;
const SMALLEST_TAP_PX = 13;
const EASY_TAP_PX = 26;
const FOUND_PX = 34;

/** How a picture of one view lies in another: both {x, y, scale}. */
const placing = (mine, { x, y, scale }) => `translate(${(mine.x - x) * scale}px,${(mine.y - y) * scale}px) scale(${scale / mine.scale})`;

/** A canvas with the view that was painted on it. */
class Sheet {
  constructor(name) {
    this.element = h('canvas', { class: `sheet ${name}` });
    this.context = this.element.getContext('2d');
    this.view = null;
  }

  size(width, height) {
    if (this.element.width === width && this.element.height === height) return;
    Object.assign(this.element, { width, height });
    this.view = null;
  }

  /** Lays the picture where it belongs in another one's view. */
  place(view) {
    if (this.view) this.element.style.transform = placing(this.view, view);
  }

  tiles() {
    const { width, height } = this.element;
    const found = [];
    for (let top = 0; top < height; top += TILE_PX) for (let left = 0; left < width; left += TILE_PX) found.push([left, top, Math.min(TILE_PX, width - left), Math.min(TILE_PX, height - top)]);
    return found;
  }
}

export class HallMap {
  /**
   * `states`: a byte a seat, changed by whoever owns it and then told with `touch`; `describe(n)`: what a seat says;
   * `ontap(n)`: a seat was chosen, null where one may only look.
   */
  constructor({ plan, states, words, describe, ontap }) {
    Object.assign(this, { plan, states, words, describe, ontap });
    this.grid = new SeatGrid(plan);
    [this.whole, this.front, this.back] = ['whole', 'sharp', 'sharp'].map((name) => new Sheet(name));
    this.tip = h('p', { class: 'map-tip', 'aria-hidden': 'true' });
    this.seen = h('p', { class: 'map-seen', 'aria-hidden': 'true', hidden: true });
    this.sheets = h('div', { class: 'sheets' }, this.whole.element, this.back.element, this.front.element);
    this.frame = h('div', { class: 'map-frame', part: 'map', 'aria-hidden': 'true' }, this.sheets);
    this.frame.style.aspectRatio = `${plan.box.width} / ${plan.box.height}`;
    const button = (text, name, press) => h('button', { type: 'button', 'aria-label': words.say(name), title: words.say(name), onclick: press }, text);
    const levels = plan.zones.filter(({ name }) => name);
    this.element = h('div', { class: 'map' },
      h('div', { class: 'map-buttons' },
        levels.length > 1 ? h('div', { class: 'levels' }, levels.map(({ name, box }) => h('button', { type: 'button', class: 'level', onclick: () => this.zoom.show(box, EASY_TAP_PX) }, name))) : null,
        this.seen, button('+', 'zoom_in', () => this.zoom.zoomAt(1.6)), button('−', 'zoom_out', () => this.zoom.zoomAt(1 / 1.6)), button('⤢', 'zoom_fit', () => this.zoom.fit())),
      this.frame, this.tip);
    this.zoom = new Zoom({ frame: this.frame, box: plan.box, detail: 2 * plan.radius[0], onmove: () => this.follow(), onrest: () => this.redraw() });
    this.frame.addEventListener('click', (event) => this.tap(event));
    this.frame.addEventListener('pointerdown', (event) => { this.isFinger = event.pointerType !== 'mouse'; }, true);
    this.frame.addEventListener('pointermove', (event) => { if (event.pointerType === 'mouse' && !event.buttons) this.point(this.seatAt(event)); });
    this.onlook = () => this.relook();
    this.looks = ['(prefers-color-scheme: dark)', '(forced-colors: active)'].map((query) => matchMedia(query));
    this.looks.forEach((look) => look.addEventListener('change', this.onlook));
  }

  stop() {
    this.isStopped = true;
    this.looks.forEach((look) => look.removeEventListener('change', this.onlook));
  }

  relook() {
    [this.painter, this.run] = [null, null];
    [this.whole, this.front, this.back].forEach((sheet) => { sheet.view = null; });
    setTimeout(() => this.redraw());
  }

  /** All pictures lie in the sharp one's view; to follow a finger is to move one element. */
  follow() {
    if (this.front.view) this.sheets.style.transform = placing(this.front.view, this.zoom);
  }

  lay() {
    [this.whole, this.front].forEach((sheet) => sheet.place(this.front.view));
    this.follow();
  }

  /** What is in view, sharp; then, if it is not there yet, the whole hall that lies beneath. */
  async redraw() {
    const { zoom, plan } = this;
    if (!zoom.width || this.isStopped) return;
    const ratio = Math.min(MOST_RATIO, devicePixelRatio);
    if (this.painter?.ratio !== ratio) this.painter = new Painter({ plan, grid: this.grid, states: this.states, inks: readInks(this.element), ratio });
    this.follow();
    this.tellWhere();
    const run = this.run = Symbol('run');
    this.late = [];
    const { front, back, whole } = this;
    const isFirst = !front.view;
    const target = isFirst ? front : back;
    target.size(Math.round(zoom.width * ratio), Math.round(zoom.height * ratio));
    const view = { x: zoom.x, y: zoom.y, scale: zoom.scale * ratio };
    if (isFirst) {
      this.settle(target, view, ratio);
      this.lay();
    }
    if (!await this.paintSheet(target, view, run, !isFirst)) return;
    if (!isFirst) {
      this.settle(target, view, ratio);
      [this.front, this.back] = [back, front];
      back.element.style.visibility = 'visible';
      front.element.style.visibility = 'hidden';
      this.late.forEach((n) => this.touchSheet(this.front, n));
    }
    this.late = null;
    this.lay();
    if (!whole.view) {
      const scale = WHOLE_PX / Math.max(plan.box.width, plan.box.height);
      whole.size(Math.ceil(plan.box.width * scale), Math.ceil(plan.box.height * scale));
      const all = { x: plan.box.x, y: plan.box.y, scale };
      this.settle(whole, all, 1);
      this.lay();
      if (!await this.paintSheet(whole, all, run)) whole.view = null;
    }
    this.frame.dispatchEvent(new Event('drawn', { bubbles: true, composed: true }));
  }

  /** A sheet keeps its view in CSS pixels, and what it takes to paint on it. */
  settle(sheet, view, ratio) {
    sheet.painted = view;
    sheet.view = { x: view.x, y: view.y, scale: view.scale / ratio };
    sheet.element.style.width = `${sheet.element.width / ratio}px`;
    sheet.element.style.height = `${sheet.element.height / ratio}px`;
  }

  /** Tile by tile, a slice a frame; false when something else is to be painted by now, or a finger moves (`mayWait`). */
  async paintSheet(sheet, view, run, mayWait = true) {
    let until = performance.now() + SLICE_MS;
    for (const tile of sheet.tiles()) {
      if (performance.now() > until) {
        await new Promise((resolve) => { setTimeout(resolve); });
        if (this.run !== run || this.isStopped || (mayWait && this.zoom.isMoving)) return false;
        until = performance.now() + SLICE_MS;
      }
      this.painter.paint(sheet.context, view, ...tile);
    }
    return true;
  }

  touchSheet(sheet, n) {
    if (!sheet.view) return;
    const { x, y, scale } = sheet.painted;
    const reach = Math.ceil(this.plan.radius[n] * scale) + 3;
    const [middleX, middleY] = [Math.round((this.plan.x[n] - x) * scale), Math.round((this.plan.y[n] - y) * scale)];
    const { width, height } = sheet.element;
    if (middleX < -reach || middleY < -reach || middleX > width + reach || middleY > height + reach) return;
    this.painter.paint(sheet.context, sheet.painted, middleX - reach, middleY - reach, 2 * reach, 2 * reach);
  }

  /** These seats have another state now. */
  touch(changed) {
    if (!this.painter) return;
    if (changed.length > MOST_TOUCHES) {
      this.whole.view = null;
      this.redraw();
      return;
    }
    for (const n of changed) {
      this.touchSheet(this.front, n);
      this.touchSheet(this.whole, n);
    }
    this.late?.push(...changed);
    if (this.pointed !== null && changed.includes(this.pointed)) this.point(this.pointed);
  }

  /** "Balcony 1, rows C to F": a part of a large hall looks like any other. */
  tellWhere() {
    const { zoom, plan } = this;
    const rows = new Map();
    if (zoom.isZoomed) this.grid.within(zoom.x, zoom.y, zoom.x + zoom.width / zoom.scale, zoom.y + zoom.height / zoom.scale, (n) => rows.set(plan.row[n], (rows.get(plan.row[n]) ?? 0) + 1));
    this.seen.hidden = rows.size === 0;
    const isTooSmall = matchMedia('(pointer: coarse)').matches && plan.radius[0] * 2 * zoom.scale < SMALLEST_TAP_PX;
    if (this.pointed === undefined && this.ontap) setText(this.tip, this.words.say(isTooSmall ? 'map_hint_far' : 'map_hint'));
    if (!rows.size) return;
    const [most] = [...rows].sort((a, b) => b[1] - a[1])[0];
    const { zone } = plan.rows[most];
    const names = [...new Set([...rows.keys()].sort((a, b) => a - b).filter((row) => plan.rows[row].zone === zone).map((row) => plan.rows[row].name))].filter(Boolean);
    const which = names.length > 1 ? this.words.say('rows_seen', { from: names[0], to: names.at(-1) }) : names.length ? this.words.say('row_seen', { row: names[0] }) : null;
    setText(this.seen, [plan.zones[zone].name, which].filter(Boolean).join(', '));
  }

  seatAt(event) {
    const { zoom } = this;
    const [atX, atY] = zoom.pointOf(event);
    return this.grid.nearest(zoom.x + atX / zoom.scale, zoom.y + atY / zoom.scale, Math.max(REACH_PX / zoom.scale, 0));
  }

  point(n) {
    if (n === null) return;
    this.pointed = n;
    setText(this.tip, this.describe(n));
  }

  tap(event) {
    const n = this.seatAt(event);
    const isTooSmall = this.isFinger && this.plan.radius[n ?? 0] * 2 * this.zoom.scale < SMALLEST_TAP_PX;
    if (isTooSmall) this.zoom.zoomAt(3, ...this.zoom.pointOf(event));
    else if (n !== null) this.ontap?.(n);
    this.point(n);
  }

  /** Comes close to some seats, as near as shows what lies around them. */
  reveal(seats) {
    if (!seats.length) return;
    const [xs, ys] = [seats.map((n) => this.plan.x[n]), seats.map((n) => this.plan.y[n])];
    const margin = 8 * this.plan.radius[seats[0]];
    const [x, y] = [Math.min(...xs) - margin, Math.min(...ys) - margin];
    this.zoom.show({ x, y, width: Math.max(...xs) + margin - x, height: Math.max(...ys) + margin - y }, SMALLEST_TAP_PX, FOUND_PX);
  }

  /** Comes close enough to a seat for a finger, unless it is; done when the picture is. */
  async near(n) {
    const { x, y, radius } = this.spot(n);
    const frame = this.frame.getBoundingClientRect();
    const isSeen = x > frame.left + radius && x < frame.right - radius && y > frame.top + radius && y < frame.bottom - radius;
    if (isSeen && radius * 2 >= SMALLEST_TAP_PX) return;
    const reached = new Promise((resolve) => { this.frame.addEventListener('drawn', resolve, { once: true }); });
    this.reveal([n]);
    await reached;
  }

  /** Where a seat is in the window, in CSS pixels. */
  spot(n) {
    const corner = this.frame.getBoundingClientRect();
    const { x, y, scale } = this.zoom;
    return { x: corner.left + this.frame.clientLeft + (this.plan.x[n] - x) * scale, y: corner.top + this.frame.clientTop + (this.plan.y[n] - y) * scale, radius: this.plan.radius[n] * scale };
  }
}
