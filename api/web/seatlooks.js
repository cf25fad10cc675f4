// How a seat looks: by its shape first and by its colour only besides. Open seats are filled, reserved ones hatched,
// taken ones a dot, what is not for sale a cross, one's own have a tick; wheelchair places are square.

export const [BLOCKED, OPEN, HELD, SOLD, PICKED, MINE] = [0, 1, 2, 3, 4, 5];
export const STATE_NAMES = ['blocked', 'open', 'held', 'sold', 'picked', 'mine'];
export const STATE_OF_LETTER = { o: OPEN, h: HELD, s: SOLD, b: BLOCKED };
const MARGIN_PX = 2;
/** From this radius on, in CSS pixels, a seat shows its category's letter; from the next on its number too. */
const LETTER_FROM_PX = 5.5;
export const NUMBER_FROM_PX = 11;

/** The colours that seats are drawn with: the house's, or the system's where the visitor forces those. */
export function readInks(element) {
  const isForced = matchMedia('(forced-colors: active)').matches;
  const style = getComputedStyle(element);
  const named = (name, otherwise) => style.getPropertyValue(name).trim() || otherwise;
  if (isForced) return { isForced, ink: 'CanvasText', muted: 'GrayText', paper: 'Canvas', chosen: 'Highlight', onChosen: 'HighlightText' };
  const [ink, paper] = [named('--text', '#1b1b1f'), named('--background', '#fff')];
  return { isForced, ink, muted: named('--muted', '#5a5a60'), paper, chosen: ink, onChosen: paper };
}

function outline(context, middle, radius, isSquare) {
  context.beginPath();
  if (isSquare) context.roundRect(middle - radius, middle - radius, 2 * radius, 2 * radius, radius * 0.3);
  else context.arc(middle, middle, radius, 0, 2 * Math.PI);
}

function strokes(context, lines) {
  context.beginPath();
  for (const [x, y, ...rest] of lines) {
    context.moveTo(x, y);
    for (let at = 0; at < rest.length; at += 2) context.lineTo(rest[at], rest[at + 1]);
  }
  context.stroke();
}

function drawMark(context, mark, middle, y, size, color) {
  context.fillStyle = color;
  context.font = `700 ${size}px system-ui, sans-serif`;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.fillText(mark, middle, y);
}

/** Draws one seat around (middle, middle). `mark`: its category's letter, or nothing. */
function drawSeat(context, { state, isWheelchair, color, colorInk, mark, isNumbered }, middle, radius, inks) {
  const thin = Math.max(1, radius * 0.13);
  context.lineWidth = thin;
  context.lineCap = context.lineJoin = 'round';
  const inner = radius - thin / 2;
  if (state === OPEN || state === PICKED) {
    outline(context, middle, state === PICKED ? radius * 0.86 : inner, isWheelchair);
    context.fillStyle = inks.isForced ? inks.paper : color;
    context.fill();
    context.strokeStyle = inks.ink;
    context.globalAlpha = state === PICKED || inks.isForced || isWheelchair ? 1 : 0.5;
    if (state === PICKED) context.lineWidth = Math.max(2, radius * 0.28);
    context.stroke();
    context.globalAlpha = 1;
    if (state === OPEN && mark) drawMark(context, mark, middle, middle + radius * (isNumbered ? -0.48 : 0.06), radius * (isNumbered ? 0.62 : 1.05), inks.isForced ? inks.ink : colorInk);
  } else if (state === MINE) {
    outline(context, middle, radius, isWheelchair);
    context.fillStyle = inks.chosen;
    context.fill();
  } else if (state === HELD) {
    outline(context, middle, inner * 0.92, isWheelchair);
    context.strokeStyle = inks.muted;
    context.stroke();
    context.save();
    context.clip();
    strokes(context, [-0.6, 0, 0.6].map((shift) => [middle - radius + shift * radius, middle + radius + shift * radius, middle + radius + shift * radius, middle - radius + shift * radius]));
    context.restore();
  } else if (state === SOLD) {
    outline(context, middle, Math.max(1, radius * 0.3), false);
    context.fillStyle = inks.muted;
    context.fill();
  } else {
    const reach = radius * 0.36;
    context.strokeStyle = inks.muted;
    strokes(context, [[middle - reach, middle - reach, middle + reach, middle + reach], [middle - reach, middle + reach, middle + reach, middle - reach]]);
  }
  if (state === PICKED || state === MINE) {
    context.strokeStyle = state === MINE ? inks.onChosen : inks.isForced ? inks.ink : colorInk;
    context.lineWidth = Math.max(1.2, radius * 0.24);
    const reach = radius * 0.42;
    strokes(context, [[middle - reach, middle + reach * 0.1, middle - reach * 0.25, middle + reach * 0.75, middle + reach, middle - reach * 0.65]]);
  }
}

/** Small pictures of seats, each drawn once a size: thousands of seats are then thousands of stamps. */
export class Stamps {
  constructor({ categories, inkOn, inks, ratio }) {
    Object.assign(this, { categories, inkOn, inks, ratio, made: new Map() });
  }

  /** The stamp for a seat of a whole radius in device pixels, as a canvas. */
  of(state, category, isWheelchair, radius) {
    const key = ((radius * 256 + category) * 8 + state) * 2 + isWheelchair;
    let stamp = this.made.get(key);
    if (!stamp) {
      const { color, letter } = this.categories[category];
      const size = 2 * (radius + MARGIN_PX);
      stamp = document.createElement('canvas');
      stamp.width = stamp.height = size;
      const mark = radius >= LETTER_FROM_PX * this.ratio ? (isWheelchair ? '♿' : letter) : '';
      const isNumbered = radius >= NUMBER_FROM_PX * this.ratio;
      drawSeat(stamp.getContext('2d'), { state, isWheelchair, color, colorInk: this.inkOn(color), mark, isNumbered }, size / 2, radius, this.inks);
      this.made.set(key, stamp);
    }
    return stamp;
  }

  /** What a seat that is only a few pixels large is filled with. */
  plain(state, category) {
    if (state === OPEN) return this.inks.isForced ? this.inks.ink : this.categories[category].color;
    return state === PICKED || state === MINE ? this.inks.chosen : this.inks.muted;
  }
}

/** A seat in a state as a small picture for the legend. */
export function legendStamp({ state, color, colorInk, letter = '', isWheelchair = false, inks, ratio }) {
  const radius = Math.round(9 * ratio);
  const size = 2 * (radius + MARGIN_PX);
  const stamp = document.createElement('canvas');
  stamp.width = stamp.height = size;
  stamp.className = 'stamp';
  stamp.setAttribute('aria-hidden', 'true');
  drawSeat(stamp.getContext('2d'), { state, isWheelchair, color, colorInk, mark: letter, isNumbered: false }, size / 2, radius, inks);
  return stamp;
}
