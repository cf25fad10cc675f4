// What chance somebody who waits has of seats, from public numbers alone: the same as `api/chance.py`, which says why.

import { waitingIn } from './leaps.js';

const [ASSUMED, COME, BUY, SEATS, OWN_SEATS, SPREAD, UNFORESEEN] = [10, 0.85, 0.75, 2.2, 2, 0.6, 0.06];
const [LIKELY, VERY_UNLIKELY] = [-0.2, -1.8];

/** How many of other lines are called until so many of the public line are. */
function othersBefore(ahead, lines) {
  const pace = Math.max(1, lines.public.per_minute);
  return Object.entries(lines).filter(([name]) => name !== 'public').reduce((sum, [, line]) =>
    sum + Math.min(waitingIn(line), (ahead * line.per_minute) / pace), 0);
}

/** `likely`, `unlikely` or `very_unlikely`. `seatsLeft`: open, or held by somebody who has not paid yet. */
export function chanceOf(ahead, lines, seatsLeft, seen) {
  const finished = Math.max(0, seen.admitted - seen.inside);
  const come = Math.min(1, (seen.admitted + ASSUMED * COME) / (seen.called + ASSUMED));
  const buy = Math.min(1, (seen.orders + ASSUMED * BUY) / (finished + ASSUMED));
  const seats = (seen.orders * seen.seats_a_visitor + ASSUMED * SEATS) / (seen.orders + ASSUMED);
  const waiting = seen.at_door + ahead + othersBefore(ahead, lines);
  const taken = (seen.inside + waiting * come) * buy * seats;
  const one = (share, count) => count * share * (seats * seats + SPREAD * seats - share * seats * seats);
  const unsure = (1 - come) / (come * (seen.called + ASSUMED)) + (1 - buy) / (buy * (finished + ASSUMED))
    + SPREAD / (seats * (seen.orders + ASSUMED)) + UNFORESEEN * UNFORESEEN;
  const spread = Math.sqrt(one(buy, seen.inside) + one(come * buy, waiting) + taken * taken * unsure + 1);
  const score = (seatsLeft - taken - OWN_SEATS) / spread;
  return score >= LIKELY ? 'likely' : score <= VERY_UNLIKELY ? 'very_unlikely' : 'unlikely';
}
