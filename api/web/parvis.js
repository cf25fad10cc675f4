// <parvis-waiting-room>: the queue inside a house's own site. One line in the page brings it,
//   <script type="module" src="https://…/web/parvis.js"></script>
// and another shows it; it asks the server that the script came from.
//   <parvis-waiting-room house="zeewind" on-sale="spring"></parvis-waiting-room>
//
// Attributes   house      the house's name in addresses
//              on-sale    the on-sale's name in addresses
//              language   nl, fr, de or en; else the page's own `lang`, else the browser's, of those the house speaks
//              theme      light or dark; else as the device is set
//              in-title   the page's title says how many are ahead, and when it is the visitor's turn
// Property     state      {situation, phase, position, ahead, wait, connected}: `wait` is [least, most] minutes or null;
//                         `situation` is one of loading unreachable missing scheduled joinable gathered waiting paused turn
//                         full shopping turn_over line_over sold_out closed
// Events       parvis-change    after each change; detail: the state
//              parvis-turn      it is the visitor's turn; detail: the state
//              parvis-enter     the visitor goes to the seats; detail: {href}; preventDefault() stays and leaves it to the page
//              parvis-problem   the on-sale cannot be shown; detail: {problem, status}
//              All of them bubble and leave the shadow.
// Slots        header (instead of the title), before, waiting, turn, sold-out, closed (while it is so), footer
// Parts        frame title card stage number-box number-label number countdown ahead facts next actions primary secondary quiet
//              notice message trouble problem stuck onwards age rest outlook seats open-seats signs link draw
// Properties   --parvis-primary --parvis-on-primary --parvis-accent --parvis-on-accent --parvis-background --parvis-text
//              --parvis-link --parvis-muted: a house's colours, else those it gave to Parvis, made fit to be read.
//              Whoever sets them answers for the contrast. --parvis-card --parvis-line --parvis-round --parvis-font
// No cookie is set; the place is kept in the page's own localStorage. In a frame the seats open at the top.

import { explain, get, SERVER } from './api.js';
import { h } from './dom.js';
import { Line } from './line.js';
import { importPinned } from './pinned.js';
import './seatmaploader.js';
import { IN_TURN, titleSign } from './situation.js';
import { applyColours } from './theme.js';
import { waitingView } from './waitingview.js';
import { STYLE } from './widgetstyle.js';
import { chooseLanguage, loadWords } from './words.js';

let sheet = null;

class ParvisWaitingRoom extends HTMLElement {
  static observedAttributes = ['house', 'on-sale', 'language', 'theme'];

  connectedCallback() {
    this.room ??= this.attachShadow({ mode: 'open' });
    if (!sheet) {
      sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
    }
    this.room.adoptedStyleSheets = [sheet];
    this.begin();
  }

  disconnectedCallback() {
    this.started = null;
    this.line?.stop();
    this.view?.stop();
    this.line = null;
  }

  attributeChangedCallback(name, before, after) {
    if (!this.isConnected || !this.room || before === after) return;
    this.disconnectedCallback();
    this.begin();
  }

  /** Where the visitor stands; null before anything is known. */
  get state() {
    return this.seen ?? null;
  }

  fire(name, detail, cancelable = false) {
    return this.dispatchEvent(new CustomEvent(name, { detail, cancelable, bubbles: true, composed: true }));
  }

  async begin() {
    const [house, onSale] = [this.getAttribute('house'), this.getAttribute('on-sale')];
    if (!house || !onSale) return;
    const started = this.started = Symbol('started');
    const about = get(`/v1/houses/${house}/on-sales/${onSale}`).catch((problem) => ({ problem }));
    const line = this.line = new Line({ house, onSale });
    line.start();
    const facts = await get(`/v1/houses/${house}`).catch(() => null);
    const asked = this.getAttribute('language') ?? this.closest('[lang]')?.lang;
    const words = await loadWords(chooseLanguage(facts?.languages, asked), facts?.time_zone, ['waiting']);
    Object.assign(words.entries, facts?.words?.[words.language]);
    const found = await about;
    if (this.started !== started) return;
    const frame = h('div', { class: 'frame', lang: words.language });
    applyColours(frame, facts?.colours, { scheme: this.getAttribute('theme'), isOpen: true });
    this.room.replaceChildren(frame);
    if (found.problem) this.fail(found.problem, frame, words);
    else this.show(found, frame, words, line);
    this.nameParts();
  }

  show(about, frame, words, line) {
    line.prequeueAt = about.prequeue_at;
    line.turnMs = about.turn_seconds * 1000;
    const view = this.view = waitingView({ line, words, onSale: about, onenter: () => this.goToSeats(about, words), hasSlots: true });
    frame.append(h('slot', { name: 'header' }, h('h2', { class: 'title' }, about.title)), view.element, h('slot', { name: 'footer' }));
    const calm = document.title;
    line.onchange = (state) => {
      const shown = view.update(state);
      if (this.hasAttribute('in-title')) document.title = titleSign(state, shown, words) + calm;
      this.nameParts();
      this.tell(state, shown.name);
    };
    line.changed();
    importPinned('widgetmore.js').then(({ addMore }) => {
      if (this.view === view) addMore({ room: this.room, view, line, words, onSale: about });
    }, (problem) => console.error(problem));
  }

  fail(problem, frame, words) {
    this.line.stop();
    frame.append(h('p', { class: 'notice problem', role: 'alert' }, explain(problem, words)));
    this.fire('parvis-problem', { problem: problem.slug, status: problem.status });
  }

  tell({ phase, position, ahead, wait, isConnected }, situation) {
    const wasTurn = IN_TURN.includes(this.seen?.situation);
    this.seen = { situation, phase, position, ahead, wait, connected: isConnected };
    this.fire('parvis-change', this.seen);
    if (IN_TURN.includes(situation) && !wasTurn) this.fire('parvis-turn', this.seen);
  }

  /** Whatever has a class can be styled from outside by the same name. */
  nameParts() {
    for (const each of this.room.querySelectorAll('[class]:not([part])')) each.setAttribute('part', each.className);
  }

  /** The place and its secret go behind the `#`: a fragment reaches neither a server nor its logs. */
  goToSeats(about, words) {
    const page = new URL(`h/${about.house}/${about.on_sale}/seats`, SERVER);
    page.searchParams.set('language', words.language);
    page.hash = this.line.memory.fragment;
    if (!this.fire('parvis-enter', { href: page.href }, true)) return;
    let top = null;
    try {
      top = open(page, '_top');
    } catch { /* the same as null: a frame that may not lead its window elsewhere */ }
    if (!top) importPinned('widgetmore.js').then(({ offerWindow }) => offerWindow(this.room, page, words)).then(() => this.nameParts());
  }
}

customElements.define('parvis-waiting-room', ParvisWaitingRoom);
