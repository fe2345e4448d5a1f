// The page's link: opens, says hello, comes back by itself; full state comes first. It decides nothing.

const FIRST_AGAIN_MS = 500, LONGEST_AGAIN_MS = 5000, ALIVE_MS = 2000, PICTURE_HEADER = 24;
export const UNPAIRED = 4001, FULL = 4002, REPLACED = 4004;

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
    setInterval(() => this.alive(), ALIVE_MS);
    document.addEventListener('visibilitychange', () => this.alive());
  }

  open() {
    const socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/link`);
    socket.binaryType = 'arraybuffer';
    this.socket = socket;
    clearTimeout(this.comingBack);
    this.changed('connecting', 0);
    socket.onopen = () => {
      this.again = FIRST_AGAIN_MS;
      this.best = Infinity;
      this.say({ type: 'hello', tab: tab() });
      this.alive();
      this.changed('open', 0);
    };
    socket.onmessage = ({ data }) => (typeof data === 'string' ? this.heard(JSON.parse(data)) : this.took(data));
    socket.onclose = ({ code }) => {
      if (this.socket !== socket) return;
      this.socket = null;
      this.changed('closed', code);
      if (code === UNPAIRED || code === FULL || code === REPLACED) return;
      this.comingBack = setTimeout(() => this.socket ?? this.open(), this.again * (0.75 + 0.5 * Math.random()));
      this.again = Math.min(LONGEST_AGAIN_MS, 2 * this.again);
    };
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
    this.picture(header.getUint8(0), ageMs, new Blob([new Uint8Array(data, PICTURE_HEADER)], { type: 'image/jpeg' }));
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
