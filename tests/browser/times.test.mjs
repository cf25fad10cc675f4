// A performance is told in the house's time, whatever the visitor's clock says; what runs out, on the visitor's clock.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
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

test('German and Dutch name the zone after the hour', () => {
  for (const [language, gathered, moment] of [['de', 'Um 19:30 Uhr MEZ ', 'Donnerstag, 24. Dezember 2026, 19:30 Uhr MEZ'], ['nl', 'Om 19:30 uur CET ', 'donderdag 24 december 2026, 19:30 uur CET']]) {
    const { everywhere } = JSON.parse(readFileSync(new URL(`../../api/web/words/${language}.json`, import.meta.url)));
    const said = (zone, name) => new Words(language, everywhere, zone).say(name, { time: new Words(language, everywhere, zone).hour(evening) }).replaceAll('\u00a0', ' ');
    assert.ok(said('Europe/Brussels', 'next.gathered').startsWith(gathered), said('Europe/Brussels', 'next.gathered'));
    assert.match(said('America/New_York', 'next.gathered'), /^[UO]m 13:30 (Uhr|uur) /);
    assert.equal(new Words(language, everywhere, 'Europe/Brussels').moment(evening).replaceAll('\u00a0', ' '), moment);
  }
  assert.equal(new Words('nl', { wait: '{from} tot {to} uur' }).say('wait', { from: 2, to: 4 }), '2 tot 4 uur');
});

test('a visitor whose clock agrees with the house is not told of zones', () => {
  assert.equal(new Words('en', entries, 'America/Toronto').hour(evening), '13:30');
  assert.equal(new Words('en', entries, undefined).hour(evening), '13:30');
});

test('what runs out while one looks is told on one’s own clock', () => {
  assert.equal(new Words('nl', entries, 'Europe/Brussels').time(evening), '13:30');
});

const { instantIn, sayMoment, typedIn } = await import(new URL('../../api/web/zonetime.js', import.meta.url));
const BRUSSELS = 'Europe/Brussels';

test('what is typed is meant where the house is, and comes back as it was typed', () => {
  for (const [zone, typed, instant] of [
    [BRUSSELS, '2026-01-15T20:00', '2026-01-15T19:00:00.000Z'], [BRUSSELS, '2026-07-15T20:00', '2026-07-15T18:00:00.000Z'],
    ['America/New_York', '2026-07-15T20:00', '2026-07-16T00:00:00.000Z'], ['Asia/Tokyo', '2026-01-15T20:00', '2026-01-15T11:00:00.000Z'],
    ['Asia/Kolkata', '2026-01-15T20:00', '2026-01-15T14:30:00.000Z'], ['Pacific/Apia', '2026-01-15T20:00', '2026-01-15T07:00:00.000Z'],
    // Midnight is the first minute of its day, not the twenty-fourth hour of the day before.
    [BRUSSELS, '2026-12-25T00:00', '2026-12-24T23:00:00.000Z'], [BRUSSELS, '2027-01-01T00:00', '2026-12-31T23:00:00.000Z'],
    [BRUSSELS, '2026-12-31T23:59', '2026-12-31T22:59:00.000Z'], ['Asia/Tokyo', '2026-03-01T00:00', '2026-02-28T15:00:00.000Z'],
  ]) {
    assert.equal(instantIn(zone, typed), instant, `${typed} in ${zone}`);
    assert.equal(typedIn(zone, Date.parse(instant)), typed, `${instant} in ${zone}`);
  }
});

test('an hour that summer time skips does not exist, and the minutes beside it do', () => {
  assert.equal(instantIn(BRUSSELS, '2026-03-29T01:59'), '2026-03-29T00:59:00.000Z');
  for (const skipped of ['2026-03-29T02:00', '2026-03-29T02:30', '2026-03-29T02:59']) assert.equal(instantIn(BRUSSELS, skipped), null);
  assert.equal(instantIn(BRUSSELS, '2026-03-29T03:00'), '2026-03-29T01:00:00.000Z');
  // The browser's own zone skips another hour, which Brussels has.
  assert.equal(instantIn(BRUSSELS, '2026-03-08T02:30'), '2026-03-08T01:30:00.000Z');
  assert.equal(instantIn('America/New_York', '2026-03-08T02:30'), null);
});

test('an hour that the clock shows twice is the first that is still to come, and the minutes beside it are as ever', () => {
  const long = Date.parse('2026-01-01T00:00:00Z');
  assert.equal(instantIn(BRUSSELS, '2026-10-25T01:59', long), '2026-10-24T23:59:00.000Z');
  for (const [zone, typed, first, second] of [
    [BRUSSELS, '2026-10-25T02:30', '2026-10-25T00:30:00.000Z', '2026-10-25T01:30:00.000Z'], [BRUSSELS, '2026-10-25T02:00', '2026-10-25T00:00:00.000Z', '2026-10-25T01:00:00.000Z'],
    ['Europe/London', '2026-10-25T01:30', '2026-10-25T00:30:00.000Z', '2026-10-25T01:30:00.000Z'], ['America/New_York', '2026-11-01T01:30', '2026-11-01T05:30:00.000Z', '2026-11-01T06:30:00.000Z'],
    ['Australia/Lord_Howe', '2026-04-05T01:45', '2026-04-04T14:45:00.000Z', '2026-04-04T15:15:00.000Z'],
  ]) {
    assert.equal(instantIn(zone, typed, long), first, zone);
    assert.equal(instantIn(zone, typed, Date.parse(first)), second, zone);
    assert.equal(instantIn(zone, typed, Date.parse(second)), second, zone);
    for (const instant of [first, second]) assert.equal(typedIn(zone, Date.parse(instant)), typed);
  }
  assert.equal(instantIn(BRUSSELS, '2026-10-25T03:00', long), '2026-10-25T02:00:00.000Z');
});

test('which of the two it is, is said, wherever one looks', () => {
  const words = (zone) => new Words('en', entries, zone);
  assert.match(sayMoment(words('America/New_York'), '2026-11-01T05:30:00Z'), /, 01:30 GMT-4$/);
  assert.match(sayMoment(words('America/New_York'), '2026-11-01T06:30:00Z'), /, 01:30 GMT-5$/);
  assert.match(sayMoment(words('America/New_York'), '2026-11-01T07:00:00Z'), /, 02:00$/);
  assert.match(sayMoment(words(BRUSSELS), '2026-10-25T00:30:00Z'), /, 02:30 CEST$/);
  assert.match(sayMoment(words(BRUSSELS), '2026-10-25T01:30:00Z'), /, 02:30 CET$/);
});

test('a year that was typed too short or too long is a time all the same, or none', () => {
  assert.ok(Date.parse(instantIn(BRUSSELS, '0026-12-24T20:00')) < 0);
  assert.equal(instantIn(BRUSSELS, '202612-12-24T20:00'), null);
});
