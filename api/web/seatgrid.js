// Where seats are, by squares of the plan: what lies in a rectangle and what is nearest to a finger, whatever the hall's size.

const SEATS_A_SQUARE = 8;

export class SeatGrid {
  constructor({ count, x, y, box }) {
    Object.assign(this, { x, y, box });
    this.side = Math.max(1, Math.sqrt((box.width * box.height * SEATS_A_SQUARE) / Math.max(1, count)));
    this.columns = Math.ceil(box.width / this.side) + 1;
    this.lines = Math.ceil(box.height / this.side) + 1;
    // Squares one after the other in one column of numbers: `seats` from `starts[square]` to `starts[square + 1]`.
    const starts = this.starts = new Int32Array(this.columns * this.lines + 1);
    const seats = this.seats = new Int32Array(count);
    for (let n = 0; n < count; n += 1) starts[this.square(x[n], y[n]) + 1] += 1;
    for (let at = 1; at < starts.length; at += 1) starts[at] += starts[at - 1];
    const next = starts.slice();
    for (let n = 0; n < count; n += 1) seats[next[this.square(x[n], y[n])]++] = n;
  }

  column(x) {
    return Math.min(this.columns - 1, Math.max(0, Math.floor((x - this.box.x) / this.side)));
  }

  line(y) {
    return Math.min(this.lines - 1, Math.max(0, Math.floor((y - this.box.y) / this.side)));
  }

  square(x, y) {
    return this.line(y) * this.columns + this.column(x);
  }

  /** Calls `each(n)` for every seat whose middle lies in a rectangle. */
  within(left, top, right, bottom, each) {
    const [from, to] = [this.column(left), this.column(right)];
    for (let line = this.line(top); line <= this.line(bottom); line += 1) {
      const base = line * this.columns;
      for (let at = this.starts[base + from]; at < this.starts[base + to + 1]; at += 1) {
        const n = this.seats[at];
        if (this.x[n] >= left && this.x[n] <= right && this.y[n] >= top && this.y[n] <= bottom) each(n);
      }
    }
  }

  /** The seat nearest to a point within a reach; null where there is none. */
  nearest(x, y, reach) {
    let [best, least] = [null, reach];
    this.within(x - reach, y - reach, x + reach, y + reach, (n) => {
      const far = Math.hypot(this.x[n] - x, this.y[n] - y);
      if (far <= least) [best, least] = [n, far];
    });
    return best;
  }
}
