// The page's link: opens, says hello, comes back by itself; full state comes first. It decides nothing.

const FIRST_AGAIN_MS = 500, LONGEST_AGAIN_MS = 5000, ALIVE_MS = 2000, PICTURE_HEADER = 24;
const GIVEN_UP_MS = 6000; // the console speaks five times a second: on a link that was cut without a word nothing else would tell
const SLEPT_MS = 1500;
const DRAWN_MS = 100;
export const UNPAIRED = 4001, FULL = 4002, REPLACED = 4004, SLEPT = -1;

/** Which window this is: the same after a reload, another in each tab. */
function tab() {
  const kept = sessionStorage.getItem('tab');
  if (kept) return kept;
  const made = [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  sessionStorage.setItem('tab', made);
  return made;
}

export class Link {
  /** `heard(message)`: JSON from the console; `picture(camera, ageMs, blob)`; `changed(state, code)`: connecting, open, closed. */
  constructor({ heard, picture, changed }) {
    this.heard = heard;
    this.picture = picture;
    this.changed = changed;
    this.socket = null;
    this.again = FIRST_AGAIN_MS;
    this.comingBack = 0;
    this.ids = 1;
    this.best = Infinity;
    this.heardMs = 0;
    this.lead = Infinity;
    this.drawn = 0;
    this.telling = null;
    setInterval(() => this.alive(), ALIVE_MS);
    setInterval(() => this.watch(), FIRST_AGAIN_MS);
    document.addEventListener('visibilitychange', () => this.alive());
  }

  open() {
    const socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/link`);
    socket.binaryType = 'arraybuffer';
    this.socket = socket;
    this.heardMs = performance.now();
    clearTimeout(this.comingBack);
    this.changed('connecting', 0);
    this.drawn = 0;
    socket.onopen = () => {
      this.again = FIRST_AGAIN_MS;
      this.best = Infinity;
      this.say({ type: 'hello', tab: tab() });
      this.alive();
      this.changed('open', 0);
    };
    socket.onmessage = ({ data }) => {
      this.watch(); // what waited while the computer slept is not heard
      if (this.socket !== socket) return;
      this.heardMs = performance.now();
      if (typeof data === 'string') this.heard(JSON.parse(data));
      else this.took(data);
    };
    socket.onclose = ({ code }) => {
      if (this.socket !== socket) return;
      this.socket = null;
      this.changed('closed', code);
      if (code === UNPAIRED || code === FULL || code === REPLACED) return;
      this.comeBack();
    };
  }

  comeBack() {
    this.comingBack = setTimeout(() => this.socket ?? this.open(), this.again * (0.75 + 0.5 * Math.random()));
    this.again = Math.min(LONGEST_AGAIN_MS, 2 * this.again);
  }

  /** Give a link up that says nothing any more, or that was there before this computer slept: the browser may wait for it for minutes. */
  watch() {
    const slept = this.slept();
    if (!this.socket || (!slept && performance.now() - this.heardMs < GIVEN_UP_MS)) return;
    const { socket } = this;
    this.socket = null;
    socket.close();
    this.changed('closed', slept ? SLEPT : 0);
    this.comeBack();
  }

  /** Did it sleep since this was asked last? The clock of ages may stand still then, and the wall's does not; one that was set forward looks the same. */
  slept() {
    const lead = Date.now() - performance.now(), before = this.lead;
    this.lead = lead;
    return lead - before > SLEPT_MS;
  }

  /** How much longer than the fastest message of this link that one was on its way, ms: a slow link is no fresh picture. */
  delay(sentMs) {
    const took = performance.now() - sentMs;
    this.best = Math.min(this.best, took);
    return took - this.best;
  }

  took(data) {
    const header = new DataView(data, 0, PICTURE_HEADER);
    const sentMs = Number(header.getBigInt64(16, true)) / 1e6;
    const ageMs = sentMs - Number(header.getBigInt64(8, true)) / 1e6 + this.delay(sentMs);
    const { socket } = this, drawing = this.picture(header.getUint8(0), ageMs, new Blob([new Uint8Array(data, PICTURE_HEADER)], { type: 'image/jpeg' }));
    Promise.resolve(drawing).finally(() => this.drew(socket));
  }

  /** A picture is on the screen: the console, told so, sends no more than a few ahead, so that none grows old on its way. */
  drew(socket) {
    if (this.socket !== socket) return;
    this.drawn++;
    this.telling ??= setTimeout(() => {
      this.telling = null;
      this.say({ type: 'drawn', pictures: this.drawn });
    }, DRAWN_MS);
  }

  alive() {
    this.say({ type: 'alive', seen: document.visibilityState === 'visible' });
  }

  /** Say something; false where nobody hears it. */
  say(message) {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  /** Ask something that is answered; its number, 0 where nobody hears it. */
  ask(message) {
    const id = this.ids++;
    return this.say({ ...message, id }) ? id : 0;
  }
}
