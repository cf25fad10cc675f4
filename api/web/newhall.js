// Making one of the house's halls from the file of its seating plan: what it holds is said before it is made.

import { nameFor } from './addresses.js';
import { change, Problem } from './api.js';
import { field, h } from './dom.js';
import { nameArea } from './plan.js';
import { readPlanFile } from './planchange.js';
import { secondLook } from './secondlook.js';
import { unfold } from './unfold.js';

const SHOWN_FAULTS = 8;

/** `attempt(button, action)` shows trouble; `onmade(hall)` once it is there, with its name and categories. */
export function newHall({ words, path, key, attempt, onmade }) {
  function build(close) {
    const name = h('input', { type: 'text', required: true, maxlength: 120 });
    const file = h('input', { type: 'file', required: true, accept: 'application/json,.json' });

    async function make(plan, ids) {
      const body = { hall: nameFor(name.value), name: name.value.trim(), plan, ids, reason: words.say('reason_none') };
      const made = await change('POST', `${path}/halls`, { bearer: key, body }).catch((refused) => {
        const found = refused.facts?.problems;
        if (!found) throw refused;
        const problems = [...found.slice(0, SHOWN_FAULTS), ...(found.length > SHOWN_FAULTS ? ['…'] : [])].join('; ');
        throw new Problem({ slug: 'plan-faults', status: refused.status, facts: { problems } });
      });
      close();
      onmade(made);
    }

    async function read() {
      const { document, plan } = await readPlanFile(file.files[0]);
      if (!plan) return words.say('plan_unreadable');
      // A hall that pretix copied has each id on several seats; then only what pretix itself tells them apart by is left.
      const ids = new Set(plan.ids).size === plan.count ? 'guid' : 'uuid';
      const counts = plan.categories.map((category, at) => [category.name, plan.category.filter((each) => each === at).length]);
      const lines = [...counts.filter(([, count]) => count), ...plan.areas.map(({ id, capacity }) => [nameArea(plan, id, words), capacity])];
      return {
        lines: [name.value.trim(), ...lines.map(([what, count]) => `${what}: ${words.number(count)}`)],
        hint: words.say('hall_make_hint'), yes: words.say('show_make'), make: () => make(document, ids),
      };
    }
    return secondLook({ words, attempt, read, fields: [field(words.say('hall_name'), name, words.say('sale_title_hint')), field(words.say('hall_file'), file, words.say('hall_file_hint'))] });
  }
  return unfold(words.say('hall_new'), build).element;
}
