// Every language says everything, and none says what must stay behind the scenes.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const web = new URL('../../api/web/', import.meta.url);
const languages = ['nl', 'fr', 'de', 'en'];
const entries = Object.fromEntries(await Promise.all(languages.map(async (language) =>
  [language, Object.assign({}, ...Object.values(JSON.parse(readFileSync(new URL(`words/${language}.json`, web), 'utf8'))))])));
const flat = (entry) => (typeof entry === 'string' ? [entry] : Object.values(entry));
const factsOf = (entry) => new Set(flat(entry).join(' ').match(/\{\w+\}/g));

for (const language of languages) {
  test(`${language} says everything that English says, with the same facts`, () => {
    assert.deepEqual(Object.keys(entries[language]).sort(), Object.keys(entries.en).sort());
    for (const [name, entry] of Object.entries(entries.en)) {
      assert.deepEqual([...factsOf(entries[language][name])].sort(), [...factsOf(entry)].sort(), name);
    }
  });

  test(`${language} keeps what is behind the scenes off the pages`, () => {
    const said = Object.values(entries[language]).flatMap(flat).join('\n');
    assert.doesNotMatch(said, /\b(epoch|drain|recorded|outbox|loterij|wachtkamer|lottery|token|cell)\b/i);
  });
}

test('what is counted is said in every form that a language has', () => {
  for (const language of languages) {
    // French has a form for millions of something, which the pages never count.
    const forms = new Intl.PluralRules(language).resolvedOptions().pluralCategories.filter((form) => form !== 'many').sort();
    const counted = Object.entries(entries[language]).filter(([, entry]) => typeof entry !== 'string');
    assert.ok(counted.length > 5);
    for (const [name, entry] of counted) assert.deepEqual(Object.keys(entry).sort(), forms, `${language}, ${name}`);
  }
});

test('every word that a page asks for exists', () => {
  const code = readdirSync(web).filter((name) => name.endsWith('.js')).map((name) => readFileSync(new URL(name, web), 'utf8')).join('\n');
  const asked = [...code.matchAll(/(?:say|tile)\('([^'`$]+)'/g)].map(([, name]) => name);
  assert.ok(asked.length > 100);
  assert.deepEqual(asked.filter((name) => !(name in entries.en)), []);
});
