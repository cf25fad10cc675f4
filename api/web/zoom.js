// Zooming and panning an SVG: wheel with Ctrl, pinch, drag, buttons. While a gesture lasts only a transform
// changes, which the compositor does alone; the drawing itself is redone once, when the gesture rests.

const REST_MS = 140;
const SLIP_PX = 6;
const LARGEST = 14;
const FINGER_PX = 44;

export class Zoom {
  /**
   * `detail`: the size of what is chosen, in the drawing's units; zooming in goes on until a finger fits it.
   * `onrest({scale})` after each redraw; scale = CSS pixels per unit of the drawing.
   */
  constructor({ frame, drawing, box, detail, onrest }) {
    Object.assign(this, { frame, drawing, box, detail, onrest, zoom: 1, x: box.x, y: box.y, pointers: new Map(), slipped: false });
    frame.addEventListener('pointerdown', (event) => this.down(event));
    frame.addEventListener('pointermove', (event) => this.move(event));
    for (const name of ['pointerup', 'pointercancel', 'lostpointercapture']) frame.addEventListener(name, (event) => this.pointers.delete(event.pointerId));
    frame.addEventListener('click', (event) => { if (this.slipped) event.stopPropagation(); this.slipped = false; }, true);
    frame.addEventListener('wheel', (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      this.zoomAt(Math.exp(-event.deltaY / 300), event.clientX, event.clientY);
    }, { passive: false });
    new ResizeObserver(() => this.rest()).observe(frame);
  }

  /** The drawing's units per CSS pixel when everything fits. */
  get unit() {
    const { clientWidth: width, clientHeight: height } = this.frame;
    return Math.max(this.box.width / Math.max(1, width), this.box.height / Math.max(1, height));
  }

  limited(zoom) {
    return Math.min(Math.max(LARGEST, (FINGER_PX * this.unit) / this.detail), Math.max(1, zoom));
  }

  down(event) {
    if (event.button) return;
    this.slipped = false;
    this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY, fromX: event.clientX, fromY: event.clientY });
  }

  move(event) {
    const pointer = this.pointers.get(event.pointerId);
    if (!pointer) return;
    const others = [...this.pointers].filter(([id]) => id !== event.pointerId).map(([, other]) => other);
    const before = { x: pointer.x, y: pointer.y };
    if (!this.slipped && !others.length && Math.hypot(event.clientX - pointer.fromX, event.clientY - pointer.fromY) < SLIP_PX) return;
    if (!this.slipped) this.frame.setPointerCapture(event.pointerId);
    this.slipped = true;
    [pointer.x, pointer.y] = [event.clientX, event.clientY];
    if (others.length) {
      const [other] = others;
      const spread = (point) => Math.hypot(point.x - other.x, point.y - other.y);
      this.zoomAt(spread(pointer) / Math.max(1, spread(before)), (pointer.x + other.x) / 2, (pointer.y + other.y) / 2);
    }
    const share = others.length ? 0.5 : 1;
    this.pan((pointer.x - before.x) * share, (pointer.y - before.y) * share);
  }

  pan(dx, dy) {
    this.x -= (dx * this.unit) / this.zoom;
    this.y -= (dy * this.unit) / this.zoom;
    this.follow();
  }

  /** Zooms by a factor around a point of the window (default: the middle of the frame). */
  zoomAt(factor, clientX, clientY) {
    const frame = this.frame.getBoundingClientRect();
    const [px, py] = [(clientX ?? frame.left + frame.width / 2) - frame.left, (clientY ?? frame.top + frame.height / 2) - frame.top];
    const zoom = this.limited(this.zoom * factor);
    this.x += px * this.unit * (1 / this.zoom - 1 / zoom);
    this.y += py * this.unit * (1 / this.zoom - 1 / zoom);
    this.zoom = zoom;
    this.follow();
  }

  fit() {
    this.zoom = 1;
    this.follow();
  }

  /** Shows a part of the drawing: all of it where that leaves details of `leastPx`, else its upper middle. */
  show({ x, y, width, height }, leastPx) {
    const { clientWidth, clientHeight } = this.frame;
    const whole = Math.min((clientWidth * this.unit) / width, (clientHeight * this.unit) / height);
    this.zoom = this.limited(Math.max(whole, (leastPx * this.unit) / this.detail));
    const [seenWidth, seenHeight] = this.extent();
    this.x = x + width / 2 - seenWidth / 2;
    this.y = seenHeight < height ? y : y + height / 2 - seenHeight / 2;
    this.follow();
  }

  /** Brings a point of the drawing into view, moving no more than needed. */
  reveal(x, y, margin) {
    const [width, height] = this.extent();
    if (x - margin < this.x || x + margin > this.x + width) this.x = x - width / 2;
    if (y - margin < this.y || y + margin > this.y + height) this.y = y - height / 2;
    this.follow();
  }

  extent() {
    return [(this.frame.clientWidth * this.unit) / this.zoom, (this.frame.clientHeight * this.unit) / this.zoom];
  }

  keepInside() {
    const [width, height] = this.extent();
    const { box } = this;
    const keep = (value, from, size, seen) => (seen >= size ? from - (seen - size) / 2 : Math.min(from + size - seen, Math.max(from, value)));
    this.x = keep(this.x, box.x, box.width, width);
    this.y = keep(this.y, box.y, box.height, height);
  }

  follow() {
    this.keepInside();
    if (this.drawn) {
      const scale = this.zoom / this.drawn.zoom;
      const pixels = this.zoom / this.unit;
      this.drawing.style.transform = `translate(${(this.drawn.x - this.x) * pixels}px, ${(this.drawn.y - this.y) * pixels}px) scale(${scale})`;
    }
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.rest(), REST_MS);
  }

  rest() {
    clearTimeout(this.resting);
    if (!this.frame.clientWidth) return;
    this.keepInside();
    const [width, height] = this.extent();
    this.drawing.setAttribute('viewBox', `${this.x} ${this.y} ${width} ${height}`);
    this.drawing.style.transform = '';
    this.drawn = { zoom: this.zoom, x: this.x, y: this.y };
    this.frame.classList.toggle('zoomed', this.zoom > 1.01);
    this.onrest({ scale: this.zoom / this.unit, x: this.x, y: this.y, width, height });
  }
}
