// How a visitor who looks elsewhere hears that it is their turn: a sound, and a notification of the browser.
// Each only for whoever asked for it by pressing its button; all goes on without them.

import { h, setText } from './dom.js';
import { IN_TURN, KEEPING } from './situation.js';

const NOTES_HZ = [523.25, 659.25, 783.99];
const REPEATS = 3;

/** Three rising notes, a few times over. */
function chime(audio, repeats) {
  for (let at = 0; at < repeats * NOTES_HZ.length; at += 1) {
    const startsAt = audio.currentTime + at * 0.22 + Math.floor(at / NOTES_HZ.length) * 0.7;
    const [tone, loudness] = [audio.createOscillator(), audio.createGain()];
    tone.frequency.value = NOTES_HZ[at % NOTES_HZ.length];
    loudness.gain.setValueAtTime(0.0001, startsAt);
    loudness.gain.exponentialRampToValueAtTime(0.25, startsAt + 0.03);
    loudness.gain.exponentialRampToValueAtTime(0.0001, startsAt + 0.4);
    tone.connect(loudness).connect(audio.destination);
    tone.start(startsAt);
    tone.stop(startsAt + 0.45);
  }
}

function notify(title, body, tag) {
  const notice = new Notification(title, { body, tag, requireInteraction: true });
  notice.onclick = () => { window.focus(); notice.close(); };
}

/** Buttons to be told by; `update(state, shown)` tells once for each turn. */
export function turnSigns({ words, onSale }) {
  let [audio, mayNotify, wasTurn] = [null, false, true];
  const said = h('p', { class: 'muted', role: 'status' });
  const toggle = (name, press) => h('button', { type: 'button', class: 'secondary toggle', 'aria-pressed': 'false', onclick: press }, words.say(name));
  const sound = toggle('signs_sound', switchSound);
  const notice = toggle('signs_notice', switchNotice);
  // A frame of another site may ask for no permission.
  notice.hidden = !('Notification' in window) || !window.isSecureContext || window.top !== window;
  const element = h('details', { class: 'signs', hidden: true }, h('summary', {}, words.say('signs_title')),
    h('p', {}, words.say('signs_lead')), h('div', { class: 'actions' }, sound, notice), said);

  function press(button, isOn, text) {
    button.setAttribute('aria-pressed', String(isOn));
    setText(said, words.say(text));
  }

  async function switchSound() {
    if (audio) {
      audio.close();
      audio = null;
      press(sound, false, 'signs_sound_off');
      return;
    }
    audio = new AudioContext();
    await audio.resume();
    chime(audio, 1);
    press(sound, true, 'signs_sound_on');
  }

  async function switchNotice() {
    if (mayNotify) {
      mayNotify = false;
      press(notice, false, 'signs_notice_off');
      return;
    }
    try {
      if (await Notification.requestPermission() !== 'granted') throw new Error('refused');
      // Some browsers allow it and can't: the first one shows that this one can.
      notify(onSale.title, words.say('signs_trial'), onSale.on_sale);
      mayNotify = true;
      press(notice, true, 'signs_notice_on');
    } catch {
      press(notice, false, 'signs_notice_refused');
    }
  }

  function tell() {
    if (audio) audio.resume().then(() => chime(audio, REPEATS));
    if (mayNotify) notify(words.say('stage.turn'), onSale.title, onSale.on_sale);
  }

  function update(state, { name }) {
    element.hidden = !KEEPING.includes(name);
    const isTurn = IN_TURN.includes(name);
    if (isTurn && !wasTurn) tell();
    wasTurn = isTurn || !state.status;
  }

  return { element, update };
}
