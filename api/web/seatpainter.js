// Paints a part of the hall on a canvas, with as much detail as its size can show. Everything that is drawn, the whole
// hall, a tile of it or one seat that changed, is one call of `paint`.

import { middleOf } from './plan.js';
import { MINE, NUMBER_FROM_PX, OPEN, PICKED, Stamps } from './seatlooks.js';
import { inkOn } from './theme.js';

/** Below this radius in device pixels a seat is a little square; taken ones are smaller. */
const STAMPED_FROM_PX = 2.5;
const LABELS_FROM_PX = 6;
const LARGEST_REACH = 3;

function traceShape(context, { kind, at, detail }) {
  context.beginPath();
  if (kind === 'rectangle') context.roundRect(at.x, at.y, detail.width, detail.height, 4);
  else if (kind === 'circle') context.arc(at.x, at.y, detail.radius ?? 0, 0, 2 * Math.PI);
  else if (kind === 'ellipse') context.ellipse(at.x, at.y, detail.radius?.x ?? 0, detail.radius?.y ?? 0, 0, 0, 2 * Math.PI);
  else if (kind === 'polygon') {
    (detail.points ?? []).forEach((point) => context.lineTo(at.x + point.x, at.y + point.y));
    context.closePath();
  }
}

export class Painter {
  /** `states`: one byte a seat, which whoever owns it changes; `inks`: see `readInks`; `ratio`: device pixels a CSS pixel. */
  constructor({ plan, grid, states, inks, ratio }) {
    Object.assign(this, { plan, grid, states, inks, ratio });
    this.stamps = new Stamps({ categories: plan.categories, inkOn, inks, ratio });
    this.reach = LARGEST_REACH * plan.radius.reduce((most, each) => Math.max(most, each), 1);
    this.inkOfCategory = plan.categories.map(({ color }) => (inks.isForced ? inks.ink : inkOn(color)));
  }

  /**
   * Paints what lies within a rectangle of whole device pixels. `view`: {x, y, scale}, the plan's point in the
   * canvas's corner, and device pixels a unit of the plan.
   */
  paint(context, view, left, top, width, height) {
    const { scale } = view;
    const from = { x: view.x + left / scale, y: view.y + top / scale };
    const to = { x: from.x + width / scale, y: from.y + height / scale };
    context.save();
    context.beginPath();
    context.rect(left, top, width, height);
    context.clip();
    // Not transparent: a sharp picture covers the blurred one beneath it.
    context.fillStyle = this.inks.paper;
    context.fillRect(left, top, width, height);
    context.save();
    context.setTransform(scale, 0, 0, scale, -view.x * scale, -view.y * scale);
    this.paintShapes(context, from, to);
    this.paintLabels(context, scale, from, to);
    context.restore();
    const margin = this.reach / 2;
    const seats = [];
    this.grid.within(from.x - margin, from.y - margin, to.x + margin, to.y + margin, (n) => seats.push(n));
    this.paintSeats(context, view, seats);
    context.restore();
  }

  paintShapes(context, from, to) {
    for (const shape of this.plan.shapes) {
      const { at, rotation, color, border, text, kind, detail, corners } = shape;
      const isAside = !rotation && kind !== 'text' && corners.length
        && (corners.every(({ x }) => x < from.x) || corners.every(({ x }) => x > to.x) || corners.every(({ y }) => y < from.y) || corners.every(({ y }) => y > to.y));
      if (isAside) continue;
      context.save();
      if (rotation) {
        context.translate(at.x, at.y);
        context.rotate((rotation * Math.PI) / 180);
        context.translate(-at.x, -at.y);
      }
      const isFilled = kind !== 'text' && color && color !== 'transparent' && !this.inks.isForced;
      traceShape(context, shape);
      if (isFilled) {
        context.fillStyle = color;
        context.fill();
      }
      if ((border || this.inks.isForced) && kind !== 'text') {
        context.lineWidth = 1;
        context.strokeStyle = this.inks.isForced ? this.inks.ink : border;
        context.stroke();
      }
      const words = text ?? (kind === 'text' ? detail : null);
      if (words?.text) {
        const { x = 0, y = 0 } = words.position ?? {};
        const middle = x || y ? { x, y } : middleOf(shape);
        this.write(context, words.text, at.x + middle.x, at.y + middle.y, words.size ?? 14, isFilled ? inkOn(color) : this.inks.ink);
      }
      context.restore();
    }
  }

  paintLabels(context, scale, from, to) {
    for (const { x, y, text, size } of this.plan.labels) {
      if (size * scale < LABELS_FROM_PX * this.ratio) continue;
      const margin = size * 2;
      if (x > from.x - margin && x < to.x + margin && y > from.y - margin && y < to.y + margin) this.write(context, text, x, y, size * 1.1, this.inks.muted);
    }
  }

  write(context, text, x, y, size, color) {
    context.fillStyle = color;
    context.font = `${size}px system-ui, sans-serif`;
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    context.fillText(text, x, y);
  }

  paintSeats(context, view, seats) {
    const { plan, states, stamps } = this;
    let [isNumbered, filled] = [false, null];
    for (const n of seats) {
      const radius = plan.radius[n] * view.scale;
      const [x, y] = [(plan.x[n] - view.x) * view.scale, (plan.y[n] - view.y) * view.scale];
      const state = states[n];
      if (radius < STAMPED_FROM_PX) {
        const isShown = state === OPEN || state === PICKED || state === MINE;
        const reach = isShown ? Math.max(0.7, radius * 0.9) : Math.max(0.4, radius * 0.35);
        const color = stamps.plain(state, plan.category[n]);
        if (color !== filled) context.fillStyle = filled = color;
        context.fillRect(x - reach, y - reach, 2 * reach, 2 * reach);
        continue;
      }
      isNumbered ||= radius >= NUMBER_FROM_PX * this.ratio;
      const stamp = stamps.of(state, plan.category[n], plan.isWheelchair[n], Math.round(radius));
      context.drawImage(stamp, Math.round(x - stamp.width / 2), Math.round(y - stamp.height / 2));
    }
    if (isNumbered) this.paintNumbers(context, view, seats);
  }

  /** One's own seats have a tick in their place, and those that are gone are nobody's business. */
  paintNumbers(context, view, seats) {
    const { plan, states } = this;
    for (const n of seats) {
      const radius = plan.radius[n] * view.scale;
      if (states[n] !== OPEN || radius < NUMBER_FROM_PX * this.ratio) continue;
      this.write(context, plan.numbers[n], (plan.x[n] - view.x) * view.scale, (plan.y[n] - view.y) * view.scale + radius * 0.22, radius * 0.82, this.inkOfCategory[plan.category[n]]);
    }
  }
}
