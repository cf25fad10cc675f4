// Where a visitor may be sent back to: what a house allows, and nothing that only looks so.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { isAllowedReturn } from '../../api/web/returning.js';

const { cases } = JSON.parse(readFileSync(new URL('../vectors/returns.json', import.meta.url)));

for (const { allowed, address, is_allowed: isAllowed } of cases) {
  test(`${address || 'nothing'} ${isAllowed ? 'is' : 'is not'} ${allowed}`, () => {
    assert.equal(isAllowedReturn(address, allowed), isAllowed);
    // What is allowed is where the browser then goes: it reads the same host in it.
    if (isAllowed) assert.equal(new URL(address).origin, new URL(allowed).origin);
  });
}
