// Back to the house's own website with the pass, for a house that wants only the waiting room.

// The rule of `engine/return_addresses.py`: what is spelled so plainly that browser, server and we read it alike.
const PLAIN = /^(https?):\/\/([a-z0-9.-]+)(?::([1-9][0-9]{0,4}))?(\/[^?#]*)?(\?[^#]*)?(#.*)?$/i;
const NOT_PLAIN = /[^!-~]|\\/;
const ODD_PATH = /\/\/|%(?:2f|5c|25|00)|\/(?:\.|%2e){1,2}(?:[/;]|$)/i;
const PORTS = { http: '80', https: '443' };

/** An address as it is compared; null for what is not spelled plainly. */
function readPlain(address) {
  const found = NOT_PLAIN.test(address) ? null : PLAIN.exec(address);
  if (!found) return null;
  const [scheme, host] = [found[1].toLowerCase(), found[2].toLowerCase()];
  const { [3]: port = PORTS[scheme], [4]: path = '/', [5]: query = '' } = found;
  return port > 65_535 || ODD_PATH.test(path) ? null : { origin: `${scheme}://${host}:${port}`, path, query };
}

/** Whether an address is one that a house allows, or lies under it. With a query it is that very one. */
export function isAllowedReturn(address, allowed) {
  const [to, root] = [readPlain(address), readPlain(allowed)];
  if (!to || !root || to.origin !== root.origin) return false;
  if (root.query) return to.path === root.path && to.query === root.query;
  return to.path === root.path || to.path.startsWith(`${root.path.replace(/\/$/, '')}/`);
}

/** Where `?return_to=` of this page leads: null when it is not there, false when the house does not allow it. */
export function readReturn(allowed) {
  const asked = new URLSearchParams(location.search).get('return_to');
  if (asked === null) return null;
  return (allowed ?? []).some((each) => isAllowedReturn(asked, each)) && URL.canParse(asked) ? new URL(asked) : false;
}

/**
 * Goes back with the pass behind the `#`: a fragment reaches no server's log, and no other page as a referrer.
 * `queueittoken`: for a site with the connector of Queue-it; it reads that of the address.
 */
export function goBack(address, pass, queueittoken) {
  const to = new URL(address);
  if (queueittoken) to.search += `${to.search ? '&' : '?'}queueittoken=${queueittoken}`;
  to.hash = new URLSearchParams({ pass });
  location.assign(to);
}
