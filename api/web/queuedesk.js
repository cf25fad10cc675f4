// The counter's part in the queue: whoever phones or stands here gets the next number, and is let in when it is their turn.

import { change, explain, get, SERVER } from './api.js';
import { observe } from './clock.js';
import { field, h, setText, whileBusy } from './dom.js';
import { Line } from './line.js';
import { readKept, writeKept } from './storage.js';

const ASK_MS = 4000;
const NO_MORE = ['sold_out', 'closed'];

/** Somebody who joined through this counter: a line of their own, with nothing of the visitor's own device. */
class Caller extends Line {
  constructor(house, entry) {
    super({ house, onSale: entry.on_sale });
    this.entry = entry;
    this.memory = { lasts: 'device', pass: null, kept: { ...entry, commitment: '-' }, keep: (facts) => Object.assign(this.memory.kept, facts) };
  }
}

/** `sell(onSale)` goes on to the seats. The places stay in this browser, without a name: staff tell people their number. */
export function queueDesk({ house, words, onSales, key, sell }) {
  const name = `parvis-counter:${house}`;
  const path = `/v1/houses/${house}`;
  const callers = (JSON.parse(readKept(name) ?? '[]')).filter((entry) => onSales.some((each) => each.on_sale === entry.on_sale)).map((entry) => new Caller(house, entry));
  const list = h('ul', { class: 'queue-desk' });
  const said = h('p', { role: 'status' });
  const problem = h('p', { class: 'notice problem', role: 'alert', hidden: true });

  const keep = () => writeKept(name, JSON.stringify(callers.map((caller) => caller.entry)));
  const titleOf = (id) => onSales.find((each) => each.on_sale === id).title;
  const tell = (trouble) => { problem.hidden = !trouble; setText(problem, trouble ? explain(trouble, words) : ''); };

  function remove(caller) {
    callers.splice(callers.indexOf(caller), 1);
    keep();
    draw();
  }

  function letIn(caller, button) {
    tell(null);
    return whileBusy(button, async () => {
      await change('POST', `${path}/on-sales/${caller.entry.on_sale}/passes`, { body: { place: caller.entry.place, secret: caller.entry.secret } });
      remove(caller);
      sell(caller.entry.on_sale);
    }, tell);
  }

  function linkOf({ entry }) {
    const page = new URL(`h/${house}/${entry.on_sale}`, SERVER);
    page.hash = new URLSearchParams({ place: entry.place, secret: entry.secret, index: entry.index }).toString();
    return page.href;
  }

  function say({ state }) {
    if (NO_MORE.includes(state.phase)) return words.say('counter.queue_over');
    if (state.position === null) return words.say('counter.queue_gathered', { n: words.number(state.index + 1) });
    if (state.isServed) return words.say('counter.queue_turn', { n: words.number(state.position + 1) });
    return words.say('counter.queue_waiting', { n: words.number(state.position + 1), ahead: words.number(state.ahead) });
  }

  function row(caller) {
    const text = h('p', {});
    const enter = h('button', { type: 'button', class: 'primary', onclick: () => letIn(caller, enter) }, words.say('counter.queue_let_in'));
    const address = h('input', { type: 'text', readonly: true, class: 'address', value: linkOf(caller), onfocus: () => address.select() });
    const gone = h('button', { type: 'button', class: 'quiet', onclick: () => remove(caller) }, words.say('counter.queue_remove'));
    const link = h('details', {}, h('summary', {}, words.say('counter.queue_link')), field(words.say('counter.queue_link'), address, words.say('counter.queue_link_hint')));
    caller.onchange = () => { setText(text, say(caller)); enter.hidden = !caller.state.isServed || NO_MORE.includes(caller.state.phase); };
    caller.changed();
    return h('li', { class: 'card' }, onSales.length > 1 ? h('b', {}, titleOf(caller.entry.on_sale)) : null, text, h('div', { class: 'actions' }, enter, gone), link);
  }

  function draw() {
    list.replaceChildren(...callers.map(row));
  }

  async function look() {
    await Promise.all([...new Set(callers.map(({ entry }) => entry.on_sale))].map(async (id) => {
      const status = await get(`${path}/on-sales/${id}/status`, { cache: 'no-cache' }).catch(() => null);
      if (!status) return;
      observe(status.server_time);
      for (const caller of callers.filter(({ entry }) => entry.on_sale === id)) {
        await caller.take(status);
        caller.changed();
      }
    }));
  }

  async function add(onSale) {
    tell(null);
    const made = await change('POST', `${path}/manage/on-sales/${onSale}/places`, { bearer: key, body: { reason: words.say('counter.queue_reason') } });
    callers.push(new Caller(house, { on_sale: onSale, place: made.place, secret: made.secret, index: made.index }));
    keep();
    draw();
    await look();
    setText(said, `${words.say('counter.queue_added')} ${say(callers.at(-1))}`);
  }

  const which = h('select', {}, onSales.map((each) => h('option', { value: each.on_sale }, each.title)));
  const button = h('button', { type: 'button', class: 'primary', onclick: () => whileBusy(button, () => add(which.value), tell) }, words.say('counter.queue_add'));
  draw();
  look();
  setInterval(() => { if (callers.length && !document.hidden) look(); }, ASK_MS);
  return h('details', { class: 'card', hidden: !onSales.length, open: callers.length > 0 }, h('summary', {}, words.say('counter.queue')), h('p', {}, words.say('counter.queue_lead')),
    onSales.length > 1 ? field(words.say('counter.queue_which'), which) : null, problem, said, h('div', { class: 'actions' }, button), list);
}
