// How long a wait will be, and how often to ask meanwhile: arithmetic only, no page and no clock.

const ENDED = ['sold_out', 'closed'];
/** Who waits for nothing need not know within the second. */
const DONE_MS = 15_000;
/** Whose turn it is, or who waits for the house itself, needs no hurry. While the last seats go, the table has everybody ask sooner than that, seen or not. */
const CALM = ['turn', 'full', 'paused'];
const CALM_MS = 2400;
const OPENING_SPREAD_MS = 2500;
const BACK_SPREAD_MS = 1500;

/** The status as whoever stands in another line sees it, in the public one's stead; seen so once, it stays so. */
export function seenFrom(status, line) {
  const own = status.lines[line];
  if (!own?.draw) return status;
  const { phase, lines } = status;
  return { ...status, ...own, phase: ['paused', ...ENDED].includes(phase) ? phase : own.phase, lines: { ...lines, public: own, [line]: lines.public } };
}

/** The published interval for someone with so many ahead: the last entry that is not beyond them; the first is beyond nobody. */
export function pollAfterMs(policy, ahead) {
  return policy?.filter((entry) => entry.ahead <= ahead).at(-1)?.after_ms ?? 5000;
}

/** The people let in a minute, as seen for at least a minute, else as published. `line`: of the public status. */
export function pace({ per_minute: perMinute, measured }) {
  return Math.round(measured?.minutes >= 1 ? measured.per_minute : perMinute);
}

/**
 * How long the wait will be, honestly: [least, most] in minutes, `most` null where nobody can tell, and null while
 * nothing can be said. The published pace is what the house means to do, what was seen is what it did: the band covers
 * both, and is the wider the shorter the line was watched.
 */
export function waitBand(ahead, { per_minute: perMinute, measured }) {
  const paces = [perMinute, measured?.per_minute ?? perMinute];
  if (ahead <= 0 || Math.max(...paces) <= 0) return null;
  const doubt = 0.15 + 0.6 / (1 + (measured?.minutes ?? 0));
  const least = roundTo(Math.floor, ahead / Math.max(...paces) / (1 + doubt));
  if (Math.min(...paces) <= 0) return [Math.max(1, least), null];
  const most = roundTo(Math.ceil, (ahead / Math.min(...paces)) * (1 + doubt));
  return [least, Math.max(most, least + 1)];
}

/** Minutes in steps that promise no more than is known: single ones, fives, quarters, then whole hours. */
function roundTo(round, minutes) {
  const step = minutes < 10 ? 1 : minutes < 60 ? 5 : minutes < 180 ? 15 : 60;
  return round(minutes / step) * step;
}

/** When to try again after so many failures, half a minute at most: never sooner than one would have asked, so that no outage ends in a rush. */
export function retryAfterMs({ failures, askedMs = 0, intervalMs = 0, chance }) {
  return Math.max(askedMs, intervalMs, Math.min(30_000, 1500 * 2 ** failures)) * (0.75 + chance);
}

/** After a tunnel everybody on the train is back at once: they ask spread over most of their interval. */
export function backAfterMs({ intervalMs = 0, chance }) {
  return chance * Math.max(BACK_SPREAD_MS, intervalMs / 1.5);
}

/**
 * When to ask again. The house's table says how often at most; whoever waits for nothing soon asks less, a page that
 * nobody looks at too, but no less than whoever is farthest away, nor so seldom that a turn (`turnMs` long) could pass
 * unseen. `untilNextMs`: to the next start, of the queue or of the sales, 0 when it is past; it is aimed at just behind it.
 * `chance`: 0 to 1, so that a crowd does not breathe in step.
 */
export function askAfterMs({ status, situation, ahead, untilNextMs, turnMs, isHidden, chance }) {
  const { poll, lines: { public: line } } = status;
  const seldomMs = pollAfterMs(poll, Infinity);
  let afterMs = pollAfterMs(poll, ahead ?? Math.max(0, line.joined - line.now_serving));
  if (['scheduled', 'prequeue'].includes(status.phase)) afterMs = Math.max(afterMs, Math.min(30_000, untilNextMs / 20));
  else if (CALM.includes(situation)) afterMs = Math.max(afterMs, Math.min(seldomMs, CALM_MS));
  else if (situation === 'shopping' || ENDED.includes(status.phase)) afterMs = Math.max(afterMs, DONE_MS);
  if (isHidden) afterMs = Math.max(afterMs, Math.min(3 * afterMs, seldomMs, turnMs / 20));
  afterMs *= 0.75 + chance / 2;
  return untilNextMs && afterMs > untilNextMs ? untilNextMs + 300 + chance * OPENING_SPREAD_MS : afterMs;
}
