// However far away somebody waits, and whether they look or not, they know within five seconds of the last order that all is
// sold: the end is announced by the policy before it comes (`poll_policy` in `api/told.py`), and everybody has heard of that by then.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ENDING, waitingCrowd } from './crowd.mjs';

/** `LONGEST_SECONDS` of `api/told.py`: so long before it could come, at least. */
const ANNOUNCED_MS = 25_000;
const AT_MOST_MS = 5000;
/** `SWEEP_SECONDS` and `LOOK_SECONDS` of `engine/keeper.py`: so long the last seat may be sold before the house sees that all are. */
const SEEN_MS = 1000 + 250;

test('whoever waits knows within five seconds that all is sold', async (t) => {
  const { clock, server, lines } = await waitingCrowd(t);
  const told = new Map();
  for (const line of lines) line.onchange = ({ phase }) => { if (phase === 'sold_out' && !told.has(line)) told.set(line, clock.nowMs); };
  server.policy = ENDING;
  await clock.turn(ANNOUNCED_MS + 2000);
  const soldMs = clock.nowMs;
  await clock.turn(SEEN_MS);
  server.phase = 'sold_out';
  await clock.turn(30_000);
  const latest = Math.max(...told.values()) - soldMs;
  t.diagnostic(`${told.size} of ${lines.length} pages were told, the last of them after ${latest} ms`);
  assert.equal(told.size, lines.length);
  assert.ok(lines.filter((line) => line.isHidden).length > lines.length / 4);
  assert.ok(latest <= AT_MOST_MS, `${latest} ms`);
});

test('without the announcement, those far away would not', async (t) => {
  const { clock, server, lines } = await waitingCrowd(t);
  server.phase = 'sold_out';
  await clock.turn(AT_MOST_MS);
  assert.ok(lines.some((line) => line.status.phase !== 'sold_out'));
});
