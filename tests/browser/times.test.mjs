// A performance is told in the house's time, whatever the visitor's clock says; what runs out, on the visitor's clock.

import assert from 'node:assert/strict';
import { test } from 'node:test';

process.env.TZ = 'America/New_York';
const { Words } = await import(new URL('../../api/web/words.js', import.meta.url));
const evening = '2026-12-24T18:30:00Z';
const midnight = '2026-12-24T23:30:00Z';
const entries = { date_at_time: '{date}, {time}' };

test('a visitor elsewhere is told the time at the house, and in which zone that is', () => {
  const words = new Words('en', entries, 'Europe/Brussels');
  assert.equal(words.moment(evening), words.date(evening) + ', 19:30 CET');
  assert.match(words.shortDate(midnight), /^Fri,? 25 Dec$/);
  assert.equal(words.hour(midnight), '00:30 CET');
  assert.equal(words.at('Asia/Tokyo').hour(evening).slice(0, 5), '03:30');
});

test('German names the zone after the hour', () => {
  const german = new Words('de', { at: 'Um {time} Uhr geht es los.' });
  assert.equal(german.say('at', { time: '01:42 MEZ' }), 'Um 01:42 Uhr MEZ geht es los.');
  assert.equal(german.say('at', { time: '01:42' }), 'Um 01:42 Uhr geht es los.');
});

test('a visitor whose clock agrees with the house is not told of zones', () => {
  assert.equal(new Words('en', entries, 'America/Toronto').hour(evening), '13:30');
  assert.equal(new Words('en', entries, undefined).hour(evening), '13:30');
});

test('what runs out while one looks is told on one’s own clock', () => {
  assert.equal(new Words('nl', entries, 'Europe/Brussels').time(evening), '13:30');
});
