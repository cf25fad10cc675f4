// The hall as a picture to choose from: by finger, mouse or arrow keys, at any size.

import { h, setText, svg } from './dom.js';
import { middleOf } from './plan.js';
import { inkOn } from './theme.js';
import { Zoom } from './zoom.js';

const SLICE = 700;
const REACH_PX = 22;
const SMALLEST_TAP_PX = 13;
const EASY_TAP_PX = 26;
const NUMBERS_FROM_PX = 20;
const MOST_NUMBERS = 500;
const STATES = { o: 'open', h: 'held', s: 'sold', b: 'blocked' };

function drawShape({ kind, at, detail, rotation, color, border, text }) {
  const look = { fill: color && color !== 'transparent' ? color : 'none', stroke: border ?? 'none', 'stroke-width': 1 };
  const drawn = {
    rectangle: () => svg('rect', { x: at.x, y: at.y, width: detail.width, height: detail.height, rx: 4, ...look }),
    circle: () => svg('circle', { cx: at.x, cy: at.y, r: detail.radius, ...look }),
    ellipse: () => svg('ellipse', { cx: at.x, cy: at.y, rx: detail.radius?.x, ry: detail.radius?.y, ...look }),
    polygon: () => svg('polygon', { points: (detail.points ?? []).map((point) => `${at.x + point.x},${at.y + point.y}`).join(' '), ...look }),
    text: () => null,
  }[kind]();
  const words = text ?? (kind === 'text' ? detail : null);
  const { x = 0, y = 0 } = words?.position ?? {};
  const middle = x || y ? { x, y } : middleOf({ kind, detail });
  const label = words?.text && svg('text', {
    fill: kind !== 'text' && look.fill !== 'none' ? inkOn(color) : null, x: at.x + middle.x, y: at.y + middle.y, 'font-size': words.size ?? 14,
  }, words.text);
  return svg('g', { transform: rotation ? `rotate(${rotation} ${at.x} ${at.y})` : null, 'aria-hidden': 'true' }, drawn, label);
}

/** The map of one plan. `describe(seat)` gives what a seat says; `ontoggle(seat)` is called for an open or picked one; null where one may only look. */
export class SeatMap {
  constructor({ plan, words, describe, ontoggle }) {
    Object.assign(this, { plan, words, describe, ontoggle, states: 'b'.repeat(plan.seats.length), picked: new Set(), mine: new Set(), circles: [], current: null });
    this.colors = new Map(plan.categories.map((category) => [category.name, category.color]));
    this.inks = new Map(plan.categories.map((category) => [category.name, inkOn(category.color)]));
    this.marks = svg('g', { class: 'marks', 'aria-hidden': 'true' });
    this.numbers = svg('g', { class: 'numbers', 'aria-hidden': 'true' });
    this.drawing = svg('svg', { class: 'drawing', role: 'group', 'aria-label': words.say('map_label'), preserveAspectRatio: 'xMidYMid meet' });
    this.tip = h('p', { class: 'map-tip', 'aria-hidden': 'true' });
    this.seen = h('p', { class: 'map-seen', 'aria-hidden': 'true', hidden: true });
    this.frame = h('div', { class: 'map-frame' }, this.drawing);
    const button = (text, name, press) => h('button', { type: 'button', 'aria-label': words.say(name), title: words.say(name), onclick: press }, text);
    this.frame.style.aspectRatio = `${plan.box.width} / ${plan.box.height}`;
    this.element = h('div', { class: 'map' },
      h('div', { class: 'map-buttons' }, plan.levels.length > 1 ? h('div', { class: 'levels' }, plan.levels.map(({ name, box }) =>
        h('button', { type: 'button', class: 'level', onclick: () => this.zoom.show(box, EASY_TAP_PX) }, name))) : null, this.seen, button('+', 'zoom_in', () => this.zoom.zoomAt(1.6)), button('−', 'zoom_out', () => this.zoom.zoomAt(1 / 1.6)), button('⤢', 'zoom_fit', () => this.zoom.fit())),
      this.frame, this.tip, h('p', { class: 'unseen' }, words.say('map_keys')));
    const detail = 2 * plan.seats[0].radius;
    this.zoom = new Zoom({ frame: this.frame, drawing: this.drawing, box: plan.box, detail, onrest: (view) => this.redrawn(view) });
    this.drawing.addEventListener('click', (event) => this.press(event));
    this.drawing.addEventListener('keydown', (event) => this.steer(event));
    // Not on the drawing: an SVG that listens to the focus becomes a stop of its own.
    this.frame.addEventListener('focusin', (event) => this.point(event.target));
    this.drawing.addEventListener('pointerover', (event) => this.point(event.target));
    this.frame.addEventListener('pointerdown', (event) => { this.isFinger = event.pointerType !== 'mouse'; }, true);
    this.draw();
  }

  /** Row by row, a slice a frame, so that a stadium does not stop the page. */
  draw() {
    const { plan } = this;
    this.drawing.append(...plan.shapes.map(drawShape));
    const seats = svg('g', { class: 'seats' });
    this.drawing.append(seats, svg('g', { class: 'row-labels', 'aria-hidden': 'true' }, plan.labels.map((label) =>
      svg('text', { x: label.x, y: label.y, 'font-size': label.size * 1.1 }, label.text))), this.numbers, this.marks);
    let next = 0;
    const slice = () => {
      for (let count = 0; next < plan.rows.length && count < SLICE; next += 1) {
        const row = plan.rows[next];
        count += row.seats.length;
        seats.append(svg('g', { role: 'group', 'aria-label': [row.zone, row.name].filter(Boolean).join(' ') }, row.seats.map((n) => this.circle(plan.seats[n]))));
      }
      if (next < plan.rows.length) requestAnimationFrame(slice);
    };
    slice();
  }

  circle(seat) {
    const circle = svg('circle', {
      cx: seat.x, cy: seat.y, r: seat.radius, fill: this.colors.get(seat.category), 'data-seat': seat.id,
      role: 'checkbox', tabindex: this.current === null ? 0 : -1,
    });
    circle.seat = seat;
    this.current ??= seat.n;
    this.circles[seat.n] = circle;
    this.dress(seat.n);
    return circle;
  }

  stateOf(n) {
    if (this.mine.has(n)) return 'mine';
    return this.picked.has(n) ? 'picked' : STATES[this.states[n]] ?? 'blocked';
  }

  dress(n) {
    const circle = this.circles[n];
    if (!circle) return;
    const state = this.stateOf(n);
    const isWheelchair = this.plan.seats[n].isWheelchair;
    circle.setAttribute('class', `seat ${state}${isWheelchair ? ' wheelchair' : ''}`);
    circle.setAttribute('aria-checked', String(state === 'picked' || state === 'mine'));
    circle.setAttribute('aria-disabled', String(!this.ontoggle || !['open', 'picked'].includes(state)));
    circle.setAttribute('aria-label', `${this.describe(this.plan.seats[n])}, ${this.words.say(`seat.${state}`)}`);
  }

  /** Takes in the letters of the seats document, and which seats this visitor already holds; only differences are drawn. */
  show({ states = this.states, mine = this.mine, picked = this.picked }) {
    const before = this.plan.seats.map((seat) => this.stateOf(seat.n));
    Object.assign(this, { states, mine, picked });
    before.forEach((state, n) => { if (state !== this.stateOf(n)) this.dress(n); });
    this.marks.replaceChildren(...[...picked, ...mine].map((n) => {
      const { x, y, radius, category } = this.plan.seats[n];
      const reach = radius * 0.45;
      return svg('path', { class: 'tick', stroke: this.inks.get(category), 'stroke-width': radius * 0.28, d: `M${x - reach} ${y}l${reach * 0.7} ${reach * 0.7}L${x + reach} ${y - reach * 0.65}` });
    }));
    if (this.view) this.redrawn(this.view);
  }

  /** Seat numbers, once they are large enough to read, for what is in view; and which rows these are. */
  redrawn(view) {
    this.view = view;
    const { x, y, width, height, scale } = view;
    const inView = this.plan.seats.filter((seat) => seat.x > x && seat.x < x + width && seat.y > y && seat.y < y + height);
    const seen = inView.filter((seat) => seat.radius * 2 * scale >= NUMBERS_FROM_PX && ['open', 'held', 'sold', 'blocked'].includes(this.stateOf(seat.n)));
    this.tellWhere(inView);
    const isTooSmall = matchMedia('(pointer: coarse)').matches && this.plan.seats[0].radius * 2 * scale < SMALLEST_TAP_PX;
    if (!this.isPointed && this.ontoggle) setText(this.tip, this.words.say(isTooSmall ? 'map_hint_far' : 'map_hint'));
    this.numbers.replaceChildren(...(seen.length > MOST_NUMBERS ? [] : seen).map((seat) => svg('text', {
      x: seat.x, y: seat.y, 'font-size': seat.radius * 0.85, fill: this.stateOf(seat.n) === 'open' ? this.inks.get(seat.category) : null,
    }, seat.isWheelchair && this.stateOf(seat.n) === 'open' ? '♿' : seat.number)));
  }

  /** "Balcony 1, rows C to F": a part of a large hall looks like any other. */
  tellWhere(inView) {
    this.seen.hidden = !this.frame.classList.contains('zoomed') || inView.length === 0;
    if (this.seen.hidden) return;
    const { zone } = inView[Math.floor(inView.length / 2)];
    const rows = [...new Set(inView.filter((seat) => seat.zone === zone).map((seat) => seat.rowName))].filter(Boolean);
    const which = rows.length > 1 ? this.words.say('rows_seen', { from: rows[0], to: rows.at(-1) }) : rows.length ? this.words.say('row_seen', { row: rows[0] }) : null;
    setText(this.seen, [zone, which].filter(Boolean).join(', '));
  }

  point(target) {
    if (!target.seat) return;
    this.isPointed = true;
    setText(this.tip, target.getAttribute('aria-label'));
  }

  press(event) {
    let { seat } = event.target;
    const scale = this.view?.scale ?? 1;
    if (!seat) {
      const frame = this.frame.getBoundingClientRect();
      const [x, y] = [this.view.x + (event.clientX - frame.left) / scale, this.view.y + (event.clientY - frame.top) / scale];
      const far = (each) => Math.hypot(each.x - x, each.y - y);
      const nearest = this.plan.seats.reduce((best, each) => (far(each) < far(best) ? each : best), this.plan.seats[0]);
      if (nearest && far(nearest) * scale < REACH_PX) seat = nearest;
    }
    if (!seat) return;
    if (this.isFinger && seat.radius * 2 * scale < SMALLEST_TAP_PX) this.zoom.zoomAt(3, event.clientX, event.clientY);
    else this.choose(seat);
  }

  choose(seat) {
    this.focus(seat);
    if (['open', 'picked'].includes(this.stateOf(seat.n))) this.ontoggle?.(seat);
    this.point(this.circles[seat.n]);
  }

  focus(seat) {
    this.circles[this.current]?.setAttribute('tabindex', '-1');
    this.current = seat.n;
    const circle = this.circles[seat.n];
    circle.setAttribute('tabindex', '0');
    circle.focus({ preventScroll: true });
    this.zoom.reveal(seat.x, seat.y, seat.radius * 2);
  }

  steer(event) {
    const { seat } = event.target;
    if (!seat || event.ctrlKey || event.metaKey || event.altKey) return;
    const row = this.plan.rows[seat.row].seats;
    const at = row.indexOf(seat.n);
    const next = {
      ArrowLeft: () => row[at - 1] ?? this.beside(seat, -1), ArrowRight: () => row[at + 1] ?? this.beside(seat, 1), Home: () => row[0], End: () => row.at(-1),
      ArrowUp: () => this.across(seat, -1), ArrowDown: () => this.across(seat, 1),
    }[event.key];
    if (next) {
      const n = next();
      if (n !== undefined && n !== null) this.focus(this.plan.seats[n]);
    } else if (event.key === 'Enter' || event.key === ' ') this.choose(seat);
    else if (event.key === '+' || event.key === '=') this.zoom.zoomAt(1.6);
    else if (event.key === '-') this.zoom.zoomAt(1 / 1.6);
    else return;
    event.preventDefault();
  }

  nearest(seat, along) {
    let [best, least] = [null, Infinity];
    for (const other of this.plan.seats) {
      const cost = other.row === seat.row ? Infinity : along(other.x - seat.x, other.y - seat.y);
      if (cost < least) [best, least] = [other.n, cost];
    }
    return best;
  }

  across(seat, way) {
    return this.nearest(seat, (dx, dy) => (dy * way > seat.radius ? dy * way + 2 * Math.abs(dx) : Infinity));
  }

  beside(seat, way) {
    return this.nearest(seat, (dx, dy) => (dx * way > seat.radius && Math.abs(dy) < 3 * seat.radius ? dx * way + 3 * Math.abs(dy) : Infinity));
  }
}
