// Where a visitor looks in a plan, and how they move there: drag, pinch, wheel with Ctrl, buttons. Measures are kept, so
// that a gesture asks the page for no layout; what is moved is told once a frame.

const REST_MS = 140;
const SLIP_PX = 6;
const LARGEST = 14;
const FINGER_PX = 44;

export class Zoom {
  /**
   * `detail`: the size of what is chosen, in the plan's units; zooming in goes on until a finger fits it.
   * `onmove()` once a frame while something moves, `onrest()` when it has come to rest or the frame has another size.
   */
  constructor({ frame, box, detail, onmove, onrest }) {
    Object.assign(this, { frame, box, detail, onmove, onrest, zoom: 1, x: box.x, y: box.y, pointers: new Map(), slipped: false, width: 0, height: 0 });
    frame.addEventListener('pointerdown', (event) => this.down(event));
    frame.addEventListener('pointermove', (event) => this.move(event));
    for (const name of ['pointerup', 'pointercancel', 'lostpointercapture']) frame.addEventListener(name, (event) => this.pointers.delete(event.pointerId));
    frame.addEventListener('click', (event) => { if (this.slipped) event.stopPropagation(); this.slipped = false; }, true);
    frame.addEventListener('wheel', (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      this.zoomAt(Math.exp(-event.deltaY / 300), ...this.pointOf(event));
    }, { passive: false });
    new ResizeObserver(() => this.resize()).observe(frame);
  }

  resize() {
    const [width, height] = [this.frame.clientWidth, this.frame.clientHeight];
    if (!width || !height || (width === this.width && height === this.height)) return;
    [this.width, this.height] = [width, height];
    this.rest();
  }

  /** Units of the plan per CSS pixel when everything fits. */
  get unit() {
    return Math.max(this.box.width / Math.max(1, this.width), this.box.height / Math.max(1, this.height));
  }

  /** CSS pixels per unit of the plan. */
  get scale() {
    return this.zoom / this.unit;
  }

  get isZoomed() {
    return this.zoom > 1.01;
  }

  /** A place of the window as one of the frame. */
  pointOf({ clientX, clientY }) {
    const corner = this.corner ?? this.frame.getBoundingClientRect();
    return [clientX - corner.left - this.frame.clientLeft, clientY - corner.top - this.frame.clientTop];
  }

  limited(zoom) {
    return Math.min(Math.max(LARGEST, (FINGER_PX * this.unit) / this.detail), Math.max(1, zoom));
  }

  down(event) {
    if (event.button) return;
    this.slipped = false;
    this.corner = this.frame.getBoundingClientRect();
    this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY, fromX: event.clientX, fromY: event.clientY });
  }

  move(event) {
    const pointer = this.pointers.get(event.pointerId);
    if (!pointer) return;
    const other = this.pointers.size > 1 ? [...this.pointers].find(([id]) => id !== event.pointerId)[1] : null;
    if (!this.slipped && !other && Math.hypot(event.clientX - pointer.fromX, event.clientY - pointer.fromY) < SLIP_PX) return;
    if (!this.slipped) this.frame.setPointerCapture(event.pointerId);
    this.slipped = true;
    const before = { x: pointer.x, y: pointer.y };
    [pointer.x, pointer.y] = [event.clientX, event.clientY];
    if (other) {
      const spread = (point) => Math.hypot(point.x - other.x, point.y - other.y);
      this.zoomAt(spread(pointer) / Math.max(1, spread(before)), ...this.pointOf({ clientX: (pointer.x + other.x) / 2, clientY: (pointer.y + other.y) / 2 }));
    }
    const share = other ? 0.5 : 1;
    this.pan((pointer.x - before.x) * share, (pointer.y - before.y) * share);
  }

  pan(dx, dy) {
    this.x -= dx / this.scale;
    this.y -= dy / this.scale;
    this.follow();
  }

  /** Zooms by a factor around a place in the frame (default: its middle). */
  zoomAt(factor, atX = this.width / 2, atY = this.height / 2) {
    const before = this.scale;
    this.zoom = this.limited(this.zoom * factor);
    this.x += atX * (1 / before - 1 / this.scale);
    this.y += atY * (1 / before - 1 / this.scale);
    this.follow();
  }

  fit() {
    this.zoom = 1;
    this.follow();
  }

  /** Shows a part of the plan: all of it where that leaves details of `leastPx`, else its upper middle. */
  show({ x, y, width, height }, leastPx, mostPx = Infinity) {
    const whole = Math.min(this.width / width, this.height / height) * this.unit;
    const ofSize = (px) => (px * this.unit) / this.detail;
    this.zoom = this.limited(Math.min(ofSize(mostPx), Math.max(whole, ofSize(leastPx))));
    const seenHeight = this.height / this.scale;
    this.x = x + width / 2 - this.width / this.scale / 2;
    this.y = seenHeight < height ? y : y + height / 2 - seenHeight / 2;
    this.follow();
  }

  keepInside() {
    const [width, height] = [this.width / this.scale, this.height / this.scale];
    const { box } = this;
    const keep = (value, from, size, seen) => (seen >= size ? from - (seen - size) / 2 : Math.min(from + size - seen, Math.max(from, value)));
    this.x = keep(this.x, box.x, box.width, width);
    this.y = keep(this.y, box.y, box.height, height);
  }

  follow() {
    this.isMoving = true;
    this.frameAsked ??= requestAnimationFrame(() => {
      this.frameAsked = null;
      if (!this.isMoving) return;
      this.keepInside();
      this.onmove();
    });
    this.restAt = performance.now() + REST_MS;
    this.resting ??= setTimeout(() => this.wait(), REST_MS);
  }

  /** One timer for a whole gesture. */
  wait() {
    const leftMs = this.restAt - performance.now();
    this.resting = leftMs > 1 ? setTimeout(() => this.wait(), leftMs) : null;
    if (!this.resting) this.rest();
  }

  rest() {
    clearTimeout(this.resting);
    this.resting = null;
    this.isMoving = false;
    this.corner = null;
    if (!this.width) return;
    this.keepInside();
    this.frame.classList.toggle('zoomed', this.isZoomed);
    this.onrest();
  }
}
