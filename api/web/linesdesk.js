// A sale's queues beside everybody's, on the control page: declared with the sale, watched, and the codes that open them.

import { nameFor, plainName } from './addresses.js';
import { saveFile } from './aftersale.js';
import { change, get, SERVER } from './api.js';
import { field, h, setText } from './dom.js';
import { unfold } from './unfold.js';
import { instantIn, sayMoment } from './zonetime.js';

const [MOST_LINES, MOST_SHARED, MOST_AT_ONCE] = [4, 99, 10_000];
const LINE_KINDS = ['code', 'invitation'];

const whole = (value, least, most) => h('input', { type: 'number', required: true, value, min: least, max: most, inputmode: 'numeric' });

/** A name in addresses, of small letters first, that none of `taken` has. */
function lineName(title, taken) {
  const plain = `${/^[a-z]/.test(plainName(title)) ? '' : 'q-'}${plainName(title)}`.slice(0, 28).replace(/-+$/, '');
  return ['public', ...taken].includes(plain) ? `${plain}-${taken.length + 1}` : plain;
}

/** The fields for them. `read()` gives the lines as the API takes them, or the words of what is wrong. `opensAt()`: typed, when sales start for everybody. */
export function linesForm({ words, opensAt }) {
  const rows = [];
  const list = h('div', { class: 'unfolded', hidden: true });
  const add = h('button', { type: 'button', class: 'secondary', onclick: more }, words.say('sale_line_add'));
  const element = h('details', { class: 'more' }, h('summary', {}, words.say('sale_lines')), h('p', { class: 'muted' }, words.say('sale_lines_hint')), list, h('div', { class: 'actions' }, add));

  function draw() {
    list.replaceChildren(...rows.map(({ box }) => box));
    list.hidden = !rows.length;
    add.hidden = rows.length >= MOST_LINES;
  }

  function more() {
    const title = h('input', { type: 'text', required: true, maxlength: 120 });
    const by = h('select', {}, LINE_KINDS.map((each) => h('option', { value: each }, words.say(`sale_line_by.${each}`))));
    const share = whole(20, 1, MOST_SHARED);
    const [opens, closes] = [h('input', { type: 'datetime-local', required: true, value: opensAt() }), h('input', { type: 'datetime-local' })];
    const row = { title, by, share, opens, closes };
    const remove = h('button', { type: 'button', class: 'quiet', onclick: () => { rows.splice(rows.indexOf(row), 1); draw(); add.focus(); } }, words.say('sale_line_remove'));
    row.box = h('fieldset', {}, field(words.say('sale_line_title'), title, words.say('sale_line_title_hint')), field(words.say('sale_line_by'), by), field(words.say('sale_line_share'), share),
      field(words.say('sale_line_opens'), opens, `${words.say('sale_zone', { zone: words.zone })} ${words.say('sale_line_opens_hint')}`), field(words.say('sale_line_closes'), closes), remove);
    rows.push(row);
    draw();
    title.focus();
  }

  function read() {
    const lines = [];
    for (const { title, by, share, opens, closes } of rows) {
      const [from, to] = [opens, closes].map(({ value }) => (value ? instantIn(words.zone, value) : undefined));
      if (from === null || to === null) return words.say('sale_no_such_time');
      if (to && to <= from) return words.say('sale_line_order');
      lines.push({ line: lineName(title.value, lines.map(({ line }) => line)), title: title.value.trim(), by: by.value, share_percent: Number(share.value), opens_at: from, closes_at: to });
    }
    return lines.reduce((sum, each) => sum + each.share_percent, 0) > MOST_SHARED ? words.say('sale_line_shares') : lines;
  }
  return { element, read };
}

const windowOf = ({ opens_at: opens, closes_at: closes }, words) => [opens, closes].filter(Boolean).map((each) => sayMoment(words, each)).join(' – ');

/** The same in words, a sentence a line. */
export const sayLines = (lines, words) => lines.map((each) => words.say('sale_line_summary', { title: each.title, by: words.say(`sale_line_by.${each.by}`), share: each.share_percent, time: windowOf(each, words) }));

/** How each stands, below the numbers of the sale. `tile(label, value)` is one number. */
export function lineTiles(lines, words, tile) {
  return lines.flatMap((each) => [h('h3', {}, `${each.title} (${words.say(`phase.${each.phase}`)})`), h('p', { class: 'muted' }, `${windowOf(each, words)} · ${words.say('percent', { share: each.share_percent })}`),
    h('dl', { class: 'tiles' }, tile('count.joined', words.number(each.joined)), tile('count.now_serving', words.number(each.now_serving)), tile('count.ahead', words.number(each.waiting)))]);
}

/** Codes and invitations, a file of them. `shown()` is the sale that is looked at; `attempt(button, action)` shows trouble. */
export function linesDesk({ words, path, house, key, attempt, after, shown }) {
  const linkOf = (onSale, line, code) => new URL(`h/${house}/${onSale}#${new URLSearchParams({ line, code })}`, SERVER).href;

  async function make({ on_sale: onSale }, { line, title, by }, count, first) {
    const reason = words.say('reason_none');
    if (by === 'invitation') {
      const { invitations } = await change('POST', `${path}/on-sales/${onSale}/lines/${line}/invitations`, { bearer: key, body: { count, first, reason } });
      return invitations.map(({ number, code }) => [number, code, linkOf(onSale, line, code)]);
    }
    const { codes } = await change('POST', `${path}/codes`, { bearer: key, body: { batch: nameFor(line), title, count, on_sale: onSale, line, reason } });
    return codes.map((code, at) => [at + 1, code, linkOf(onSale, line, code)]);
  }

  function build() {
    const sale = shown();
    if (!sale?.lines.length) return h('p', {}, words.say('lines_none'));
    const which = h('select', { onchange: look }, sale.lines.map((each) => h('option', { value: each.line }, each.title)));
    const [count, first] = [whole(100, 1, MOST_AT_ONCE), whole(1, 1, 100_000_000)];
    const numbered = field(words.say('lines_first'), first, words.say('lines_first_hint'));
    const used = h('p', { class: 'muted', role: 'status', hidden: true });
    const button = h('button', { type: 'submit', class: 'primary' }, words.say('lines_file'));
    const chosen = () => sale.lines.find((each) => each.line === which.value);
    function look() {
      numbered.hidden = chosen().by !== 'invitation';
      used.hidden = true;
      if (chosen().by === 'code') tellUsed(which.value).catch(() => null);
    }
    async function tellUsed(line) {
      const batches = (await get(`${path}/codes`, { bearer: key })).batches.filter((each) => each.on_sale === sale.on_sale && each.line === line);
      if (which.value !== line || !batches.length) return;
      const sumOf = (name) => words.number(batches.reduce((sum, each) => sum + each[name], 0));
      setText(used, words.say('lines_used', { used: sumOf('used'), n: sumOf('count') }));
      used.hidden = false;
    }
    function submit(event) {
      event.preventDefault();
      attempt(button, async () => {
        const rows = await make(sale, chosen(), Number(count.value), Number(first.value));
        saveFile(new Blob([['number', 'code', 'link'], ...rows].map((row) => `${row.join(',')}\r\n`), { type: 'text/csv' }), `${house}-${sale.on_sale}-${which.value}.csv`);
        after.tell(words.say('lines_made', { n: words.number(rows.length) }));
        look();
      });
    }
    look();
    return h('form', { onsubmit: submit }, field(words.say('lines_which'), which), used, field(words.say('lines_count'), count), numbered, button);
  }
  return unfold(words.say('lines_make'), build).element;
}
