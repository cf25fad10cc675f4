// Numbers that a recovery leapt over are nobody's: the same as `engine/leaps.py`, which says why.

/** How many of those whom a line (of the public status) still calls before a position are nobody. */
export function nobodiesBefore(position, { now_serving: served, leaps = [] }) {
  return Math.round(leaps.reduce((sum, [first, behind, nobodies]) =>
    sum + (Math.max(0, Math.min(position, behind) - Math.max(first, served)) * nobodies) / (behind - first), 0));
}

/** How many wait in a line. */
export const waitingIn = (line) => Math.max(0, line.joined - line.now_serving - nobodiesBefore(line.joined, line));
