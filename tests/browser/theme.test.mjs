// Whatever colours a house has, what is written on them can be read (WCAG 2.2, AA), by day and by night.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { contrast, palette } from '../../api/web/theme.js';

const AA = 4.5;
const steps = [0, 51, 102, 119, 128, 153, 204, 255];
const hex = (parts) => `#${parts.map((part) => part.toString(16).padStart(2, '0')).join('')}`;
const colours = steps.flatMap((red) => steps.flatMap((green) => steps.map((blue) => hex([red, green, blue]))));
const read = (rgb) => rgb.match(/\d+/g).map(Number);
const pairs = [['--text', '--background', 7], ['--on-primary', '--primary', AA], ['--on-accent', '--accent', AA], ['--link', '--background', AA], ['--muted', '--background', AA],
  ['--text', '--card', AA], ['--link', '--card', AA], ['--muted', '--card', AA]];

for (const isDark of [false, true]) {
  test(`any colour can be read on, ${isDark ? 'by night' : 'by day'}`, () => {
    for (const colour of colours) {
      for (const given of [{ primary: colour, accent: colour }, { background: colour }, { background: colour, text: colour, primary: '#0b3c5d' }]) {
        const made = palette(given, isDark);
        for (const [ink, paper, least] of pairs) {
          // On a background of a middle tone no ink reaches 7.
          const most = ink === '--text' ? Math.min(least, AA) : least;
          assert.ok(contrast(read(made[ink]), read(made[paper])) >= most, `${ink} on ${paper} of ${JSON.stringify(given)}: ${made[ink]} on ${made[paper]}`);
        }
      }
    }
  });
}

test('colours that are none, or missing, are replaced', () => {
  for (const given of [undefined, {}, { primary: 'red', background: 'url(x)', text: '#12' }]) {
    assert.match(Object.values(palette(given)).join(' '), /^(rgb\(\d+, \d+, \d+\) ?)+$|^(rgb\(\d+ \d+ \d+\) ?)+$/);
  }
});
