// Which situation a visitor in a queue is in, and what there is to say about it: words only, no page.

const ENDED_PHASES = ['sold_out', 'closed'];
const BEFORE_PHASES = ['scheduled', 'prequeue'];
const ACTIONS = { joinable: 'join', turn: 'enter', full: 'enter', shopping: 'enter', turn_over: 'again', line_over: 'again' };
/** In these a visitor has a number that is worth keeping. */
export const KEEPING = ['gathered', 'waiting', 'paused'];
export const IN_TURN = ['turn', 'full'];

/** The situation by its name, of all that the pages know how to tell. */
export function situation({ phase, place, position, isServed, isTurnOver, isFull, hasPass, isMissing, isConnected }) {
  if (!phase) return isMissing ? 'missing' : isConnected ? 'loading' : 'unreachable';
  if (ENDED_PHASES.includes(phase) && !hasPass) return phase;
  if (hasPass) return 'shopping';
  if (isTurnOver) return 'turn_over';
  if (phase === 'over' && !isServed) return 'line_over';
  if (!place) return phase === 'scheduled' ? 'scheduled' : 'joinable';
  if (position === null) return 'gathered';
  if (phase === 'paused') return 'paused';
  if (isServed) return isFull ? 'full' : 'turn';
  return phase === 'open' ? 'waiting' : 'gathered';
}

/** The expected wait in words. `band`: [least, most] in minutes, `most` null where nobody can tell; null: nothing is known. */
export function sayWait(ahead, band, words) {
  if (ahead === 0) return words.say('any_moment');
  if (!band) return words.say('wait_unknown');
  const [least, most] = band;
  if (most === null) return words.say('minutes_at_least', { n: least });
  if (most <= 1) return words.say('about_a_minute');
  if (least >= 120) return words.say('hours_range', { from: Math.floor(least / 60), to: Math.ceil(most / 60) });
  return words.say('minutes_range', { from: least, to: most });
}

/** What to show: headline, number, countdown, facts, what happens next. `onSale` is the on-sale's document. */
export function describe(state, words, onSale) {
  const name = situation(state);
  const { status, ahead, position } = state;
  const opens = status?.opens_at ?? onSale.opens_at;
  const isBefore = BEFORE_PHASES.includes(state.phase);
  const isInLine = [...KEEPING, ...IN_TURN].includes(name);
  // How much time there is at the turn: to come in, to choose and pay, and for chosen seats.
  const times = { turn: words.span(onSale.turn_seconds), pass: words.span(onSale.pass_seconds), hold: words.span(onSale.hold_seconds) };
  const facts = [];
  const fact = (label, value) => facts.push([words.say(label), value]);
  if (name === 'scheduled') fact('queue_opens', words.moment(onSale.prequeue_at));
  if (isBefore) fact('sales_start', words.moment(opens));
  if (isBefore && name === 'gathered') fact('arrived_as', words.number(state.index + 1));
  if (isBefore && status.lines.public.joined) fact('people_waiting', words.number(status.lines.public.joined));
  if (ahead !== null && ['waiting', 'paused'].includes(name)) {
    fact('ahead_of_you', words.number(ahead));
    fact('expected_wait', name === 'paused' ? words.say('wait_unknown_paused') : sayWait(ahead, state.wait, words));
    if (name === 'waiting' && state.perMinute > 0) fact('pace', words.say('pace_is', { n: state.perMinute }));
  }
  // Nobody is told to come back who would come without their number.
  const window = ['scheduled', 'joinable', 'gathered'].includes(name) && status.draw?.rule?.window_seconds;
  const kind = window ? '_windows' : name === 'joinable' && !isBefore ? '_open' : state.lasts !== 'device' && ['gathered', 'waiting'].includes(name) ? '_here' : '';
  const next = [words.say(`next.${name}${kind}`, { time: words.hour(opens), ...times })];
  if (window) next.push(words.say('windows', { window: words.span(window) }));
  if (KEEPING.includes(name)) next.push(words.say('turn_kept', times));
  if (name === 'sold_out' && state.place) next.push(words.say('sold_out_keep'));
  return {
    name, isInLine, action: ACTIONS[name] ?? null,
    headline: words.say(`stage.${name}`),
    number: position !== null && isInLine && !isBefore ? words.number(position + 1) : null,
    countdown: isBefore ? { label: words.say(name === 'scheduled' ? 'queue_opens_in' : 'sales_start_in'), until: name === 'scheduled' ? onSale.prequeue_at : opens } : null,
    facts, next,
    hasEnded: ENDED_PHASES.includes(name),
    message: status?.message || '',
    trouble: sayTrouble(state, words, isInLine && !isBefore ? times : null),
  };
}

/** What is wrong with what is shown: there is no connection, or it is older than it should be. Empty when nothing is. */
function sayTrouble({ isConnected, status, ageMs, staleMs }, words, times) {
  if (!isConnected && status) return words.say('reconnecting') + (times ? ` ${words.say('reconnecting_turn', times)}` : '');
  return status && ageMs > staleMs ? words.say('figures_old', { ago: words.ago(ageMs) }) : '';
}

/** What stands before a page's title: how many are ahead, or that it is the visitor's turn. */
export function titleSign({ ahead }, { name }, words) {
  if (IN_TURN.includes(name)) return `● ${words.say('stage.turn')} `;
  return name === 'waiting' && ahead ? `(${words.number(ahead)}) ` : '';
}
