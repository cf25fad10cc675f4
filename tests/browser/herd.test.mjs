// C8: everybody reconnects at once, and the peak stays below three times what they ask in quiet.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ENDING, peak, USUAL, waitingCrowd } from './crowd.mjs';

const OUTAGES = [['a moment', 3000], ['a minute and a half', 90_000]];

for (const [which, policy] of [['as usual', USUAL], ['while the last seats go', ENDING]]) {
  for (const [length, ms] of OUTAGES) {
    test(`${which}, after ${length} without a network everybody is back in the same instant`, async (t) => {
      const { clock, server, lines, wakeAll } = await waitingCrowd(t);
      server.policy = policy;
      await clock.turn(30_000);
      const quietFromMs = clock.nowMs;
      await clock.turn(60_000);
      const steady = server.asked.filter((at) => at >= quietFromMs).length / 60;
      const goneMs = clock.nowMs;
      server.isDown = true;
      await clock.turn(ms);
      const cutOff = lines.filter((line) => !line.isConnected).length;
      server.isDown = false;
      const backMs = clock.nowMs;
      wakeAll();
      await clock.turn(40_000);
      const [during, after] = [peak(server.asked, goneMs, backMs), peak(server.asked, backMs, clock.nowMs)];
      t.diagnostic(`steady ${steady.toFixed(0)} a second, cut off ${cutOff}, peak meanwhile ${during}, peak after ${after}`);
      assert.ok(cutOff > 0, 'the outage bit');
      assert.equal(lines.filter((line) => !line.isConnected).length, 0, 'everybody is back');
      assert.ok(Math.max(during, after) <= 3 * steady, `${during} and ${after} against ${steady}`);
    });
  }
}
