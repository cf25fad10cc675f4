// A house's colours, made safe to read: text on them is chosen by contrast (WCAG 2.2, AA), never taken on trust.

const AA = 4.5;
/** A background of more luminance is a light one, and gives way by night. */
const LIGHT = 0.18;
const INK = [27, 27, 31];
const PAPER = [255, 255, 255];
const BLACK = [0, 0, 0];
const NIGHT = [22, 23, 27];
const MOON = [240, 240, 243];

function parse(text, otherwise) {
  const match = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(text ?? '');
  if (!match) return otherwise;
  const digits = match[1].length === 3 ? [...match[1]].map((digit) => digit + digit).join('') : match[1];
  return [0, 2, 4].map((at) => parseInt(digits.slice(at, at + 2), 16));
}

function luminance(color) {
  const [red, green, blue] = color.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** The contrast ratio of two colours ([red, green, blue], 0–255), 1 to 21. */
export function contrast(one, other) {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

const mix = (from, to, share) => from.map((part, at) => Math.round(part + (to[at] - part) * share));
const css = (color) => `rgb(${color.join(' ')})`;
/** White or ink, whichever can be read on a colour; on a middle tone only black can. */
const bestOn = (color) => [PAPER, INK].find((ink) => contrast(ink, color) >= AA) ?? BLACK;

/** The colour itself if it can be read on the background, else the nearest mix towards the text that can. */
function readable(color, background, text) {
  for (let share = 0; share < 1; share += 0.1) {
    const mixed = mix(color, text, share);
    if (contrast(mixed, background) >= AA) return mixed;
  }
  return text;
}

/** The custom properties of a house's colours (`{primary, accent, background, text}`, hex), in a light or dark room. */
export function palette(colours = {}, isDark = false) {
  const paper = parse(colours.background, [251, 250, 248]);
  const background = isDark && luminance(paper) > LIGHT ? NIGHT : paper;
  const wished = parse(colours.text, INK);
  const text = contrast(wished, background) >= 7 ? wished : [INK, MOON].find((ink) => contrast(ink, background) >= 7) ?? bestOn(background);
  const primary = parse(colours.primary, [36, 76, 90]);
  const accent = parse(colours.accent, [178, 74, 48]);
  const fill = contrast(primary, background) >= 3 ? primary : readable(primary, background, text);
  // The darkest (by night: the lightest) that style.css puts behind text: what it calls soft.
  const tinted = mix(background, text, isDark ? 0.15 : 0.1);
  // What lies on the page is lighter than it; on a dark page a little, or text could not be read on it.
  const card = mix(background, PAPER, luminance(background) > LIGHT ? 0.6 : 0.05);
  return {
    '--background': css(background), '--card': css(contrast(text, card) >= AA ? card : background), '--text': css(text),
    '--primary': css(fill), '--on-primary': css(bestOn(fill)),
    '--accent': css(accent), '--on-accent': css(bestOn(accent)),
    '--link': css(readable(primary, tinted, text)),
    '--muted': css(readable(mix(text, background, 0.35), tinted, text)),
  };
}

const painted = new Set();
let darkness = null;

/**
 * Puts a house's colours on an element, and keeps them right when the device turns light or dark. `scheme`: `light` or
 * `dark` whatever the device says. `isOpen`: whoever uses the element may set its colours too, as `--parvis-primary` and so on.
 */
export function applyColours(element, colours, { scheme = '', isOpen = false } = {}) {
  const apply = () => {
    const isDark = scheme ? scheme === 'dark' : darkness.matches;
    for (const [name, value] of Object.entries(palette(colours, isDark))) {
      element.style.setProperty(name, isOpen ? `var(--parvis${name.slice(1)}, ${value})` : value);
    }
    element.style.setProperty('color-scheme', isDark ? 'dark' : 'light');
    element.dataset.scheme = isDark ? 'dark' : 'light';
  };
  if (!darkness) {
    darkness = matchMedia('(prefers-color-scheme: dark)');
    darkness.addEventListener('change', () => painted.forEach((each) => { if (each.element.isConnected) each.apply(); else painted.delete(each); }));
  }
  // An element that is painted again is painted in its last colours from then on.
  painted.forEach((each) => { if (each.element === element) painted.delete(each); });
  painted.add({ element, apply });
  apply();
}

/** What can be read on a colour (hex). */
export function inkOn(color) {
  return css(bestOn(parse(color, [119, 119, 119])));
}
