// The server's time, as well as a visitor's device can know it: a wrong clock on a phone must cost nobody a seat.

let offsetMs = null;

/**
 * Takes in a `server_time` that was just read. A cached answer is older than it looks, never newer, so the
 * furthest one seen is the truest.
 */
export function observe(serverTime) {
  const sampleMs = Date.parse(serverTime) - performance.now();
  if (Number.isFinite(sampleMs)) offsetMs = offsetMs === null ? sampleMs : Math.max(offsetMs, sampleMs);
}

/** Milliseconds since 1970 by the server's clock. */
export function nowMs() {
  return offsetMs === null ? Date.now() : performance.now() + offsetMs;
}

/** Milliseconds from now until an RFC 3339 instant, not below 0. */
export function untilMs(instant) {
  return Math.max(0, Date.parse(instant) - nowMs());
}
