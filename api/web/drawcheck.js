// A draw, checked in the visitor's own browser: the secret, the closed list, what other houses contribute, the order.
// The same as `engine/verifier.py`; the vectors in tests/vectors/draw.json hold for both.

import { decode, digest, encode, signing } from './draw.js';

const MIXED = 'parvis-draw-2';
const LEAF = 0;
const NODE = 1;

function joined(...parts) {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  parts.reduce((at, part) => { whole.set(part, at); return at + part.length; }, 0);
  return whole;
}

const hash = async (...parts) => new Uint8Array(await crypto.subtle.digest('SHA-256', joined(...parts)));
const ascii = (text) => new TextEncoder().encode(text);

/** The leaf of an entrant: SHA-256 of 0, the index in eight bytes, and the secret hash. All as bytes. */
export function leaf(index, secretHash) {
  const place = new DataView(new ArrayBuffer(8));
  place.setBigUint64(0, BigInt(index));
  return hash([LEAF], new Uint8Array(place.buffer), secretHash);
}

/** The root to which a path (bytes, lowest first) leads from a leaf; null where it cannot be one. RFC 9162, 2.1.3.2. */
export async function rootBy(hashed, index, entrants, path) {
  let [at, last, root] = [index, entrants - 1, hashed];
  for (const other of path) {
    if (last === 0) return null;
    if (at % 2 === 1 || at === last) {
      root = await hash([NODE], other, root);
      while (at % 2 === 0 && at > 0) [at, last] = [at / 2, Math.floor(last / 2)];
    } else root = await hash([NODE], root, other);
    [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  }
  return last === 0 && index < entrants ? root : null;
}

/** The seed, base64url, that a draw must have. `of`: house/on-sale/line. */
export async function seedOf(of, { rule, entrants, root, windows, secret, contributors = [] }) {
  const text = [
    MIXED, of, `${rule.planned_at} ${rule.after_ms}`, `${entrants} ${root}`,
    ...rule.window_seconds ? [`windows ${rule.window_seconds} ${rule.anchor}: ${windows.join(' ')}`] : [],
    ...contributors.map((each) => `${each.house} ${each.commitment} ${each.secret ?? '-'}`),
  ].join('\n');
  return encode(await (await signing(decode(secret)))(text));
}

/** What another house committed to, if this is its secret. */
export const contributed = (of, { rule }, { house, secret }) =>
  digest(ascii(`parvis-contribution\n${house}\n${of}\n${rule.planned_at}\n${secret}`));

/**
 * What is wrong with a draw, in one word; null where it is right. `promised`, `others`: the commitments as they were kept
 * from before it, of the house and of those that contribute.
 */
export async function fault(of, draw, promised = draw.commitment, others = draw.contributors) {
  if ((await digest(decode(draw.secret ?? draw.seed))) !== promised) return 'seed_wrong';
  if (draw.algorithm !== MIXED) return (draw.secret ?? draw.seed) === draw.seed && !others?.length ? null : 'mix_wrong';
  const named = (list = []) => list.map((each) => `${each.house} ${each.commitment}`).join();
  if (named(others) !== named(draw.contributors)) return 'mix_wrong';
  for (const each of draw.contributors ?? []) {
    if (each.secret && (await contributed(of, draw, each)) !== each.commitment) return 'mix_wrong';
  }
  return (await seedOf(of, draw)) === draw.seed ? null : 'mix_wrong';
}

/** Whether somebody was in the closed list. `path`: as the server answers it; `secret`: what this browser has kept. */
export async function isListed(draw, index, secret, path) {
  const hashed = await leaf(index, decode(await digest(ascii(secret))));
  const root = await rootBy(hashed, index, draw.entrants, path.map(decode));
  return root !== null && encode(root) === draw.root;
}
