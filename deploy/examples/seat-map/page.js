// A visitor who comes back from the room brings the pass behind the #; with it the map lets them choose.

const map = document.querySelector('parvis-seat-map');
const pass = new URLSearchParams(location.hash.slice(1)).get('pass');
history.replaceState(null, '', location.pathname + location.search);
if (pass) map.setAttribute('pass', pass);

map.addEventListener('parvis-hold', ({ detail }) => {
  document.getElementById('held').textContent = detail.items.map((item) => item.seat ?? item.area).join(', ');
});
