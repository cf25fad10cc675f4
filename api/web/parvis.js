// <parvis-waiting-room house="…" on-sale="…" [language="nl"]>: the queue inside a house's own site.
// One line in the page: <script type="module" src="https://…/web/parvis.js"></script>. It asks the server it came from.

import { explain, get, SERVER } from './api.js';
import { h } from './dom.js';
import { Line } from './line.js';
import { applyColours } from './theme.js';
import { waitingView } from './waitingview.js';
import { STYLE } from './widgetstyle.js';
import { chooseLanguage, loadWords } from './words.js';

let sheet = null;

class ParvisWaitingRoom extends HTMLElement {
  static observedAttributes = ['house', 'on-sale', 'language'];

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
    this.line?.stop();
    this.view?.stop();
    this.line = null;
  }

  attributeChangedCallback() {
    if (!this.isConnected || !this.room) return;
    this.disconnectedCallback();
    this.begin();
  }

  async begin() {
    const [house, onSale] = [this.getAttribute('house'), this.getAttribute('on-sale')];
    if (!house || !onSale) return;
    const started = this.started = Symbol('started');
    const facts = await get(`/v1/houses/${house}`).catch(() => null);
    const asked = this.getAttribute('language') ?? this.closest('[lang]')?.lang;
    const words = await loadWords(chooseLanguage(facts?.languages, asked), facts?.time_zone);
    if (this.started !== started || !this.isConnected) return;
    this.lang = words.language;
    applyColours(this, facts?.colours);
    try {
      const about = await get(`/v1/houses/${house}/on-sales/${onSale}`);
      this.line = new Line({ house, onSale });
      this.line.prequeueAt = about.prequeue_at;
      this.view = waitingView({ line: this.line, words, onSale: about, onenter: (line) => this.goToSeats(line, house, onSale) });
      this.line.onchange = (state) => {
        const { name } = this.view.update(state);
        this.dispatchEvent(new CustomEvent('parvis-change', { detail: { situation: name, ahead: state.ahead, position: state.position } }));
      };
      this.room.replaceChildren(h('h2', { class: 'title' }, about.title), this.view.element);
      await this.line.start();
    } catch (problem) {
      this.room.replaceChildren(h('p', { class: 'notice problem', role: 'alert' }, explain(problem, words)));
    }
  }

  /** The place and its secret go behind the `#`: a fragment reaches neither a server nor its logs. */
  goToSeats(line, house, onSale) {
    const { place, secret, index } = line.memory.kept;
    const page = new URL(`h/${house}/${onSale}/seats`, SERVER);
    page.searchParams.set('language', this.lang);
    page.hash = new URLSearchParams({ place, secret, index });
    location.assign(page);
  }
}

customElements.define('parvis-waiting-room', ParvisWaitingRoom);
