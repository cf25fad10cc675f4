// Where a visitor may be sent back to: what a house allows, read as a browser reads it, and nothing that only looks so.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { isAllowedReturn } from '../../api/web/returning.js';

const { cases } = JSON.parse(readFileSync(new URL('../vectors/returns.json', import.meta.url)));

for (const { allowed, address, is_allowed: isAllowed } of cases) {
  test(`${address || 'nothing'} ${isAllowed ? 'is' : 'is not'} ${allowed}`, () => {
    assert.equal(URL.canParse(address) && isAllowedReturn(address, allowed), isAllowed);
  });
}

test('steps up and down are taken before an address is compared', () => {
  assert.ok(isAllowedReturn('https://www.zeewind.example/a/../tickets/b', 'https://www.zeewind.example/tickets'));
});
