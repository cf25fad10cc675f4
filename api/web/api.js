// Talking to the server: one way to ask, one kind of error, and repeats that are harmless.

/** Where this file came from is the server, also when another site embeds the waiting room. */
export const SERVER = new URL('/', import.meta.url);

const TRIES = 4;
const TIME_OUT_MS = 12_000;
/** After so long nobody waits for a change any more: the reader decides whether to try again. */
const DEADLINE_MS = 40_000;

/** What the server refused (RFC 9457), or that it could not be reached (`slug` "unreachable"). */
export class Problem extends Error {
  constructor({ slug, status = 0, title = '', detail = '', facts = {}, retryAfterMs = null }) {
    super(detail || title || slug);
    Object.assign(this, { name: 'Problem', slug, status, title, detail, facts, retryAfterMs });
  }
}

/** `Retry-After`, in seconds or as a date, as milliseconds from now; null without it. */
export function readRetryAfter(text, nowMs = Date.now()) {
  if (!text) return null;
  const seconds = Number(text);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const dateMs = Date.parse(text);
  return Number.isNaN(dateMs) ? null : Math.max(0, dateMs - nowMs);
}

async function readProblem(response) {
  const facts = await response.json().catch(() => ({}));
  const slug = String(facts.type ?? '').split('/').pop() || `http-${response.status}`;
  const retryAfterMs = readRetryAfter(response.headers.get('Retry-After'));
  return new Problem({ slug, status: response.status, title: facts.title, detail: facts.detail, facts, retryAfterMs });
}

async function send(method, path, { body, bearer, key, prefer, accept, cache } = {}) {
  const headers = { Accept: accept ?? 'application/json' };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (bearer) headers.Authorization = `Bearer ${bearer}`;
  if (key) headers['Idempotency-Key'] = key;
  if (prefer) headers.Prefer = prefer;
  let response;
  try {
    response = await fetch(new URL(path.replace(/^\//, ''), SERVER), {
      method, headers, credentials: 'omit', cache,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(TIME_OUT_MS),
    });
  } catch {
    throw new Problem({ slug: 'unreachable' });
  }
  if (!response.ok) throw await readProblem(response);
  return response;
}

export const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

/** Reads a document as JSON. */
export async function get(path, options) {
  return (await send('GET', path, options)).json();
}

/** Reads a document as a file, for a download. */
export async function getFile(path, options) {
  return (await send('GET', path, { ...options, accept: '*/*' })).blob();
}

/**
 * Changes something. Without an answer, or when the server is busy for a moment, the same request with the same
 * key is repeated, until a deadline: it has one effect, and the first answer comes back. This is the one place that
 * repeats; what lies behind it never does.
 */
export async function change(method, path, options = {}) {
  const key = options.key ?? crypto.randomUUID();
  const untilMs = performance.now() + DEADLINE_MS;
  for (let attempt = 1; ; attempt += 1) {
    try {
      const response = await send(method, path, { ...options, key });
      return response.status === 204 ? null : await response.json();
    } catch (problem) {
      const isUncertain = problem instanceof Problem && (problem.slug === 'unreachable' || problem.status >= 502);
      if (!isUncertain || attempt >= (options.tries ?? TRIES)) throw problem;
      const waitMs = Math.min(problem.retryAfterMs ?? 400 * 2 ** attempt, 8000) * (0.75 + Math.random() / 2);
      if (performance.now() + waitMs > untilMs) throw problem;
      await pause(waitMs);
    }
  }
}

/** What went wrong, in the reader's language. */
export function explain(problem, words) {
  if (!(problem instanceof Problem)) {
    console.error(problem);
    return words.say('problem.generic');
  }
  const name = `problem.${problem.slug}`;
  if (words.has(name)) return words.say(name, problem.facts);
  if (problem.status === 503) return words.say('problem.busy');
  if (problem.status === 401 || problem.status === 403) return words.say('problem.not-allowed');
  if (problem.status === 404) return words.say('problem.not-found');
  return [words.say('problem.generic'), problem.detail || problem.title].filter(Boolean).join(' ');
}
