// How the house's pages look: a draft that is looked at by a link, and shown to everybody only when it is published.

import { change, get, Problem } from './api.js';
import { field, h, setText } from './dom.js';
import { unfold } from './unfold.js';
import { loadWords, NAMES } from './words.js';

const COLOURS = ['primary', 'accent', 'background', 'text'];
const LARGEST_LOGO = 96 * 1024;

const readAsBase64 = (file) => new Promise((resolve, reject) => {
  const reader = new FileReader();
  reader.addEventListener('load', () => resolve(String(reader.result).split(',')[1]));
  reader.addEventListener('error', reject);
  reader.readAsDataURL(file);
});

/** `attempt(button, action)` shows trouble; `after` tells what was done. */
export function themeDesk({ words, path, key, name, attempt, after }) {
  const post = (step, body) => change('POST', `${path}/theme/${step}`, { bearer: key, body });

  /** A colour by its picker, with its code beside it for whoever has one. */
  function colourField(which, value) {
    const code = h('input', { type: 'text', value, pattern: '#[0-9a-fA-F]{6}', required: true, maxlength: 7, spellcheck: 'false' });
    const picker = h('input', { type: 'color', value, 'aria-label': words.say('theme_pick', { colour: words.say(`theme_colour.${which}`) }), oninput: () => { code.value = picker.value; } });
    code.addEventListener('input', () => { if (code.checkValidity()) picker.value = code.value; });
    const fault = h('p', { class: 'notice problem', role: 'alert', hidden: true });
    return {
      element: h('div', { class: 'colour' }, field(words.say(`theme_colour.${which}`), code), picker, fault), get value() { return code.value.toLowerCase(); },
      clear: () => { fault.hidden = true; },
      tell: ({ ratio, least, nearest }) => {
        const take = h('button', { type: 'button', class: 'secondary', onclick: () => { code.value = nearest; picker.value = nearest; fault.hidden = true; } }, words.say('theme_take', { colour: nearest }));
        fault.replaceChildren(h('span', {}, words.say(`theme_unseen.${which}`, { ratio, least })), take);
        fault.hidden = false;
      },
    };
  }

  /** The house's own words in one language at a time; an empty field leaves the usual words. */
  function wordsForm(themes, kept) {
    const texts = structuredClone(kept.words);
    const box = h('div', { class: 'own-words' });
    const choose = h('select', { onchange: () => show() }, Object.entries(NAMES).map(([language, said]) => h('option', { value: language }, said)));
    const typed = new Map();
    function take() {
      for (const [where, input] of typed) {
        texts[choose.dataset.shown] ??= {};
        const text = input.value.replaceAll(/\s+/g, ' ').trim();
        if (text) texts[choose.dataset.shown][where] = text;
        else delete texts[choose.dataset.shown][where];
      }
    }
    async function show() {
      take();
      const usual = await loadWords(choose.value, words.zone, ['shop']);
      typed.clear();
      choose.dataset.shown = choose.value;
      box.replaceChildren(...Object.entries(themes.own_words).map(([where, facts]) => {
        const input = h('textarea', { rows: 2, maxlength: 600, value: texts[choose.value]?.[where] ?? '', lang: choose.value });
        typed.set(where, input);
        const said = usual.has(where) ? words.say('theme_usual', { text: usual.entries[where] }) : null;
        const needed = facts.length ? words.say('theme_facts', { facts: facts.map((fact) => `{${fact}}`).join(' ') }) : null;
        return field(words.say(`theme_word.${where}`), input, [said, needed].filter(Boolean).join(' '));
      }));
    }
    choose.value = words.language;
    show();
    return {
      element: h('details', {}, h('summary', {}, words.say('theme_words')), field(words.say('language'), choose), box),
      read: (spoken) => { take(); return Object.fromEntries(Object.entries(texts).filter(([language, said]) => spoken.includes(language) && Object.keys(said).length)); },
    };
  }

  function draftForm(themes, refresh) {
    const kept = themes.draft ?? themes.published;
    const colours = Object.fromEntries(COLOURS.map((which) => [which, colourField(which, (kept.colours ?? themes.network.colours)[which])]));
    const spoken = kept.languages ?? themes.network.languages;
    const boxes = Object.entries(NAMES).map(([language, said]) => h('label', { class: 'choice' }, h('input', { type: 'checkbox', name: 'language', value: language, checked: spoken.includes(language) }), h('span', {}, said)));
    const usual = h('select', {}, Object.entries(NAMES).map(([language, said]) => h('option', { value: language, selected: spoken[0] === language }, said)));
    const file = h('input', { type: 'file', accept: 'image/png,image/jpeg' });
    const alt = h('input', { type: 'text', maxlength: 120, value: kept.logo?.alt ?? name });
    const without = kept.logo ? h('label', { class: 'choice' }, h('input', { type: 'checkbox' }), h('span', {}, words.say('theme_logo_none'))) : null;
    const own = wordsForm(themes, kept);
    const trouble = h('div', { class: 'notice problem', role: 'alert', hidden: true });
    const save = h('button', { type: 'submit', class: 'primary' }, words.say('theme_save'));

    async function logo() {
      const chosen = file.files[0];
      if (chosen) return { alt: alt.value, image: await readAsBase64(chosen) };
      return kept.logo && !without.querySelector('input').checked ? { alt: alt.value } : null;
    }

    function tell(problem) {
      const found = problem instanceof Problem && problem.slug === 'bad-input' ? problem.facts : null;
      if (!found) throw problem;
      for (const fault of found.colours ?? []) colours[fault.colour].tell(fault);
      const others = (found.problems ?? []).filter((each) => !(found.colours && each.startsWith('colours:')));
      trouble.replaceChildren(h('p', {}, words.say('theme_refused')), h('ul', { lang: 'en' }, others.map((each) => h('li', {}, each))));
      trouble.hidden = !others.length;
      save.form.querySelector('.notice.problem:not([hidden])')?.scrollIntoView({ block: 'center' });
    }

    async function submit(event) {
      event.preventDefault();
      trouble.hidden = true;
      Object.values(colours).forEach((each) => each.clear());
      const chosen = file.files[0];
      if (chosen && (chosen.size > LARGEST_LOGO || !['image/png', 'image/jpeg'].includes(chosen.type))) {
        trouble.replaceChildren(words.say('theme_logo_refused'));
        trouble.hidden = false;
        return;
      }
      const ticked = boxes.map((box) => box.querySelector('input')).filter((input) => input.checked).map((input) => input.value);
      const languages = [usual.value, ...ticked.filter((language) => language !== usual.value)];
      await attempt(save, async () => {
        const body = { colours: Object.fromEntries(COLOURS.map((which) => [which, colours[which].value])), languages, logo: await logo(), words: own.read(languages), reason: words.say('reason_none') };
        try {
          refresh(await post('draft', body));
          after.tell(words.say('theme_saved'));
        } catch (problem) { tell(problem); }
      });
    }

    return h('form', { onsubmit: submit }, h('fieldset', {}, h('legend', {}, words.say('theme_colours')), COLOURS.map((which) => colours[which].element)),
      h('fieldset', {}, h('legend', {}, words.say('theme_logo')), kept.logo ? h('img', { class: 'logo', src: kept.logo.address, alt: kept.logo.alt }) : null,
        field(words.say('theme_logo_file'), file, words.say('theme_logo_hint')), field(words.say('theme_logo_alt'), alt, words.say('theme_logo_alt_hint')), without),
      h('fieldset', {}, h('legend', {}, words.say('theme_languages')), boxes, field(words.say('theme_language_first'), usual)), own.element, trouble, save);
  }

  /** The draft's link, and what can become of the draft. */
  function draftBox(themes, refresh) {
    const { draft, preview } = themes;
    const address = new URL(preview.page, location.href).href;
    const reason = h('input', { type: 'text', maxlength: 300 });
    const step = (which, kind) => {
      const button = h('button', { type: 'button', class: kind, onclick: () => attempt(button, async () => {
        refresh(await post(which, { reason: reason.value.trim() || words.say('reason_none') }));
        after.tell(words.say(`theme_done.${which}`));
      }) }, words.say(`theme_${which}`));
      return button;
    };
    return draft && h('div', { class: 'notice' }, h('p', {}, words.say('theme_draft_lead', { until: words.moment(preview.expires_at) })),
      h('p', {}, h('a', { class: 'button secondary', href: preview.page, target: '_blank', rel: 'noopener' }, words.say('theme_look'))), h('code', { class: 'link' }, address),
      field(words.say('reason_optional'), reason, words.say('reason_hint')), h('p', { class: 'consequence' }, words.say('theme_publish_hint')),
      h('div', { class: 'actions' }, step('publish', 'primary'), step('discard', 'secondary')));
  }

  function backBox(themes, refresh) {
    const button = h('button', { type: 'button', class: 'secondary', onclick: () => attempt(button, async () => {
      refresh(await post('back', { reason: words.say('reason_none') }));
      after.tell(words.say('theme_done.back'));
    }) }, words.say('theme_back'));
    return themes.previous ? h('p', { class: 'actions' }, button) : null;
  }

  function build() {
    const box = h('div', { class: 'theme-desk' }, h('p', { class: 'muted' }, words.say('loading')));
    const refresh = (themes) => {
      box.replaceChildren(...[themes.draft ? draftBox(themes, refresh) : h('p', { class: 'muted' }, words.say('theme_lead')), draftForm(themes, refresh), backBox(themes, refresh)].filter(Boolean));
      if (themes.draft) box.scrollIntoView({ block: 'nearest' });
    };
    const waiting = h('button', { type: 'button' });
    attempt(waiting, async () => refresh(await get(`${path}/theme`, { bearer: key })));
    return [box];
  }
  return unfold(words.say('theme'), build).element;
}
