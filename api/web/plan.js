// A seating plan (pretix's format with our extension) as the pages need it: flat lists in one coordinate system.

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

/** Standing areas of the extension, whether it lists them or names them. */
function readAreas(extension) {
  const given = extension?.areas ?? [];
  const listed = Array.isArray(given) ? given : Object.entries(given).map(([id, area]) => ({ id, ...area }));
  return listed.filter((area) => area.capacity).map((area) => ({
    id: area.id ?? area.area, name: area.name ?? area.id ?? area.area, category: area.category, capacity: area.capacity,
  }));
}

/** Which seats are for wheelchairs, by the extension's access flags. */
function readAccess(extension) {
  const given = extension?.access ?? extension?.seats ?? {};
  return new Map(Object.entries(given).map(([seat, flags]) => [seat, [flags?.access ?? flags].flat()]));
}

/**
 * `seats` in plan order (the order of the letters in the seats document), `rows` from left to right,
 * `shapes` to draw beneath, `labels` of rows, `areas` to stand in, `box` around it all.
 */
export function readPlan(document) {
  const [seats, rows, shapes, labels, zones] = [[], [], [], [], []];
  const access = readAccess(document.parvis);
  for (const zone of document.zones) {
    if (zone.name) zones.push(zone.name);
    for (const area of zone.areas ?? []) shapes.push(readShape(area, sum(zone.position, area.position)));
    for (const row of zone.rows) {
      const mine = [];
      for (const seat of row.seats) {
        const at = sum(zone.position, row.position, seat.position);
        const n = seats.length;
        mine.push(n);
        seats.push({
          n, id: seat.seat_guid, x: at.x, y: at.y, radius: seat.radius ?? 10, row: rows.length,
          zone: zone.name ?? '', rowName: String(row.row_number ?? ''), number: String(seat.seat_number ?? ''),
          category: seat.category, isWheelchair: (access.get(seat.seat_guid) ?? []).some((flag) => String(flag).includes('wheelchair')),
        });
      }
      mine.sort((a, b) => seats[a].x - seats[b].x || seats[a].y - seats[b].y);
      if (!mine.length) continue;
      const [first, last] = [seats[mine[0]], seats[mine.at(-1)]];
      const where = row.row_number_position ?? 'none';
      if (['start', 'both'].includes(where)) labels.push({ x: first.x - 2.4 * first.radius, y: first.y, text: row.row_number, size: first.radius });
      if (['end', 'both'].includes(where)) labels.push({ x: last.x + 2.4 * last.radius, y: last.y, text: row.row_number, size: last.radius });
      rows.push({ name: String(row.row_number ?? ''), zone: zone.name ?? '', seats: mine });
    }
  }
  const ids = new Map(seats.map((seat) => [seat.id, seat]));
  return { seats, rows, shapes, labels, zones, ids, categories: document.categories, areas: readAreas(document.parvis), box: boxAround(seats, shapes, document.size) };
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
    ...shapes.flatMap(cornersOf),
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
