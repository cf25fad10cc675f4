// What is loaded after the first file: the browser checks it against the hashes that this one carries, so that whoever
// pins `parvis.js` by its hash has pinned everything.

/** By name; filled in where the widget is put together (api/pages.py). A page of our own carries none: it is not pinned. */
export const HASHES = {};

const FETCHES = 4;

/** Reads a JSON file that lies beside this one. It is asked for again when it is not the one meant: a release may be under way. */
export async function readPinned(name) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const options = { integrity: HASHES[name], credentials: 'omit', cache: attempt > 1 ? 'reload' : 'default' };
      const response = await fetch(new URL(name, import.meta.url), options);
      if (!response.ok) throw new Error(name);
      return await response.json();
    } catch (problem) {
      if (attempt >= FETCHES) throw problem;
      await new Promise((resolve) => { setTimeout(resolve, 250 * 2 ** attempt * (0.5 + Math.random())); });
    }
  }
}

let scriptPolicy;

/** Imports a module that lies beside this one. An element loads it: only there can a hash be named in every browser. */
export async function importPinned(name) {
  const address = new URL(name, import.meta.url).href;
  const script = document.createElement('script');
  Object.assign(script, { type: 'module', crossOrigin: 'anonymous', integrity: HASHES[name] ?? '' });
  scriptPolicy ??= globalThis.trustedTypes?.createPolicy('parvis', { createScriptURL: (url) => url }) ?? { createScriptURL: (url) => url };
  await new Promise((resolve, reject) => {
    script.onload = resolve;
    script.onerror = () => reject(new Error(name));
    script.src = scriptPolicy.createScriptURL(address);
    document.head.append(script);
  });
  return import(address);
}
