// The look of choosing seats. It lives in a shadow root, so that it is the same in our pages and in a house's own; the
// house's colours come in as custom properties.

export const CHOOSER_STYLE = `
:host {
  --card: color-mix(in srgb, var(--background), white 60%); --line: color-mix(in srgb, var(--background), var(--text) 16%);
  --edge: color-mix(in srgb, var(--background), var(--text) 52%); --soft: color-mix(in srgb, var(--background), var(--primary) 8%);
  --danger: #b3261e; --good: #1c6b3c; --gap: clamp(1rem, 3cqi, 1.75rem);
  display: block; container-type: inline-size; min-width: 0; color: var(--text); font: 100%/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
@media (prefers-color-scheme: dark) {
  :host { --card: color-mix(in srgb, var(--background), white 5%); --danger: #ff8a80; --good: #7fd6a0; --soft: color-mix(in srgb, var(--background), var(--link) 14%); }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
h2, h3, p, ul, ol, fieldset { margin: 0; padding: 0; border: 0; }
ul { list-style: none; }
h2 { font-size: 1.25rem; line-height: 1.2; letter-spacing: -0.015em; text-wrap: balance; }
small { font-size: 0.875em; color: var(--muted); }
a { color: var(--link); }
b { font-weight: 650; }
.muted { color: var(--muted); }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 3px; border-radius: 6px; }
button, select, input { font: inherit; color: inherit; }
button { cursor: pointer; border: 1.5px solid transparent; border-radius: 12px; padding: 0.6rem 1.15rem; min-height: 2.75rem; font-weight: 600; background: none; touch-action: manipulation; overflow-wrap: anywhere; }
button:disabled { opacity: 0.6; cursor: default; }
button[aria-busy="true"] { outline: 2px dashed; outline-offset: -5px; cursor: progress; }
.primary { background: var(--primary); color: var(--on-primary); }
.large { font-size: 1.08rem; padding: 0.8rem 1.4rem; }
.secondary { border-color: var(--edge); background: var(--card); text-align: start; }
.quiet { color: var(--link); font-weight: 500; text-decoration: underline; text-underline-offset: 0.2em; padding-inline: 0; text-align: start; }
.icon { min-width: 2.75rem; padding: 0; text-decoration: none; }
input[type="text"], select { width: 100%; min-height: 2.75rem; padding: 0.55rem 0.85rem; border: 1.5px solid var(--edge); border-radius: 12px; background: var(--background); }
.field { display: grid; gap: 0.3rem; }
.field > label, .field > span, legend { font-weight: 600; padding: 0; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 16px; padding: clamp(1rem, 3.5cqi, 1.75rem); display: grid; gap: 1rem; align-content: start; min-width: 0; }
.chooser, .with-tabs { display: grid; gap: var(--gap); min-width: 0; align-content: start; }
.forms { display: grid; gap: var(--gap); grid-template-columns: repeat(auto-fit, minmax(min(100%, 17rem), 1fr)); }
.forms:empty { display: none; }
.notice { padding: 0.8rem 1rem; border-radius: 12px; background: var(--soft); border-left: 4px solid var(--link); display: grid; gap: 0.6rem; overflow-wrap: anywhere; scroll-margin: 1rem; }
.notice.problem { border-color: var(--danger); background: color-mix(in srgb, var(--card), var(--danger) 9%); }
.notice.good { border-color: var(--good); background: color-mix(in srgb, var(--card), var(--good) 10%); }
.actions, .offers { display: flex; flex-wrap: wrap; gap: 0.5rem 1rem; align-items: center; }
.tabs { display: flex; gap: 0.6rem; overflow-x: auto; padding: 4px; margin: -4px; }
.tab { flex: none; border: 1.5px solid var(--edge); background: var(--card); line-height: 1.3; text-align: start; }
.tabs .tab { display: grid; }
.tab[aria-pressed="true"] { border-color: var(--link); background: var(--soft); box-shadow: inset 0 -3px var(--link); }
fieldset { min-width: 0; }
legend { margin-bottom: 0.4rem; }
.chip-row { display: flex; flex-wrap: wrap; gap: 0.35rem; }
.chip { position: relative; }
.chip input { position: absolute; inset: 0; opacity: 0; margin: 0; cursor: pointer; }
.chip span { display: grid; place-items: center; min-width: 2.75rem; min-height: 2.75rem; padding: 0.3rem 0.75rem; border: 1.5px solid var(--edge); border-radius: 12px; background: var(--background); font-variant-numeric: tabular-nums; }
.chip input:checked + span { background: var(--primary); color: var(--on-primary); border-color: var(--primary); font-weight: 650; box-shadow: 0 0 0 2px var(--card), 0 0 0 4px var(--link); }
.chip input:focus-visible + span { outline: 3px solid var(--link); outline-offset: 3px; }
.more > :not(summary) { margin-top: 0.6rem; }
.best .choice { display: flex; align-items: center; gap: 0.6rem; min-height: 2.75rem; }
.best .choice input { inline-size: 1.3rem; block-size: 1.3rem; flex: none; }
.tab small, summary small { font-weight: 400; }
summary { cursor: pointer; font-weight: 600; padding: 0.5rem 0; min-height: 2.75rem; align-content: center; }
.best > .quiet { justify-self: start; }
.quantities { display: grid; gap: 0.6rem; }
.quantity { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: 0.3rem 1rem; }
.quantity > span { display: grid; line-height: 1.3; }
.stepper { display: inline-flex; align-items: center; border: 1.5px solid var(--edge); border-radius: 12px; background: var(--background); flex: none; }
.stepper button { min-width: 2.75rem; padding: 0; font-size: 1.25rem; }
.stepper-number { min-width: 1.8rem; text-align: center; font-weight: 650; font-variant-numeric: tabular-nums; }
.plan-head { display: flex; flex-wrap: wrap; gap: 0.6rem 1rem; align-items: center; justify-content: space-between; }
.switch { display: flex; flex-wrap: wrap; gap: 0.4rem; }
.legend { display: flex; flex-wrap: wrap; gap: 0.35rem 1.1rem; font-size: 0.92rem; }
.legend li { display: flex; align-items: center; gap: 0.5rem; }
.stamp { width: 1.35rem; height: 1.35rem; flex: none; }
.map { display: grid; gap: 0.5rem; }
.map-frame { position: relative; contain: layout paint style; width: 100%; min-height: 16rem; max-height: min(70vh, 44rem); border: 1px solid var(--edge); border-radius: 12px; overflow: hidden; background: var(--background); touch-action: pan-y; cursor: grab; user-select: none; -webkit-user-select: none; }
.map-frame.zoomed { touch-action: none; }
.sheets, .sheet { position: absolute; left: 0; top: 0; transform-origin: 0 0; pointer-events: none; }
.sheets { will-change: transform; }
.map-buttons { display: flex; flex-wrap: wrap; justify-content: end; align-items: start; gap: 0.4rem; }
.map-buttons button { width: 2.75rem; padding: 0; font-size: 1.2rem; background: var(--card); border-color: var(--edge); }
.levels { display: flex; flex: 1 1 100%; flex-wrap: wrap; gap: 0.4rem; }
.map-buttons .level { width: auto; min-width: 2.75rem; padding: 0.4rem 0.65rem; font-size: 0.88rem; }
.map-seen { flex: 1; align-self: center; font-size: 0.92rem; font-weight: 600; line-height: 1.3; }
.map-tip { min-height: 1.6em; font-size: 0.95rem; color: var(--muted); text-align: center; }
.seat-list { display: grid; gap: 0.6rem; }
.find { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 0.6rem; align-items: end; }
.seat-list > p:empty { display: none; }
.zone { border: 1px solid var(--line); border-radius: 12px; padding: 0 0.9rem; }
.rows { border-top: 1px solid var(--line); }
.row summary span { display: inline-block; }
.row summary span::first-letter { text-transform: uppercase; }
.row + .row { border-top: 1px solid var(--line); }
.row-seats { display: flex; flex-wrap: wrap; gap: 0.4rem; padding: 0.2rem 0 0.8rem; }
.seat { width: 2.75rem; padding: 0; border: 1.5px solid var(--edge); background: var(--background); font-variant-numeric: tabular-nums; overflow-wrap: normal; border-radius: 50%; }
.seat.wheelchair { border-radius: 10px; border-width: 2.5px; }
.seat.held, .seat.sold, .seat.blocked { color: var(--muted); border-color: var(--line); cursor: default; font-weight: 400; text-decoration: line-through; }
.seat.held { background: repeating-linear-gradient(135deg, var(--line) 0 2px, transparent 2px 7px); }
.seat.blocked { border-style: dashed; }
.seat.picked { border: 3px solid var(--text); }
.seat.picked::after, .seat.mine::after { content: " ✓"; }
.seat.mine { background: var(--text); color: var(--background); border-color: var(--text); }
.tray { border-top: 1px solid var(--line); padding-top: 1rem; display: grid; gap: 0.75rem; }
.tray-end { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: 0.75rem; }
.items { display: grid; }
.items li { display: flex; flex-wrap: wrap; align-items: center; gap: 0.25rem 0.75rem; padding: 0.55rem 0; border-bottom: 1px solid var(--line); }
.items li > span:first-child { flex: 1 1 14rem; display: grid; line-height: 1.35; min-width: 0; }
.items select { width: auto; max-width: 9.5rem; }
.amount { font-variant-numeric: tabular-nums; white-space: nowrap; margin-left: auto; }
@container (min-width: 40rem) { .levels { flex-basis: auto; } }
@media (forced-colors: active) {
  .chip input:checked + span, .tab[aria-pressed="true"], .seat.mine { forced-color-adjust: none; background: Highlight; color: HighlightText; border-color: Highlight; }
  .tab[aria-pressed="true"] small { color: inherit; }
  .quiet { border-color: Canvas; }
}
@media (prefers-reduced-motion: reduce) { * { transition: none !important; scroll-behavior: auto !important; } }
`;

let chooserSheet = null;

/** Puts a part of the page into its own shadow root, in this look; gives the host. */
export function wear(host, ...children) {
  const root = host.shadowRoot ?? host.attachShadow({ mode: 'open' });
  if (!chooserSheet) {
    chooserSheet = new CSSStyleSheet();
    chooserSheet.replaceSync(CHOOSER_STYLE);
  }
  root.adoptedStyleSheets = [chooserSheet];
  root.replaceChildren(...children);
  return host;
}
