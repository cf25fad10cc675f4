// The widget's own look. It lives in a shadow root, takes the house's colours, and leaves the page around it alone.

export const STYLE = `
:host { display: block; container-type: inline-size; }
.frame {
  --line: var(--parvis-line, color-mix(in srgb, var(--background), var(--text) 16%));
  --edge: color-mix(in srgb, var(--background), var(--text) 52%);
  --soft: color-mix(in srgb, var(--background), var(--primary) 8%); --danger: #b3261e; --good: #1c6b3c; --round: var(--parvis-round, 16px);
  text-align: center;
  font: 100%/1.55 var(--parvis-font, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif);
}
.frame[data-scheme="dark"] { --danger: #ff8a80; --good: #7fd6a0; }
* { box-sizing: border-box; }
[hidden] { display: none !important; }
h2, p, dl, dd, ul { margin: 0; }
a { color: var(--link); text-underline-offset: 0.2em; }
.title { font-size: 1.05rem; font-weight: 650; padding: 0.9rem 1.2rem; background: var(--primary); color: var(--on-primary); border-radius: var(--round) var(--round) 0 0; }
.card { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1rem; justify-items: center; padding: clamp(1.1rem, 5cqi, 2rem); background: var(--card); border: 1px solid var(--line); border-top: 0; border-radius: 0 0 var(--round) var(--round); }
.stage { font-size: clamp(1.25rem, 5cqi, 1.7rem); line-height: 1.2; letter-spacing: -0.015em; text-wrap: balance; }
.stage:focus { outline: none; }
.number-box { display: grid; }
.number-label, dt, .age { color: var(--muted); font-size: 0.92rem; }
.number, .countdown { font-size: clamp(2.2rem, 13cqi, 4rem); line-height: 1.1; letter-spacing: -0.03em; font-variant-numeric: tabular-nums; color: var(--link); }
.facts { display: flex; flex-wrap: wrap; justify-content: center; gap: 0.6rem 2rem; }
.facts dd { font-weight: 650; font-size: 1.08rem; font-variant-numeric: tabular-nums; }
.next { max-width: 34rem; display: grid; gap: 0.6rem; text-wrap: pretty; }
.ahead { width: min(100%, 24rem); height: 0.65rem; appearance: none; border: 0; border-radius: 99px; overflow: hidden; background: var(--line); forced-color-adjust: none; }
.ahead::-webkit-progress-bar { background: var(--line); }
.ahead::-webkit-progress-value { background: var(--link); }
.ahead::-moz-progress-bar { background: var(--link); }
button { font: inherit; font-weight: 600; cursor: pointer; border: 1.5px solid transparent; border-radius: 12px; padding: 0.75rem 1.4rem; min-height: 2.75rem; background: none; color: inherit; }
button[aria-busy="true"] { outline: 2px dashed; outline-offset: -5px; cursor: progress; }
.primary { background: var(--primary); color: var(--on-primary); }
.secondary { border-color: var(--edge); }
.quiet { color: var(--link); font-weight: 500; text-decoration: underline; text-underline-offset: 0.2em; padding-inline: 0.6rem; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 3px; border-radius: 6px; }
.actions { display: flex; flex-wrap: wrap; justify-content: center; gap: 0.6rem; }
.card, .notice { color: var(--text); }
.notice { width: 100%; text-align: left; padding: 0.75rem 1rem; border-radius: 12px; background: var(--soft); border-left: 4px solid var(--link); overflow-wrap: anywhere; }
.problem { border-color: var(--danger); }
.message { border-color: var(--accent); }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (forced-colors: active) { .title, .card { border: 1px solid; } .primary { border-color: ButtonText; } }
`;
