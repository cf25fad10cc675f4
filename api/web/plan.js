// A seating plan (pretix's format with our extension) as the pages need it: columns of numbers instead of an object a
// seat, in one coordinate system, so that a stadium is read and looked through on an old phone.

const MARGIN = 12;
const PLAIN = '#6f7785';
const SHAPES = ['polygon', 'rectangle', 'ellipse', 'circle', 'text'];
const BREATH_MS = 8;
const SEATS_A_LOOK = 256;

const sum = (...positions) => ({
  x: positions.reduce((total, position) => total + (position?.x ?? 0), 0),
  y: positions.reduce((total, position) => total + (position?.y ?? 0), 0),
});

/** Where a performance's plan is: each has an address of its own, which may be kept for ever. */
export const planPath = (house, performance, change) => `/v1/houses/${house}/performances/${performance}/plan${change ? `/${change}` : ''}`;

/** Lets the page draw and answer before long work goes on. */
export const breathe = () => new Promise((resolve) => { setTimeout(resolve); });

function readShape(area, at) {
  const kind = SHAPES.includes(area.shape) ? area.shape : 'text';
  const shape = {
    kind, at, detail: area[kind] ?? {}, rotation: area.rotation ?? 0,
    color: area.color, border: area.border_color, text: area.text?.text ? area.text : null,
  };
  return { ...shape, corners: cornersOf(shape) };
}

/** Where a text goes that was given no place of its own: the middle of its shape. */
export function middleOf({ kind, detail }) {
  if (kind === 'rectangle') return { x: detail.width / 2, y: detail.height / 2 };
  if (kind !== 'polygon' || !detail.points?.length) return { x: 0, y: 0 };
  const points = sum(...detail.points);
  return { x: points.x / detail.points.length, y: points.y / detail.points.length };
}

function cornersOf({ kind, at, detail }) {
  if (kind === 'polygon') return (detail.points ?? []).map((point) => sum(at, point));
  if (kind === 'rectangle') return [at, sum(at, { x: detail.width, y: detail.height })];
  const [rx, ry] = kind === 'circle' ? [detail.radius, detail.radius] : [detail.radius?.x ?? 0, detail.radius?.y ?? 0];
  return [sum(at, { x: -rx, y: -ry }), sum(at, { x: rx, y: ry })];
}

/** A box that grows to what it is shown. */
class Box {
  constructor() {
    [this.left, this.top, this.right, this.bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  }

  take(x, y, dx, dy) {
    this.left = Math.min(this.left, x - dx);
    this.right = Math.max(this.right, x + dx);
    this.top = Math.min(this.top, y - dy);
    this.bottom = Math.max(this.bottom, y + dy);
  }

  rectangle(size) {
    if (this.left > this.right) return { x: 0, y: 0, width: size?.width ?? 100, height: size?.height ?? 100 };
    return { x: this.left, y: this.top, width: Math.max(1, this.right - this.left), height: Math.max(1, this.bottom - this.top) };
  }
}

const countSeats = (document) => document.zones.reduce((total, zone) => total + (zone.rows ?? []).reduce((seats, row) => seats + row.seats.length, 0), 0);

/** Letters for categories: A to Z, then AA and so on. */
const letterOf = (at) => (at < 26 ? String.fromCharCode(65 + at) : letterOf(Math.floor(at / 26) - 1) + letterOf(at % 26));

/**
 * Columns with a place for each of `count` seats, in plan order (the order of the letters in the seats document):
 * `ids numbers x y radius row category isWheelchair`. `rows` are {name, zone, seats: n from left to right}, `zones`
 * {name, rows, box}; `shapes` to draw beneath, `labels` of rows, `areas` to stand in, `box` around it all, `n(id)`;
 * `unitOf(n)`: what is only sold together with a seat; `isBay(n)`: with a place for a wheelchair; `hasStairs`: some of it is reached without stairs, some is not.
 */
export async function readPlan(document) {
  const count = countSeats(document);
  const plan = {
    count, ids: new Array(count), numbers: new Array(count), x: new Float32Array(count), y: new Float32Array(count), radius: new Float32Array(count),
    row: new Int32Array(count), category: new Uint8Array(count), isWheelchair: new Uint8Array(count),
    rows: [], zones: [], shapes: [], labels: [], areas: document.parvis?.areas ?? [],
    categories: document.categories.map(({ name, color }, at) => ({ name, color: color || PLAIN, letter: letterOf(at) })),
  };
  const access = document.parvis?.access ?? {};
  const categories = new Map(plan.categories.map(({ name }, at) => [name, at]));
  const zones = new Map();
  const all = new Box();
  let [n, looked, workedSince] = [0, 0, performance.now()];
  for (const drawn of document.zones) {
    const name = drawn.name ?? '';
    if (!zones.has(name)) zones.set(name, { name, rows: [], box: new Box() });
    const zone = zones.get(name);
    plan.shapes.push(...(drawn.areas ?? []).map((area) => readShape(area, sum(drawn.position, area.position))));
    for (const row of drawn.rows ?? []) {
      const first = n;
      const at = sum(drawn.position, row.position);
      for (const seat of row.seats) {
        plan.ids[n] = seat.seat_guid;
        plan.numbers[n] = String(seat.seat_number ?? '');
        plan.x[n] = at.x + (seat.position?.x ?? 0);
        plan.y[n] = at.y + (seat.position?.y ?? 0);
        const radius = plan.radius[n] = seat.radius ?? 10;
        plan.row[n] = plan.rows.length;
        plan.category[n] = categories.get(seat.category) ?? 0;
        plan.isWheelchair[n] = (access[seat.seat_guid] ?? []).includes('wheelchair') ? 1 : 0;
        all.take(plan.x[n], plan.y[n], 3 * radius, 2 * radius);
        zone.box.take(plan.x[n], plan.y[n], 3 * radius, 2 * radius);
        n += 1;
      }
      if (n > first) readRow(plan, zone, row, first, n);
      if (n - looked > SEATS_A_LOOK) {
        looked = n;
        if (performance.now() - workedSince > BREATH_MS) {
          await breathe();
          workedSince = performance.now();
        }
      }
    }
  }
  plan.shapes.flatMap(({ corners }) => corners).forEach(({ x, y }) => all.take(x, y, MARGIN, MARGIN));
  plan.zones = [...zones.values()].filter((zone) => zone.rows.length).map((zone) => ({ ...zone, box: zone.box.rectangle() }));
  plan.rows.forEach((row) => { row.zone = plan.zones.findIndex(({ name }) => name === row.zone); });
  plan.box = all.rectangle(document.size);
  plan.hasStairs = Boolean(document.parvis?.without_stairs);
  const units = new Map((document.parvis?.units ?? []).flatMap((unit) => unit.seats.map((seat) => [seat, unit])));
  plan.unitOf = (n) => (units.get(plan.ids[n])?.seats ?? [plan.ids[n]]).map(plan.n);
  plan.isBay = (n) => units.get(plan.ids[n])?.kind === 'wheelchair';
  let places = null;
  plan.n = (id) => {
    places ??= new Map(plan.ids.map((each, at) => [each, at]));
    return places.get(id);
  };
  return plan;
}

function readRow(plan, zone, { row_number: number, row_number_position: where }, first, end) {
  const seats = Int32Array.from({ length: end - first }, (_, at) => first + at);
  const name = String(number ?? '');
  if (['start', 'both'].includes(where)) plan.labels.push(labelBeside(plan, name, first, end - first > 1 ? first + 1 : null, -1));
  if (['end', 'both'].includes(where)) plan.labels.push(labelBeside(plan, name, end - 1, end - first > 1 ? end - 2 : null, 1));
  if (plan.x[first] > plan.x[end - 1]) seats.reverse();
  zone.rows.push(plan.rows.length);
  plan.rows.push({ name, zone: zone.name, seats });
}

/** A row's label just beyond its end seat, in the row's own direction; a row of one seat has it at the side. */
function labelBeside(plan, text, end, neighbour, side) {
  const [x, y, size] = [plan.x[end], plan.y[end], plan.radius[end]];
  const [dx, dy] = neighbour === null ? [side, 0] : [x - plan.x[neighbour], y - plan.y[neighbour]];
  const reach = (2.2 * size) / (Math.hypot(dx, dy) || 1);
  return { x: x + dx * reach, y: y + dy * reach, text, size };
}

const zoneOf = (plan, n) => plan.zones[plan.rows[plan.row[n]].zone]?.name ?? '';

/** "Stalls, row C, seat 14" in the reader's language. */
export function nameSeat(plan, id, words) {
  const n = plan.n(id);
  if (n === undefined) return id;
  const row = plan.rows[plan.row[n]].name;
  const seat = plan.numbers[n];
  return [zoneOf(plan, n), row ? words.say('row_seat', { row, seat }) : words.say('only_seat', { seat })].filter(Boolean).join(', ');
}

/** "Stalls, row C, seats 14, 15, 16" for several; seats of more rows are named one by one. */
export function nameSeats(plan, ids, words) {
  const seats = ids.map(plan.n);
  const rows = new Set(seats.map((n) => plan.row[n]));
  if (seats.length < 2 || rows.size > 1 || seats.includes(undefined)) return ids.map((id) => nameSeat(plan, id, words)).join('; ');
  const named = words.say('row_seats', { row: plan.rows[plan.row[seats[0]]].name, seats: seats.map((n) => plan.numbers[n]).join(', ') });
  return [zoneOf(plan, seats[0]), named].filter(Boolean).join(', ');
}

/** "Standing – Floor"; an area that is called no more than that is named once. */
export function nameArea(plan, id, words) {
  const name = plan?.areas.find((area) => area.id === id)?.name ?? id;
  const standing = words.say('standing');
  return name.toLowerCase() === standing.toLowerCase() ? name : `${standing} – ${name}`;
}
