// The page: pair, watch, enter.

import { Board } from './board.js';
import { allowSound } from './cues.js';
import { Link } from './link.js';
import { Panels } from './panels.js';
import { Phone } from './phone.js';
import { Immersion, mode } from './xr.js';

const link = new Link();
const board = new Board(link);
const panels = new Panels(link);
const phone = new Phone(() => immersion.leave());
const immersion = new Immersion(link, board, panels, phone);
const show = (id, yes) => { document.getElementById(id).hidden = !yes; };
const say = (text) => { document.getElementById('status').textContent = text; };
let rate = 72;

link.addEventListener('welcome', async (event) => {
  rate = event.detail.rate_hz;
  document.documentElement.dataset.link = 'paired';
  say('paired');
  show('pair', false);
  show('take', false);
  show('paired', true);
  await offer();
});

link.addEventListener('refused', (event) => {
  document.documentElement.dataset.link = 'refused';
  say(event.detail || 'refused');
  immersion.leave();
  show('pair', true);
  show('take', false);
  show('paired', false);
});

link.addEventListener('away', (event) => {
  document.documentElement.dataset.link = 'away';
  say(`${event.detail || 'sent away'}: this one stays away`);
  immersion.leave();
  show('paired', false);
  show('take', true);
});

document.getElementById('take').onclick = () => {
  say('connecting …');
  link.connect();
};

link.addEventListener('lost', () => {
  document.documentElement.dataset.link = 'lost';
  say('the link to the station is lost; trying again …');
});

document.getElementById('pair').onsubmit = (event) => {
  event.preventDefault();
  link.connect(document.getElementById('code').value);
};

async function offer() {
  const found = await mode();
  const enter = document.getElementById('enter');
  const names = { 'immersive-vr': 'Enter VR', 'immersive-ar': 'Start (the phone is the hand)' };
  enter.hidden = !found;
  enter.textContent = names[found] ?? '';
  enter.onclick = () => start(found);
  show('refusal', !found);
  document.getElementById('refusal').textContent = found ? '' : (window.isSecureContext
    ? 'This browser has no WebXR, so it cannot move the robot; you can watch from here. Open this page in the headset’s '
      + 'own browser, or on an Android phone in Chrome with Google Play Services for AR.'
    : 'WebXR needs a secure page. Open the https:// address that `station vr` shows and accept its certificate once.');
}

async function start(found) {
  allowSound();
  try {
    show('overlay', found === 'immersive-ar');
    await immersion.enter(found, rate);
    document.documentElement.dataset.immersed = found;
  } catch (error) {
    show('overlay', false);
    say(`could not start: ${error.message}`);
  }
}

immersion.ended = () => {
  delete document.documentElement.dataset.immersed;
  show('overlay', false);
};

const code = location.hash.slice(1);
history.replaceState(null, '', location.pathname);
if (/^[\w-]{6,64}$/.test(code)) link.connect(code);
else if (link.remembered) link.connect();
else {
  say('not paired');
  show('pair', true);
}
