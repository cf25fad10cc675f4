// A place that came behind the `#` of this page's address, where no server sees it.

/** Takes the place out of the address, where it must not stay; null if there is none. */
export function readFragment() {
  const given = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  if (!given.place || !given.secret) return null;
  history.replaceState(history.state, '', location.pathname + location.search);
  return given;
}
