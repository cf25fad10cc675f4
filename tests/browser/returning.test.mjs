// Where a visitor may be sent back to: what a house allows, read as a browser reads it, and nothing that only looks so.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { isAllowedReturn } from '../../api/web/returning.js';

const TICKETS = 'https://www.zeewind.example/tickets';

for (const address of [
  TICKETS,
  `${TICKETS}/`,
  `${TICKETS}/7?seat=a#top`,
  'HTTPS://WWW.ZEEWIND.EXAMPLE/tickets',
  'https://www.zeewind.example:443/tickets',
  'https://www.zeewind.example/a/../tickets/b',
]) {
  test(`${address} is allowed`, () => assert.ok(isAllowedReturn(address, TICKETS)));
}

for (const address of [
  'https://www.zeewind.example/',
  'https://www.zeewind.example/ticketshop',
  'https://www.zeewind.example/tickets/../admin',
  'https://www.zeewind.example/tickets/%2e%2e/admin',
  'http://www.zeewind.example/tickets',
  'https://www.zeewind.example:8443/tickets',
  'https://zeewind.example/tickets',
  'https://www.zeewind.example.evil.example/tickets',
  'https://www.zeewind.example@evil.example/tickets',
  'https://evil.example\\@www.zeewind.example/tickets',
  'https://evil.example/\\www.zeewind.example/tickets',
  'https://evil.example#https://www.zeewind.example/tickets',
  'https://somebody@www.zeewind.example/tickets',
  'https:evil.example/tickets',
  'javascript:alert(1)//https://www.zeewind.example/tickets',
  'data:text/html,https://www.zeewind.example/tickets',
]) {
  test(`${address} is not`, () => assert.ok(!isAllowedReturn(address, TICKETS)));
}

test('a query that the house names must be that query, and one that it does not name may be any', () => {
  assert.ok(isAllowedReturn(`${TICKETS}?from=parvis`, `${TICKETS}?from=parvis`));
  assert.ok(!isAllowedReturn(`${TICKETS}?from=elsewhere`, `${TICKETS}?from=parvis`));
  assert.ok(!isAllowedReturn(`${TICKETS}/7?from=parvis`, `${TICKETS}?from=parvis`));
});

test('a whole site may be allowed', () => {
  assert.ok(isAllowedReturn('https://www.zeewind.example/anything', 'https://www.zeewind.example'));
  assert.ok(!isAllowedReturn('https://www.zeewind.example.evil.example/', 'https://www.zeewind.example'));
});
