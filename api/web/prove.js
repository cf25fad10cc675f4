// Solves the proof of work that is asked for while many join (ALTCHA's challenge): in a worker where the browser lets us,
// so that the page stays quick, else in short slices. Loaded only when a proof is asked for; needs nothing else.

const K = new Uint32Array([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
  0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
  0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
  0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2]);
const START = new Uint32Array([0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19]);
const BLOCK = 64;
const SLICE_MS = 12;
const NUMBERS_A_LOOK = 500;
/** A worker that says nothing for so long is given up. */
const SILENT_MS = 5000;
const w = new Uint32Array(64);

/** One block of SHA-256 (FIPS 180-4) into `state`. */
function compress(state, bytes, offset) {
  for (let i = 0, at = offset; i < 16; i += 1, at += 4) w[i] = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
  for (let i = 16; i < 64; i += 1) {
    const [x, y] = [w[i - 15], w[i - 2]];
    w[i] = w[i - 16] + w[i - 7] + (((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3)) + (((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10));
  }
  let a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], k = state[7];
  for (let i = 0; i < 64; i += 1) {
    const t = (k + (((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7))) + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
    const u = ((((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10))) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    k = g; g = f; f = e; e = (d + t) | 0; d = c; c = b; b = a; a = (t + u) | 0;
  }
  state[0] += a; state[1] += b; state[2] += c; state[3] += d; state[4] += e; state[5] += f; state[6] += g; state[7] += k;
}

/** Tries numbers from where it was: `run(until)` gives the one that solves it, or null. What all have in common is hashed once. */
export function trier({ salt, challenge, maxnumber }) {
  const head = new TextEncoder().encode(salt);
  const wanted = new Uint32Array(8).map((_, i) => parseInt(challenge.slice(i * 8, i * 8 + 8), 16));
  const whole = head.length - (head.length % BLOCK);
  const begun = START.slice();
  for (let at = 0; at < whole; at += BLOCK) compress(begun, head, at);
  const rest = head.length - whole;
  const tail = new Uint8Array(2 * BLOCK);
  const state = new Uint32Array(8);
  let number = 0;
  function isSolved() {
    const digits = String(number);
    const length = rest + digits.length;
    const size = length + 9 > BLOCK ? 2 * BLOCK : BLOCK;
    tail.fill(0, rest, size);
    if (rest) tail.set(head.subarray(whole));
    for (let i = 0; i < digits.length; i += 1) tail[rest + i] = digits.charCodeAt(i);
    tail[length] = 0x80;
    new DataView(tail.buffer).setUint32(size - 4, (whole + length) * 8);
    state.set(begun);
    for (let at = 0; at < size; at += BLOCK) compress(state, tail, at);
    for (let i = 0; i < 8; i += 1) if (state[i] !== wanted[i]) return false;
    return true;
  }
  return {
    get share() { return number / (maxnumber + 1); },
    get isOver() { return number > maxnumber; },
    run(count) {
      for (const end = Math.min(maxnumber + 1, number + count); number < end; number += 1) if (isSolved()) return number;
      return null;
    },
  };
}

/** On the page itself, never for longer than a blink. */
async function solveHere(challenge, onprogress) {
  const tries = trier(challenge);
  let untilMs = performance.now() + SLICE_MS;
  while (!tries.isOver) {
    const number = tries.run(NUMBERS_A_LOOK);
    if (number !== null) return number;
    if (performance.now() > untilMs) {
      onprogress(tries.share);
      await new Promise((resolve) => { setTimeout(resolve); });
      untilMs = performance.now() + SLICE_MS;
    }
  }
  throw new Error('no solution');
}

function solveInWorker(challenge, onprogress) {
  const policy = globalThis.trustedTypes?.createPolicy('parvis', { createScriptURL: (url) => url });
  const worker = new Worker(policy ? policy.createScriptURL(import.meta.url) : import.meta.url, { type: 'module' });
  return new Promise((resolve, reject) => {
    let silent = setTimeout(reject, SILENT_MS);
    worker.onerror = reject;
    worker.onmessage = ({ data: { share, number } }) => {
      clearTimeout(silent);
      silent = setTimeout(reject, SILENT_MS);
      if (number === undefined) onprogress(share);
      else resolve(number);
    };
    worker.postMessage(challenge);
  }).finally(() => worker.terminate());
}

/** The proof as it is shown. `onprogress(share)`: how much was tried, 0 to 1. */
export async function prove(challenge, onprogress = () => {}) {
  let number;
  try {
    number = await solveInWorker(challenge, onprogress);
  } catch {
    number = await solveHere(challenge, onprogress); // inside another site, whose workers are its own
  }
  const { algorithm, challenge: wanted, salt, signature } = challenge;
  return btoa(JSON.stringify({ algorithm, challenge: wanted, number, salt, signature }));
}

/**
 * Goes on with a join that was refused because a proof is asked for: solves, and asks again, anew where it came too late.
 * `ask(proof)` joins. Whatever else is wrong is the caller's.
 */
export async function joinWithProof(problem, ask, onprogress, tries = 3) {
  const { challenge } = problem.facts ?? {};
  if (!challenge || !tries) throw problem;
  try {
    return await ask(await prove(challenge, onprogress));
  } catch (again) {
    if (again.slug !== 'proof-ended') throw again;
    return ask().catch((asked) => joinWithProof(asked, ask, onprogress, tries - 1));
  } finally {
    onprogress(null);
  }
}

if (globalThis.WorkerGlobalScope) {
  globalThis.onmessage = async ({ data }) => {
    postMessage({ number: await solveHere(data, (share) => postMessage({ share })) });
  };
}
