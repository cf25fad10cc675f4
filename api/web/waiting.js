// The waiting page of an on-sale: /h/{house}/{on_sale}.

import { explain, get } from './api.js';
import { h } from './dom.js';
import { Line } from './line.js';
import { openPage, readPath, whenAndWhere } from './shell.js';
import { waitingView } from './waitingview.js';

/** So many performances stand above the queue; more would push it off the screen. */
const FEW = 3;
const { house: slug, onSale: id } = readPath();
const { words, main } = await openPage({ house: slug });

async function enter(line) {
  if (line.memory.pass || await line.claim()) location.assign(`/h/${slug}/${id}/seats`);
  else if (line.isFull) setTimeout(() => { if (line.isFull) enter(line).catch(() => line.changed()); }, line.retryAfterMs);
}

try {
  const onSale = await get(`/v1/houses/${slug}/on-sales/${id}`);
  const line = new Line({ house: slug, onSale: id });
  line.prequeueAt = onSale.prequeue_at;
  const view = waitingView({ line, words, onSale, onenter: enter });
  const calm = `${onSale.title} – ${document.title}`;
  line.onchange = (state) => {
    const shown = view.update(state);
    const isTurn = ['turn', 'full'].includes(shown.name);
    const sign = isTurn ? `● ${words.say('stage.turn')}` : state.ahead && shown.name === 'waiting' ? `(${words.number(state.ahead)})` : '';
    document.title = sign ? `${sign} ${calm}` : calm;
  };
  const dates = h('ul', { class: 'dates' }, onSale.performances.map((performance) => h('li', {},
    onSale.performances.length > 1 ? h('b', {}, performance.title) : null, ' ', whenAndWhere(performance, words))));
  const areMany = onSale.performances.length > FEW;
  main.append(
    h('div', { class: 'intro' }, h('h1', {}, onSale.title), areMany ? null : dates),
    view.element,
    areMany ? h('details', { class: 'policies' }, h('summary', {}, `${words.say('performances')} (${words.number(onSale.performances.length)})`), dates) : '',
    ...policies(onSale.policies));
  await line.start();
} catch (problem) {
  main.append(h('p', { class: 'notice problem', role: 'alert' }, explain(problem, words)), h('p', {}, h('a', { href: `/h/${slug}` }, words.say('back_to_house'))));
}

function policies(kept) {
  const rows = ['fees', 'refunds', 'delivery'].filter((name) => kept?.[name]);
  if (!rows.length) return [];
  return [h('details', { class: 'policies' }, h('summary', {}, words.say('policies')),
    h('dl', {}, rows.map((name) => [h('dt', {}, words.say(`policy.${name}`)), h('dd', {}, kept[name])])))];
}
