// What a house sets aside of a performance, on the control page: for whom and why, how much of it is left, made and ended.

import { plainName } from './addresses.js';
import { Problem, change, get } from './api.js';
import { field, h, setText } from './dom.js';
import { nameArea, nameSeats, planPath, readPlan } from './plan.js';
import { unfold } from './unfold.js';
import { instantIn, sayMoment } from './zonetime.js';

const PURPOSES = ['house', 'block', 'partner', 'channel', 'code'];
const CHANNELS = ['counter', 'api'];

const sumOf = (counts) => Object.values(counts).reduce((total, count) => total + count, 0);
const leftOf = (each) => each.seats_left.length + sumOf(each.places_left);
const sizeOf = (each) => each.seats.length + sumOf(each.areas);

/** Seats row by row, in words. */
function nameRows(plan, ids, words) {
  const rows = new Map();
  for (const id of ids) rows.set(plan.row[plan.n(id)], [...(rows.get(plan.row[plan.n(id)]) ?? []), id]);
  return [...rows.values()].map((seats) => nameSeats(plan, seats, words)).join('; ');
}

/** `attempt(button, action)` shows trouble; `after` tells what was done, with the way back. */
export function asideDesk({ words, path, house, key, attempt, after }) {
  const whyInput = (required) => h('input', { type: 'text', required, maxlength: 300 });
  const whyOf = (input) => input.value.trim() || words.say('reason_none');

  /** Everything about one performance; `options` are what each purpose can be for: {value, label}. */
  function shown(performance, plan, options) {
    const where = `${path}/performances/${performance.performance}/allotments`;
    const list = h('ul', { class: 'log' });
    const nameOf = (purpose, id) => options[purpose]?.find(({ value }) => value === id)?.label ?? id;
    const end = (name, reason) => change('POST', `${where}/${name}/end`, { bearer: key, body: { reason } });

    function endForm(each, close) {
      const [reason, button] = [whyInput(false), h('button', { type: 'submit', class: 'danger' }, words.say('aside_end_yes'))];
      const submit = (event) => {
        event.preventDefault();
        attempt(button, async () => {
          draw((await end(each.name, whyOf(reason))).allotments);
          after.tell(`${words.say('aside_ended', { name: each.name })} ${words.say('no_way_back')}`);
        });
      };
      return h('form', { onsubmit: submit }, h('p', { class: 'consequence' }, words.say('aside_end_hint', { left: words.number(leftOf(each)) })), h('p', {}, h('b', {}, words.say('no_way_back'))),
        field(words.say('reason_optional'), reason, words.say('reason_hint')),
        h('div', { class: 'actions' }, button, h('button', { type: 'button', class: 'secondary', onclick: close }, words.say('sure.no'))));
    }

    const lineOf = (each) => h('li', {}, h('b', {}, each.name),
      h('span', {}, [words.say(`aside_purpose.${each.purpose}`), each.for && nameOf(each.purpose, each.for)].filter(Boolean).join(': ')),
      h('span', {}, words.say('aside_left', { left: words.number(leftOf(each)), all: words.number(sizeOf(each)) })),
      h('span', {}, each.release_at ? words.say('aside_until', { time: sayMoment(words, each.release_at) }) : words.say('aside_for_good')),
      h('span', {}, each.by), h('q', {}, each.why),
      h('span', {}, [nameRows(plan, each.seats_left, words), ...Object.entries(each.places_left).map(([area, count]) => `${nameArea(plan, area, words)}: ${words.number(count)}`)].filter(Boolean).join('; ')),
      unfold(words.say('aside_end'), (close) => endForm(each, close), { kind: 'quiet' }).element);
    const draw = (all) => list.replaceChildren(...(all.length ? all.map(lineOf) : [h('li', {}, words.say('aside_nothing'))]));
    const read = async () => draw((await get(where, { bearer: key })).allotments);

    /** What was refused, with what it is about in words. */
    function inWords(trouble) {
      if (!(trouble instanceof Problem)) return trouble;
      const { slug, status, facts } = trouble;
      if (slug === 'seats-taken') return new Problem({ slug: 'aside-taken', status, facts: { seats: nameRows(plan, facts.taken, words) } });
      if (slug === 'sold-out') return new Problem({ slug: 'aside-full', status, facts: { n: facts.largest_party ?? 0 } });
      if (slug === 'unclear-seats') return new Problem({ slug, status, facts: { seats: facts.seats.join(', ') } });
      return trouble;
    }

    function makeForm(close) {
      const [name, reason, seats, releaseAt] = [h('input', { type: 'text', required: true, maxlength: 30 }), whyInput(true), h('input', { type: 'text', maxlength: 2000, autocomplete: 'off', spellcheck: 'false' }), h('input', { type: 'datetime-local' })];
      const many = h('input', { type: 'number', min: 0, max: plan.count, inputmode: 'numeric' });
      const used = new Set(plan.category);
      const category = h('select', {}, ['', ...plan.categories.filter((_, at) => used.has(at)).map(({ name: each }) => each)].map((value) => h('option', { value }, value || words.say('any_category'))));
      const places = plan.areas.map(({ id, capacity }) => [id, h('input', { type: 'number', min: 0, max: capacity, inputmode: 'numeric' })]);
      const purpose = h('select', { onchange: () => offer() }, PURPOSES.map((each) => h('option', { value: each }, words.say(`aside_purpose.${each}`))));
      const [which, choice] = [h('div', { hidden: true }), h('select', { required: true })];
      const trouble = h('p', { class: 'notice problem', role: 'alert', hidden: true });
      const button = h('button', { type: 'submit', class: 'primary' }, words.say('aside_make'));

      function offer() {
        const offered = options[purpose.value];
        choice.replaceChildren(...(offered?.length ? offered : [{ value: '', label: words.say('aside_for_none') }]).map(({ value, label }) => h('option', { value }, label)));
        which.hidden = !offered;
        which.replaceChildren(...(offered ? [field(words.say(`aside_for.${purpose.value}`), choice)] : []));
      }

      /** What would be made, or the words of what is wrong with it. */
      function wanted() {
        const areas = Object.fromEntries(places.filter(([, input]) => Number(input.value)).map(([id, input]) => [id, Number(input.value)]));
        const released = releaseAt.value ? instantIn(words.zone, releaseAt.value) : '';
        if (!plainName(name.value)) return 'aside_no_name';
        const quantity = Number(many.value);
        if (!seats.value.trim() && !quantity && !sumOf(areas)) return 'aside_empty';
        if (seats.value.trim() && quantity) return 'aside_both';
        if (released === null) return 'sale_no_such_time';
        if (released && Date.parse(released) <= Date.now()) return 'aside_past';
        if (released && Date.parse(released) > Date.parse(performance.starts_at)) return 'aside_late';
        return { performance: performance.performance, name: plainName(name.value), purpose: purpose.value, for: options[purpose.value] ? choice.value : '', seat_list: seats.value.trim(), quantity, category: quantity ? category.value : '', areas, release_at: released, reason: reason.value };
      }
      const submit = (event) => {
        event.preventDefault();
        const body = wanted();
        trouble.hidden = typeof body !== 'string';
        if (!trouble.hidden) return setText(trouble, words.say(body));
        return attempt(button, async () => {
          const made = await change('POST', `${path}/allotments`, { bearer: key, body }).catch((refused) => { throw inWords(refused); });
          close();
          await read();
          const undo = async () => {
            draw((await end(made.name, words.say('undo_reason', { what: words.say('aside_make') }))).allotments);
            after.tell(words.say('undone', { what: words.say('aside_make') }));
          };
          after.tell(words.say('aside_made', { name: made.name, n: words.number(sizeOf(made)) }), { isStill: () => true, run: (pressed) => attempt(pressed, undo) });
        });
      };
      offer();
      return h('form', { onsubmit: submit }, field(words.say('aside_name'), name, words.say('aside_name_hint')), field(words.say('aside_purpose'), purpose), which,
        plan.count ? [field(words.say('aside_seats'), seats, words.say('aside_seats_hint')), field(words.say('aside_many'), many, words.say('aside_many_hint')), field(words.say('aside_category'), category)] : null,
        places.map(([id, input]) => field(words.say('aside_places', { area: nameArea(plan, id, words) }), input)),
        field(words.say('aside_release'), releaseAt, words.say('sale_zone', { zone: words.zone })), field(words.say('reason'), reason, words.say('reason_hint')), trouble, button);
    }
    return { elements: [list, unfold(words.say('aside_new'), makeForm).element], read };
  }

  function build() {
    const box = h('div', {}, h('p', { class: 'muted' }, words.say('loading')));
    const about = h('div');
    // Whoever chooses again while the page reads is not kept waiting: each reading stands for itself.
    const run = (reading) => attempt(h('button', {}), reading);
    async function start() {
      const [{ performances }, { keys }, { batches }] = await Promise.all(['performances', 'keys', 'codes'].map((what) => get(`${path}/${what}`, { bearer: key })));
      const coming = performances.filter((each) => Date.parse(each.starts_at) > Date.now());
      const options = {
        partner: keys.filter((each) => !each.revoked && each.scopes.includes('allotment')).map((each) => ({ value: each.key_id, label: each.name })),
        channel: CHANNELS.map((value) => ({ value, label: words.say(`aside_channel.${value}`) })),
        code: batches.filter((each) => !each.disabled).map((each) => ({ value: each.batch, label: each.title })),
      };
      const choice = h('select', { onchange: () => run(look) }, coming.map((each) => h('option', { value: each.performance }, `${each.title}, ${words.moment(each.starts_at)}`)));
      async function look() {
        const chosen = coming.find((each) => each.performance === choice.value);
        const plan = await readPlan(await get(planPath(house, chosen.performance, chosen.plan_change)));
        const part = shown(chosen, plan, options);
        await part.read();
        if (choice.value === chosen.performance) about.replaceChildren(...part.elements);
      }
      if (!coming.length) return box.replaceChildren(h('p', {}, words.say('aside_no_shows')));
      box.replaceChildren(field(words.say('aside_show'), choice), about);
      return look();
    }
    run(start);
    return [h('p', { class: 'muted' }, words.say('aside_lead')), box];
  }
  return unfold(words.say('aside'), build).element;
}
