// What stays in a basket when the house says that a hold of it has ended.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Basket } from '../../api/web/basket.js';

const hold = (name, ms) => ({ hold: name, items: [], total: 0, expires_at: new Date(Date.now() + ms).toISOString() });

/** A basket of these holds, of which the house says when they are paid that one has ended. */
async function afterPaying(holds) {
  const kept = { basket: holds, attempt: { key: 'k', body: { holds: holds.map((each) => each.hold) }, summary: {} } };
  const memory = { kept, keep: (more) => Object.assign(kept, more) };
  const basket = new Basket({ house: 'zeewind', memory, bearer: () => 'pass', onchange() {} });
  assert.equal(basket.holds.length, holds.length);
  for (const each of holds) if (each.endsEarly) each.expires_at = new Date(Date.now() - 1).toISOString();
  globalThis.fetch = async () =>
    new Response(JSON.stringify({ type: '/problems/hold-ended', title: 'ended', status: 410 }), {
      status: 410,
      headers: { 'content-type': 'application/problem+json' },
    });
  await assert.rejects(basket.resume(), { slug: 'hold-ended' });
  return { stays: basket.holds.map((each) => each.hold), ended: basket.ended.map((each) => each.hold) };
}

test('a hold that has run out goes, and the others stay', async () => {
  const found = await afterPaying([{ ...hold('gone', 60_000), endsEarly: true }, hold('alive', 60_000)]);
  assert.deepEqual(found, { stays: ['alive'], ended: ['gone'] });
});

test('where no clock says which it was, all that were to be paid go', async () => {
  const found = await afterPaying([hold('one', 60_000), hold('two', 60_000)]);
  assert.deepEqual(found, { stays: [], ended: ['one', 'two'] });
});
