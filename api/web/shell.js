// What every page has: the house's name and colours, the choice of language, the way to somebody who helps.

import { explain, get } from './api.js';
import { h } from './dom.js';
import { applyColours } from './theme.js';
import { chooseLanguage, loadWords, NAMES, rememberLanguage } from './words.js';

/** What a page waits for that has nothing more to show than its problem. */
export const NEVER = new Promise(() => {});

/** The house and the on-sale that the address names: /h/{house}/{on_sale}. */
export function readPath() {
  const [, , house, onSale] = location.pathname.split('/').map(decodeURIComponent);
  return { house, onSale };
}

function languageChoice(words, spoken) {
  const choose = (event) => {
    rememberLanguage(event.target.value);
    const address = new URL(location.href);
    address.searchParams.delete('language');
    if (address.href === location.href) location.reload();
    else location.replace(address);
  };
  return h('select', { class: 'language', 'aria-label': words.say('language'), onchange: choose },
    spoken.map((language) => h('option', { value: language, lang: language, selected: language === words.language }, NAMES[language])));
}

function contactLink(contact, words) {
  if (!contact) return null;
  const isMail = /^[^\s/:]+@[^\s]+$/.test(contact);
  const isLink = /^https?:\/\//.test(contact);
  const facts = new URLSearchParams({ subject: location.pathname, body: `${new Date().toISOString()} ${location.href.split('#')[0]}` });
  const href = isMail ? `mailto:${contact}?${facts.toString().replaceAll('+', '%20')}` : isLink ? contact : null;
  return h('p', {}, `${words.say('trouble')} `, href ? h('a', { href }, contact) : contact);
}

/**
 * The house as everybody sees it; or, to whoever followed a link to a draft of its theme, as the draft shows it: in this
 * tab, until they leave it. Gives the house, with `preview` `shown` or `ended` where there is one.
 */
async function readHouse(slug, isStaff) {
  const address = `/v1/houses/${slug}`;
  const name = `parvis:preview:${slug}`;
  const preview = isStaff ? null : new URLSearchParams(location.search).get('preview') ?? inTab((storage) => storage.getItem(name));
  if (!preview) return get(address);
  try {
    const house = await get(`${address}/previews/${encodeURIComponent(preview)}`);
    inTab((storage) => storage.setItem(name, preview));
    return { ...house, preview: 'shown' };
  } catch (problem) {
    if (problem.status !== 410) throw problem;
    inTab((storage) => storage.removeItem(name));
    return { ...await get(address), preview: 'ended' };
  }
}

/** A browser may keep nothing for us, and says so with an error. */
function inTab(use) {
  try {
    return use(sessionStorage);
  } catch {
    return null;
  }
}

function previewNotice(house, words) {
  const leave = () => { inTab((storage) => storage.removeItem(`parvis:preview:${house.house}`)); location.assign(location.pathname); };
  return h('p', { class: 'preview', role: 'status' }, words.say(house.preview === 'shown' ? 'preview.notice' : 'preview.ended'), ' ',
    house.preview === 'shown' ? h('button', { type: 'button', class: 'quiet', onclick: leave }, words.say('preview.leave')) : null);
}

/** The house's logo, or its name. */
function sign(house, name) {
  const { address, alt, width, height } = house?.logo ?? {};
  return address ? h('img', { class: 'logo', src: address, alt, width, height }) : name;
}

/** Frames the page: fills header, main and footer. `parts`: which words it says beyond those of every page. Gives the words, the house (null on the one-stop page) and `main`. */
export async function openPage({ house: slug = null, title, isStaff = false, parts = [] } = {}) {
  const house = slug ? await readHouse(slug, isStaff).catch((problem) => ({ problem })) : null;
  const spoken = (house?.languages ?? Object.keys(NAMES)).filter((language) => language in NAMES);
  const words = await loadWords(chooseLanguage(spoken, new URLSearchParams(location.search).get('language')), house?.time_zone, parts);
  document.documentElement.lang = words.language;
  Object.assign(words.entries, house?.words?.[words.language]);
  applyColours(document.documentElement, house?.colours);
  const main = document.querySelector('main');
  main.replaceChildren();
  const name = house?.name ?? words.say('all_houses');
  document.title = title ? `${words.say(title)} – ${name}` : name;
  document.body.prepend(
    h('a', { class: 'skip', href: '#main' }, words.say('skip')),
    h('header', { class: isStaff ? 'top staff' : 'top' },
      h('a', { class: 'house', href: slug ? `/h/${slug}` : '/' }, sign(house, name)), languageChoice(words, spoken)));
  if (house?.preview) document.body.firstElementChild.after(previewNotice(house, words));
  document.body.append(h('footer', { class: 'bottom' },
    contactLink(house?.operator_contact, words),
    slug && !isStaff ? h('p', {}, h('a', { href: '/' }, words.say('all_houses'))) : null));
  document.body.classList.add('ready');
  if (house?.problem) {
    main.append(h('p', { class: 'notice problem', role: 'alert' }, explain(house.problem, words)));
    return NEVER;
  }
  return { words, house, main };
}

/** The way to this very page without JavaScript, at the foot: for whoever this one moves too much, or does not work for. */
export function linkPlain(words) {
  const asked = new URLSearchParams(location.search);
  asked.set('language', words.language);
  // The server knows where that is, and what of the address goes with it.
  const link = h('p', {}, h('a', { href: `?plain&${asked}` }, words.say('plain_page')));
  document.querySelector('.bottom').append(link);
  return link;
}

/** A line that says when and where something is on. */
export function whenAndWhere(performance, words) {
  return [words.moment(performance.starts_at), performance.hall].filter(Boolean).join('\u00a0· ');
}
