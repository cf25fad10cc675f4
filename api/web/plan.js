// A seating plan (pretix's format with our extension) as the pages need it: flat lists in one coordinate system.

const MARGIN = 12;
const PLAIN = '#6f7785';
const SHAPES = ['polygon', 'rectangle', 'ellipse', 'circle', 'text'];

const sum = (...positions) => ({
  x: positions.reduce((total, position) => total + (position?.x ?? 0), 0),
  y: positions.reduce((total, position) => total + (position?.y ?? 0), 0),
});

function readShape(area, at) {
  const kind = SHAPES.includes(area.shape) ? area.shape : 'text';
  return {
    kind, at, detail: area[kind] ?? {}, rotation: area.rotation ?? 0,
    color: area.color, border: area.border_color, text: area.text?.text ? area.text : null,
  };
}

/** Where a text goes that was given no place of its own: the middle of its shape. */
export function middleOf({ kind, detail }) {
  if (kind === 'rectangle') return { x: detail.width / 2, y: detail.height / 2 };
  if (kind !== 'polygon' || !detail.points?.length) return { x: 0, y: 0 };
  const points = sum(...detail.points);
  return { x: points.x / detail.points.length, y: points.y / detail.points.length };
}

/** A row's label just beyond its end seat, in the row's own direction; a row of one seat has it at the side. */
function labelBeside(end, neighbour, side) {
  const [dx, dy] = neighbour ? [end.x - neighbour.x, end.y - neighbour.y] : [side, 0];
  const reach = (2.2 * end.radius) / (Math.hypot(dx, dy) || 1);
  return { x: end.x + dx * reach, y: end.y + dy * reach, text: end.rowName, size: end.radius };
}

/**
 * `seats` in plan order (the order of the letters in the seats document), `rows` with their seats from left to right,
 * `shapes` to draw beneath, `labels` of rows, `areas` to stand in, `box` around it all, `levels` that have a name, with theirs.
 */
export function readPlan(document) {
  const [seats, rows, shapes, labels] = [[], [], [], []];
  const { access = {}, areas = [] } = document.parvis ?? {};
  for (const zone of document.zones) {
    for (const area of zone.areas ?? []) shapes.push(readShape(area, sum(zone.position, area.position)));
    for (const row of zone.rows ?? []) {
      const mine = [];
      for (const seat of row.seats) {
        const at = sum(zone.position, row.position, seat.position);
        const n = seats.length;
        mine.push(n);
        seats.push({
          n, id: seat.seat_guid, x: at.x, y: at.y, radius: seat.radius ?? 10, row: rows.length,
          zone: zone.name ?? '', rowName: String(row.row_number ?? ''), number: String(seat.seat_number ?? ''),
          category: seat.category, isWheelchair: (access[seat.seat_guid] ?? []).includes('wheelchair'),
        });
      }
      if (!mine.length) continue;
      const ordered = mine.map((n) => seats[n]);
      const where = row.row_number_position ?? 'none';
      if (['start', 'both'].includes(where)) labels.push(labelBeside(ordered[0], ordered[1], -1));
      if (['end', 'both'].includes(where)) labels.push(labelBeside(ordered.at(-1), ordered.at(-2), 1));
      if (ordered[0].x > ordered.at(-1).x) mine.reverse();
      rows.push({ name: String(row.row_number ?? ''), zone: zone.name ?? '', seats: mine });
    }
  }
  const ids = new Map(seats.map((seat) => [seat.id, seat]));
  const categories = document.categories.map(({ name, color }) => ({ name, color: color || PLAIN }));
  const names = [...new Set(seats.map((seat) => seat.zone))].filter(Boolean);
  const levels = names.map((name) => ({ name, box: boxAround(seats.filter((seat) => seat.zone === name), []) }));
  return { seats, rows, shapes, labels, ids, categories, areas, levels, box: boxAround(seats, shapes, document.size) };
}

function cornersOf({ kind, at, detail }) {
  if (kind === 'polygon') return (detail.points ?? []).map((point) => sum(at, point));
  if (kind === 'rectangle') return [at, sum(at, { x: detail.width, y: detail.height })];
  const [rx, ry] = kind === 'circle' ? [detail.radius, detail.radius] : [detail.radius?.x ?? 0, detail.radius?.y ?? 0];
  return [sum(at, { x: -rx, y: -ry }), sum(at, { x: rx, y: ry })];
}

function boxAround(seats, shapes, size) {
  const points = [
    ...seats.flatMap(({ x, y, radius }) => [{ x: x - 3 * radius, y: y - 2 * radius }, { x: x + 3 * radius, y: y + 2 * radius }]),
    ...shapes.flatMap(cornersOf).flatMap(({ x, y }) => [{ x: x - MARGIN, y: y - MARGIN }, { x: x + MARGIN, y: y + MARGIN }]),
  ];
  if (!points.length) return { x: 0, y: 0, width: size?.width ?? 100, height: size?.height ?? 100 };
  const [xs, ys] = [points.map((point) => point.x), points.map((point) => point.y)];
  const least = (values) => values.reduce((a, b) => Math.min(a, b));
  const most = (values) => values.reduce((a, b) => Math.max(a, b));
  const [x, y] = [least(xs), least(ys)];
  return { x, y, width: Math.max(1, most(xs) - x), height: Math.max(1, most(ys) - y) };
}

/** "Stalls, row C, seat 14" in the reader's language. */
export function nameSeat(plan, id, words) {
  const seat = plan.ids.get(id);
  if (!seat) return id;
  const row = seat.rowName ? words.say('row_seat', { row: seat.rowName, seat: seat.number }) : words.say('only_seat', { seat: seat.number });
  return [seat.zone, row].filter(Boolean).join(', ');
}

/** "Stalls, row C, seats 14, 15, 16" for several; seats of more rows are named one by one. */
export function nameSeats(plan, ids, words) {
  const seats = ids.map((id) => plan.ids.get(id));
  if (seats.length < 2 || seats.some((seat) => !seat || seat.row !== seats[0].row)) return ids.map((id) => nameSeat(plan, id, words)).join('; ');
  return [seats[0].zone, words.say('row_seats', { row: seats[0].rowName, seats: seats.map((seat) => seat.number).join(', ') })].filter(Boolean).join(', ');
}

/** "Standing – Floor"; an area that is called no more than that is named once. */
export function nameArea(plan, id, words) {
  const name = plan?.areas.find((area) => area.id === id)?.name ?? id;
  const standing = words.say('standing');
  return name.toLowerCase() === standing.toLowerCase() ? name : `${standing} – ${name}`;
}
