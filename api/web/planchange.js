// Another seating plan for a performance that is on sale: its file, what would change by it, and why it is done.

import { nameFor } from './addresses.js';
import { change, get, Problem } from './api.js';
import { field, h } from './dom.js';
import { nameArea, nameSeats, planPath, readPlan } from './plan.js';
import { secondLook } from './secondlook.js';
import { unfold } from './unfold.js';

const TAKEN = ['h', 's'];
const NAMED_ROWS = 8;
const A_SHIFT = 1;

/** The document in somebody's file and the plan that it draws; nothing of a file that is no plan. */
export async function readPlanFile(file) {
  try {
    const document = JSON.parse(await file.text());
    return { document, plan: await readPlan(document) };
  } catch {
    return {};
  }
}

/** Seats of a plan in words, row by row; of very many the first. */
function sayRows(plan, ids, words) {
  const rows = new Map();
  for (const id of ids) rows.set(plan.row[plan.n(id)], [...rows.get(plan.row[plan.n(id)]) ?? [], id]);
  const named = [...rows.values()].map((each) => nameSeats(plan, each, words));
  return [...named.slice(0, NAMED_ROWS), ...(named.length > NAMED_ROWS ? ['…'] : [])].join('; ');
}

const isMoved = (before, after, id) => {
  const [from, to] = [before.n(id), after.n(id)];
  const names = [before, after].map((plan, at) => [plan.numbers[[from, to][at]], plan.rows[plan.row[[from, to][at]]].name].join());
  return Math.hypot(before.x[from] - after.x[to], before.y[from] - after.y[to]) > A_SHIFT || names[0] !== names[1];
};

/** What becomes of the seats and the standing places; `lost`: those that somebody has and that would be gone. */
function compare(before, after, { seats: letters, areas: open }) {
  const known = (plan, id) => plan.n(id) !== undefined;
  const gone = before.ids.filter((id) => !known(after, id));
  const capacities = new Map(after.areas.map((area) => [area.id, area.capacity]));
  const areas = before.areas.map((area) => ({ id: area.id, was: area.capacity, now: capacities.get(area.id) ?? 0, taken: area.capacity - (open[area.id] ?? 0) }));
  return {
    gone, lost: gone.filter((id) => TAKEN.includes(letters[before.n(id)])),
    added: after.ids.filter((id) => !known(before, id)),
    moved: after.ids.filter((id) => known(before, id) && isMoved(before, after, id)),
    areas: [...areas, ...after.areas.filter(({ id }) => !(id in open)).map((area) => ({ id: area.id, was: 0, now: area.capacity, taken: 0 }))].filter(({ was, now }) => was !== now),
  };
}

/** `onSale()`: the id of the one that is looked at; `attempt(button, action)` shows trouble; `after` tells what was done. */
export function planChange({ words, path, house, key, attempt, after, onSale }) {
  const about = `/v1/houses/${house}`;

  function formFor(performances, close) {
    const which = h('select', { onchange: () => { now.href = planOf(); } }, performances.map((each) => h('option', { value: each.performance }, `${each.title}, ${words.moment(each.starts_at)}`)));
    const file = h('input', { type: 'file', required: true, accept: 'application/json,.json' });
    const why = h('input', { type: 'text', required: true, maxlength: 300 });
    const chosen = () => performances.find((each) => each.performance === which.value);
    const planOf = () => planPath(house, chosen().performance, chosen().plan_change);
    const now = h('a', { href: planOf(), download: 'plan.json' }, words.say('plan_now'));

    async function read() {
      const { performance, prices, title } = chosen();
      const { document, plan } = await readPlanFile(file.files[0]);
      if (!plan) return words.say('plan_unreadable');
      const unpriced = plan.categories.map(({ name }) => name).filter((name) => !prices[name]);
      if (unpriced.length) return words.say('plan_categories', { names: unpriced.join(', ') });
      const letters = await get(`${about}/performances/${performance}/seats`);
      const before = await readPlan(await get(planPath(house, performance, letters.plan_change)));
      const { added, gone, moved, lost, areas } = compare(before, plan, letters);
      if (lost.length) return words.say('plan_lost', { seats: sayRows(before, lost, words) });
      const tooSmall = areas.filter((area) => area.now < area.taken);
      if (tooSmall.length) return `${words.say('problem.area-too-small')} ${tooSmall.map(({ id }) => nameArea(before, id, words)).join(', ')}`;
      const say = (name, from, ids) => (ids.length ? [words.say(name, { n: ids.length, seats: sayRows(from, ids, words) })] : []);
      const lines = [...say('plan_added', plan, added), ...say('plan_gone', before, gone), ...say('plan_moved', plan, moved),
        ...areas.map(({ id, was, now: places }) => words.say('plan_area', { area: nameArea(places ? plan : before, id, words), was, now: places }))];
      const hall = nameFor(String(document.name ?? title));
      return {
        lines: [title, ...(lines.length ? lines : [words.say('plan_same')])], hint: words.say('plan_hint'), yes: words.say('plan_yes'),
        make: async () => {
          const reason = why.value.trim();
          await change('POST', `${path}/halls`, { bearer: key, body: { hall, name: String(document.name ?? title).slice(0, 120), plan: document, reason } });
          try {
            await change('POST', `${path}/performances/${performance}/plan`, { bearer: key, body: { hall, reason } });
          } catch (problem) {
            if (problem.slug !== 'seats-missing') throw problem;
            // Somebody took them since, or they are set aside, which only the house's own see.
            const seats = sayRows(before, problem.facts.seats, words);
            throw new Problem({ ...problem, slug: 'plan-lost', detail: words.say('plan_lost', { seats }), title: '' });
          }
          close();
          after.tell(words.say('plan_done', { title }));
        },
      };
    }
    const fields = [field(words.say('plan_which'), which), h('p', {}, now), field(words.say('plan_file'), file, words.say('plan_file_hint')), field(words.say('reason'), why, words.say('reason_hint'))];
    return secondLook({ words, attempt, fields, read });
  }

  function build(close) {
    const box = h('div', {}, h('p', { class: 'muted' }, words.say('loading')));
    attempt(h('button', { type: 'button' }), async () => {
      const [{ performances: sold }, { performances }] = await Promise.all([get(`${about}/on-sales/${onSale()}`), get(`${path}/performances`, { bearer: key })]);
      const ids = sold.map(({ performance }) => performance);
      box.replaceChildren(...formFor(performances.filter(({ performance }) => ids.includes(performance)), close));
    });
    return [box];
  }
  return unfold(words.say('plan_change'), build).element;
}
