// The pages' words: one file a language, chosen by the visitor, else by the browser, within what the house speaks.
// A file has parts, and a page loads those that it says: what staff reads costs a visitor nothing.

import { readPinned } from './pinned.js';
import { readKept, writeKept } from './storage.js';

const LANGUAGES = ['nl', 'fr', 'de', 'en'];
const CHOICE = 'parvis:language';
const CLOCK = { hour: '2-digit', minute: '2-digit', hour12: false };

export const NAMES = { nl: 'Nederlands', fr: 'Français', de: 'Deutsch', en: 'English' };

/** The language to speak: the one asked for, else the one chosen before, else the browser's first that is spoken. */
export function chooseLanguage(spoken, asked) {
  const ours = (spoken ?? LANGUAGES).filter((language) => LANGUAGES.includes(language));
  const known = ours.length ? ours : LANGUAGES;
  const wished = [asked, readKept(CHOICE), ...navigator.languages].filter(Boolean);
  return wished.map((language) => language.slice(0, 2).toLowerCase()).find((language) => known.includes(language)) ?? known[0];
}

/** Remembers a visitor's own choice on this device. */
export function rememberLanguage(language) {
  writeKept(CHOICE, language);
}

/** Words, numbers, money and times in one language. */
export class Words {
  /** `zone`: where the house is, an IANA name; nothing: where the visitor is. */
  constructor(language, entries, zone) {
    this.zone = zone;
    this.language = language;
    this.locale = { nl: 'nl-BE', fr: 'fr-BE', de: 'de-DE', en: 'en-GB' }[language];
    this.entries = entries;
    this.plurals = new Intl.PluralRules(this.locale);
    this.numbers = new Intl.NumberFormat(this.locale);
  }

  /** The same words, for a house in another zone. */
  at(zone) {
    return new Words(this.language, this.entries, zone);
  }

  has(name) {
    return name in this.entries;
  }

  /** The words under a name, `{facts}` filled in; numbers are written as this language writes them. No line begins with a mark, and a zone stands behind the word for hour. */
  say(name, facts = {}) {
    if (!this.has(name)) console.error('no words for', name);
    const entry = this.entries[name] ?? name;
    const pattern = typeof entry === 'string' ? entry : entry[this.plurals.select(facts.n)] ?? entry.other;
    return pattern.replace(/\{(\w+)\}/g, (whole, fact) => {
      const value = facts[fact];
      if (value === undefined || value === null) return '';
      return typeof value === 'number' ? this.number(value) : value;
    }).trim().replace(/ ([:;!?»%])/g, '\u00a0$1').replaceAll('« ', '«\u00a0').replace(/(\d)(\s\S+)(\s(Uhr|uur))/, '$1$3$2');
  }

  number(value) {
    return this.numbers.format(value);
  }

  /** Money in integer minor units. */
  money(amount, currency = 'EUR') {
    const format = new Intl.NumberFormat(this.locale, { style: 'currency', currency });
    return format.format(amount / 10 ** format.resolvedOptions().maximumFractionDigits);
  }

  format(instant, options) {
    return new Intl.DateTimeFormat(this.locale, options).format(new Date(instant));
  }

  /** The time on the visitor's own clock: for what ends while they look. */
  time(instant) {
    return this.format(instant, CLOCK);
  }

  /** The time where the house is; whoever is elsewhere is told in which zone. */
  hour(instant) {
    const here = { ...CLOCK, timeZone: this.zone };
    const isElsewhere = this.format(instant, here) !== this.time(instant);
    return this.format(instant, isElsewhere ? { ...here, timeZoneName: 'short' } : here);
  }

  date(instant) {
    return this.format(instant, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric', timeZone: this.zone });
  }

  shortDate(instant) {
    return this.format(instant, { weekday: 'short', day: 'numeric', month: 'short', timeZone: this.zone });
  }

  moment(instant) {
    return this.say('date_at_time', { date: this.date(instant), time: this.hour(instant) });
  }

  /** How long something lasts that is set in seconds: 10 minutes, 90 seconds. */
  span(seconds) {
    const isWhole = seconds % 60 === 0 || seconds >= 600;
    const options = { style: 'unit', unit: isWhole ? 'minute' : 'second', unitDisplay: 'long' };
    return new Intl.NumberFormat(this.locale, options).format(isWhole ? Math.floor(seconds / 60) : seconds);
  }

  /** How long ago something was: 20 seconds ago, 3 minutes ago. */
  ago(ms) {
    const seconds = Math.floor(ms / 1000);
    const format = new Intl.RelativeTimeFormat(this.locale);
    return seconds < 90 ? format.format(-seconds, 'second') : format.format(-Math.floor(seconds / 60), 'minute');
  }

  /** A stretch of time: 2 days 4 hours, or 1:04:09, or 4:09. */
  stretch(ms) {
    const seconds = Math.ceil(ms / 1000);
    const unit = (value, name) => new Intl.NumberFormat(this.locale, { style: 'unit', unit: name, unitDisplay: 'long' }).format(value);
    const [days, hours, minutes] = [Math.floor(seconds / 86400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60];
    if (days) return `${unit(days, 'day')} ${hours ? unit(hours, 'hour') : ''}`.trim();
    const two = (value) => String(value).padStart(2, '0');
    return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
  }
}

/** Loads one language, for a house in a zone: the part that every page says, and the others that are asked for. */
export async function loadWords(language, zone, parts = []) {
  const loaded = await Promise.all(['everywhere', ...parts].map((part) => readPinned(`words/${language}/${part}.json`)));
  return new Words(language, Object.assign({}, ...loaded), zone);
}
