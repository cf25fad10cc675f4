// How that looks which the widget loads later.

export const MORE_STYLE = `
.rest { width: 100%; display: grid; grid-template-columns: minmax(0, 1fr); gap: 0.8rem; text-align: left; overflow-wrap: anywhere; }
.onwards { padding: 0; list-style: none; display: flex; flex-wrap: wrap; justify-content: center; gap: 0 1.5rem; }
.onwards a { display: inline-block; padding: 0.6rem 0; }
details { border-top: 1px solid var(--line); padding-top: 0.35rem; }
summary { cursor: pointer; font-weight: 600; padding: 0.6rem 0; margin-left: 1.15em; list-style-position: outside; }
details > :not(summary) { margin-top: 0.35rem; }
.lines form, .lines ul { display: grid; gap: 0.75rem; padding: 0; list-style: none; }
.muted, .price { color: var(--muted); }
.open-seats { padding: 0; list-style: none; display: grid; }
.open-seats li { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 0 1rem; padding: 0.45rem 0; border-bottom: 1px solid var(--line); }
.open-seats li:last-child { border: 0; }
.open-seats .price { grid-row: 2; font-size: 0.92rem; }
.left-open { grid-row: 1 / 3; grid-column: 2; align-self: center; font-variant-numeric: tabular-nums; }
.category { display: flex; align-items: center; gap: 0.5rem; overflow-wrap: anywhere; }
.swatch { width: 0.95rem; height: 0.95rem; border-radius: 50%; flex: none; border: 1px solid var(--muted); forced-color-adjust: none; }
.toggle[aria-pressed="true"]::before { content: "✓ "; }
.toggle[aria-pressed="true"] { background: var(--soft); }
.rest .actions { justify-content: start; }
.field { display: grid; font-weight: 600; }
.address { font: inherit; width: 100%; min-height: 2.75rem; padding: 0.5rem 0.8rem; color: inherit; background: var(--background); border: 1.5px solid var(--edge); border-radius: 12px; text-overflow: ellipsis; }
.fingerprints { display: grid; gap: 0.5rem; }
.fingerprints dt { color: var(--muted); font-size: 0.92rem; }
.fingerprints dd { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: 0.88rem; overflow-wrap: anywhere; }
.outcome { font-weight: 600; }
.outcome[data-right="yes"] { color: var(--good); }
.outcome[data-right="no"] { color: var(--danger); }
`;
