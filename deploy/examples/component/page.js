// The house's own script: it hears what happens in the queue, and may react in its own way.

const room = document.querySelector('parvis-waiting-room');
const shown = document.getElementById('situation');

room.addEventListener('parvis-change', (event) => { shown.textContent = event.detail.situation; });
room.addEventListener('parvis-turn', () => { document.body.dataset.turn = 'yes'; });
