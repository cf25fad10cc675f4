// What somebody looks for among the on-sales, and the address that says it.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { dayOf, isWanted, readFilters, withFilters } from '../../api/web/filters.js';

const none = readFilters('https://x.example/');
const onSale = {
  title: 'Été à la mer', house: 'duin', house_name: 'De Duinen', phase: 'prequeue', time_zone: 'Europe/Brussels',
  // The second begins a day later where the house is than where the clocks of the network stand.
  dates: ['2026-07-01T18:00:00Z', '2026-07-10T22:30:00Z'],
};

const WANTED = [
  [{}, true], [{ text: 'ete mer' }, true], [{ text: 'MER duin' }, true], [{ text: 'hiver' }, false],
  [{ house: 'duin' }, true], [{ house: 'other' }, false], [{ phase: 'queue' }, true], [{ phase: 'now' }, false], [{ phase: 'no such' }, true],
  [{ from: '2026-07-11' }, true], [{ from: '2026-07-12' }, false], [{ until: '2026-07-01' }, true], [{ until: '2026-06-30' }, false],
  // Between two performances there is none.
  [{ from: '2026-07-02', until: '2026-07-10' }, false], [{ from: '2026-07-02', until: '2026-07-11', text: 'mer' }, true],
];
for (const [asked, isFound] of WANTED) {
  test(`${JSON.stringify(asked)} ${isFound ? 'finds' : 'does not find'} it`, () => assert.equal(isWanted(onSale, { ...none, ...asked }), isFound));
}

test('an address keeps what is asked, and whatever else it says', () => {
  const asked = { ...none, text: 'a & b', from: '2026-01-02' };
  const address = withFilters('https://x.example/?language=fr&phase=now', asked);
  assert.deepEqual(readFilters(address), asked);
  assert.equal(new URL(address).searchParams.get('language'), 'fr');
  assert.equal(withFilters(address, none), 'https://x.example/?language=fr');
});

test('a day is the day where the house is', () => {
  assert.equal(dayOf('2026-07-10T22:30:00Z', 'Europe/Brussels'), '2026-07-11');
  assert.equal(dayOf('2026-07-10T22:30:00Z', 'America/New_York'), '2026-07-10');
});
