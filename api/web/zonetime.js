// A date and time as somebody types it, meant where the house is, whatever zone their own device is in.

const PARTS = { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' };
const A_DAY_MS = 86_400_000;

/** How an instant (milliseconds since 1970) is typed in a zone: `2026-11-27T20:00`. */
export function typedIn(zone, ms) {
  const found = Object.fromEntries(new Intl.DateTimeFormat('en-CA', { ...PARTS, timeZone: zone }).formatToParts(ms).map(({ type, value }) => [type, value]));
  return `${found.year.padStart(4, '0')}-${found.month}-${found.day}T${found.hour}:${found.minute}`;
}

/** All that are typed so in a zone, in milliseconds: two in the hour that comes twice, none in the one that is skipped. */
function instantsOf(zone, typed) {
  const asUtc = Date.parse(`${typed}:00Z`);
  if (Number.isNaN(asUtc)) return [];
  // By what the zone is ahead a day before and a day after: between them its clock changes once at most.
  const found = [-A_DAY_MS, A_DAY_MS].map((away) => 2 * asUtc + away - Date.parse(`${typedIn(zone, asUtc + away)}:00Z`));
  return [...new Set(found)].filter((ms) => typedIn(zone, ms) === typed).sort((one, other) => one - other);
}

/** The instant that is typed so in a zone; of two the first that is still to come, after which `sayMoment` tells them apart. Null for a time that does not exist there. */
export function instantIn(zone, typed, now = Date.now()) {
  const found = instantsOf(zone, typed);
  const ms = found.find((each) => each > now) ?? found.at(-1);
  return ms === undefined ? null : new Date(ms).toISOString();
}

/** `words.moment` for whoever sets the time: in the hour that comes twice it names which, as `CEST` or `CET`. */
export function sayMoment(words, instant) {
  if (instantsOf(words.zone, typedIn(words.zone, Date.parse(instant))).length < 2) return words.moment(instant);
  const time = words.format(instant, { hour: '2-digit', minute: '2-digit', hour12: false, timeZone: words.zone, timeZoneName: 'short' });
  return words.say('date_at_time', { date: words.date(instant), time });
}
