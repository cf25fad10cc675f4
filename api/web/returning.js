// Back to the house's own website with the pass, for a house that wants only the waiting room.

/** Whether an address is one that a house allows, or lies under it. The browser's own reading of both: it is what goes there. */
export function isAllowedReturn(address, allowed) {
  const [to, root] = [new URL(address), new URL(allowed)];
  if (to.origin !== root.origin || to.username || to.password) return false;
  if (root.search) return to.pathname === root.pathname && to.search === root.search;
  return to.pathname === root.pathname || to.pathname.startsWith(`${root.pathname.replace(/\/$/, '')}/`);
}

/** Where `?return_to=` of this page leads: null when it is not there, false when the house does not allow it. */
export function readReturn(allowed) {
  const asked = new URLSearchParams(location.search).get('return_to');
  if (asked === null) return null;
  return URL.canParse(asked) && (allowed ?? []).some((each) => isAllowedReturn(asked, each)) ? new URL(asked) : false;
}

/** Goes back with the pass behind the `#`: a fragment reaches no server's log, and no other page as a referrer. */
export function goBack(address, pass) {
  const to = new URL(address);
  to.hash = new URLSearchParams({ pass });
  location.assign(to);
}
