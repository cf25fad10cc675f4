// A date and time as somebody types it, meant where the house is, whatever zone their own device is in.

const PARTS = { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' };

/** How an instant (milliseconds since 1970) is typed in a zone: `2026-11-27T20:00`. */
export function typedIn(zone, ms) {
  const found = Object.fromEntries(new Intl.DateTimeFormat('en-CA', { ...PARTS, timeZone: zone }).formatToParts(ms).map(({ type, value }) => [type, value]));
  return `${found.year}-${found.month}-${found.day}T${found.hour}:${found.minute}`;
}

/** The instant that is typed so in a zone; null for a time that does not exist there, in the hour that is skipped. */
export function instantIn(zone, typed) {
  const asUtc = Date.parse(`${typed}:00Z`);
  // Twice: the zone is behind or ahead by what it is at the instant that is looked for, not at the first guess.
  let ms = asUtc;
  for (let again = 0; again < 2; again += 1) ms += asUtc - Date.parse(`${typedIn(zone, ms)}:00Z`);
  return typedIn(zone, ms) === typed ? new Date(ms).toISOString() : null;
}
