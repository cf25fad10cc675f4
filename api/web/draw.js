// The draw, recomputed in the visitor's own browser: `parvis-feistel-1` over n entrants with a seed.

export const ALGORITHM = 'parvis-feistel-1';
const ROUNDS = 6;
const LEAST_HALF_BITS = 5;
const U16_A_HASH = 16;

/** Bytes as base64url without padding. */
export function encode(bytes) {
  return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

/** The inverse of `encode`. */
export function decode(text) {
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0));
}

/** base64url SHA-256 of bytes: what is published before the draw, for the seed. */
export async function digest(bytes) {
  return encode(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)));
}

/** What HMAC-SHA-256 under a key (bytes) makes of a text: bytes. */
export async function signing(key) {
  const known = await crypto.subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return async (text) => new Uint8Array(await crypto.subtle.sign('HMAC', known, new TextEncoder().encode(text)));
}

/** Table r: the first 2^halfBits big-endian u16 of HMAC(seed, "parvis-feistel-1/r/j"), j = 0, 1, …, each masked. */
async function table(signed, round, halfBits) {
  const size = 1 << halfBits;
  const hashes = await Promise.all(Array.from({ length: size / U16_A_HASH }, (_, block) => signed(`${ALGORITHM}/${round}/${block}`)));
  const bytes = hashes.flatMap((hash) => [...hash]);
  return Uint16Array.from({ length: size }, (_, at) => (256 * bytes[2 * at] + bytes[2 * at + 1]) & (size - 1));
}

/**
 * The draw of `entrants` under `seed` (bytes): a function from arrival index to position, both from 0.
 * An index at or behind `entrants` came after the start and keeps its order of arrival.
 */
export async function makeDraw(seed, entrants) {
  let halfBits = LEAST_HALF_BITS;
  while (4 ** halfBits < entrants) halfBits += 1;
  const size = 1 << halfBits;
  const signed = await signing(seed);
  const tables = await Promise.all(Array.from({ length: ROUNDS }, (_, round) => table(signed, round, halfBits)));
  return (index) => {
    if (index >= entrants) return index;
    let value = index;
    do {
      let left = value >> halfBits;
      let right = value % size;
      for (const values of tables) [left, right] = [right, left ^ values[right]];
      value = left * size + right;
    } while (value >= entrants);
    return value;
  };
}
