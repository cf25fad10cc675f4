// Where visitors come back to. The pass is behind the #: it has been in no server's log. The house's own server checks it.

const pass = new URLSearchParams(location.hash.slice(1)).get('pass');
history.replaceState(null, '', location.pathname + location.search);
const shown = document.getElementById('turn');

if (pass) {
  const answer = await fetch('session', { method: 'POST', body: pass });
  const { until } = await answer.json();
  shown.textContent = answer.ok
    ? `It’s your turn, until ${new Date(until * 1000).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' })}.`
    : 'This is not a turn at our house.';
} else shown.textContent = 'You come without a turn.';
