// The board: state, why, counts, and the buttons that make sense now. Draws itself for the page and for a panel in VR.

import { cue } from './cues.js';

const ARMED_MS = 3000;
const COLOURS = { idle: '#5f6b76', engaged: '#3fb950', hold: '#f85149' };

export class Board {
  #link;
  #armed = null;
  #said = { state: 'idle', why: '', phase: '', text: '', buttons: [], hands: [] };
  #result = '';
  sources = () => [];
  version = 0;

  constructor(link) {
    this.#link = link;
    link.addEventListener('board', (event) => this.#show(event.detail));
    link.addEventListener('result', (event) => this.#tell(event.detail));
    link.addEventListener('lost', () => this.#cut('the link to the station is lost'));
    link.addEventListener('away', (event) => this.#cut(event.detail));
    this.canvas = document.createElement('canvas');
    this.canvas.width = 1024;
    this.canvas.height = 320;
    this.#draw();
  }

  get said() {
    return this.#said;
  }

  /** A controller's key (a, b, x, y) was pressed. */
  key(key) {
    const button = this.#said.buttons.find((each) => each.key === key);
    if (button) this.press(button);
  }

  /** Press a button; one that has to be confirmed is armed first. */
  press(button) {
    if (button.confirm && this.#armed !== button.name) {
      this.#arm(button.name);
      return;
    }
    this.#arm(null);
    this.#link.press(button.name);
  }

  #arm(name) {
    this.#armed = name;
    if (name) {
      cue('armed', this.sources());
      setTimeout(() => { if (this.#armed === name) this.#arm(null); }, ARMED_MS);
    }
    this.#render();
  }

  #cut(why) {
    this.#show({ ...this.#said, state: 'hold', why, buttons: [], hands: [] });
  }

  #tell(result) {
    this.#result = result.text;
    if (!result.done) cue('refused', this.sources());
    this.#render();
  }

  #show(board) {
    const before = this.#said;
    this.#said = board;
    const heard = change(before, board);
    if (heard) cue(heard, this.sources());
    if (board.phase !== before.phase) this.#result = '';
    if (this.#armed && !board.buttons.some((button) => button.name === this.#armed)) this.#armed = null;
    this.#render();
  }

  #render() {
    const { state, why, text, buttons } = this.#said;
    document.documentElement.dataset.state = state;
    document.documentElement.dataset.phase = this.#said.phase;
    const board = document.getElementById('board');
    board.dataset.state = state;
    document.getElementById('state').textContent = state;
    document.getElementById('why').textContent = why;
    document.getElementById('text').textContent = this.#result ? `${text}: ${this.#result}` : text;
    document.getElementById('phone-board').textContent = `${state} ${why} ${text} ${this.#result}`;
    for (const id of ['buttons', 'phone-buttons']) {
      document.getElementById(id).replaceChildren(...buttons.map((button) => this.#element(button)));
    }
    this.#draw();
  }

  #element(button) {
    const element = document.createElement('button');
    element.type = 'button';
    element.dataset.name = button.name;
    element.textContent = this.#label(button);
    element.className = this.#armed === button.name ? 'armed' : '';
    element.onclick = () => this.press(button);
    return element;
  }

  #label(button) {
    return this.#armed === button.name ? `${button.label}: press again` : button.label;
  }

  #draw() {
    const { state, why, text, buttons } = this.#said;
    const c = this.canvas.getContext('2d');
    const { width, height } = this.canvas;
    c.fillStyle = '#14171ae0';
    c.clearRect(0, 0, width, height);
    c.fillRect(0, 0, width, height);
    c.fillStyle = COLOURS[state];
    c.fillRect(0, 0, 20, height);
    c.font = 'bold 52px sans-serif';
    c.fillText(state, 44, 62);
    c.fillStyle = '#e8eaed';
    c.font = '30px sans-serif';
    lines(c, why, width - 300).slice(0, 3).forEach((line, index) => c.fillText(line, 270, 44 + 36 * index));
    c.fillText(this.#result ? `${text}: ${this.#result}` : text, 44, 170, width - 60);
    c.font = '34px sans-serif';
    buttons.forEach((button, index) => {
      const armed = this.#armed === button.name;
      c.fillStyle = armed ? '#ffb37a' : '#9ecbff';
      c.fillText(`${(button.key || '·').toUpperCase()}  ${this.#label(button)}`, 44 + 490 * (index % 2), 225 + 44 * (index >> 1), 470);
    });
    this.version++;
  }
}

function lines(c, text, width) {
  const found = [''];
  for (const word of text.split(' ')) {
    const longer = `${found.at(-1)} ${word}`.trim();
    if (c.measureText(longer).width <= width) found[found.length - 1] = longer;
    else found.push(word);
  }
  return found;
}

/** The one cue that matters most of what has changed. */
function change(before, now) {
  if (now.state === 'hold' && before.state !== 'hold') return 'hold';
  if (now.phase === 'recording' && before.phase !== 'recording') return 'recording';
  if (before.phase === 'recording' && now.phase !== 'recording') return 'done';
  if (now.hands.length > before.hands.length) return 'clutch';
  return now.hands.length < before.hands.length ? 'release' : '';
}
