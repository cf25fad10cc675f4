// Which on-sales somebody looks for: kept in the page's address, so that it can be sent to somebody else.

const ASKED = ['text', 'house', 'phase', 'from', 'until'];
/** What people ask for, and the phases that it means. */
export const PHASES = { now: ['open', 'paused'], queue: ['prequeue'], soon: ['scheduled'], over: ['sold_out'] };

/** What an address asks for; a name without a value is not asked for. */
export function readFilters(address) {
  const given = new URLSearchParams(new URL(address).search);
  return Object.fromEntries(ASKED.map((name) => [name, (given.get(name) ?? '').trim()]));
}

/** The same address, asking for this. */
export function withFilters(address, filters) {
  const page = new URL(address);
  for (const name of ASKED) {
    if (filters[name]) page.searchParams.set(name, filters[name]);
    else page.searchParams.delete(name);
  }
  return page.href;
}

/** Letters as people look for them: "cafe" finds "Café". */
const plain = (text) => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();

/** The day of an instant where the house is, as a date field writes it. */
export function dayOf(instant, timeZone) {
  return new Intl.DateTimeFormat('sv-SE', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(new Date(instant));
}

/** Whether an on-sale is one that is looked for: every word somewhere in it, a performance between the days. */
export function isWanted(onSale, { text, house, phase, from, until }) {
  const said = plain([onSale.title, onSale.house_name].join(' '));
  const days = onSale.dates.map((date) => dayOf(date, onSale.time_zone));
  return plain(text).split(/\s+/).every((word) => said.includes(word))
    && (!house || onSale.house === house)
    && (!PHASES[phase] || PHASES[phase].includes(onSale.phase))
    && days.some((day) => (!from || day >= from) && (!until || day <= until));
}
