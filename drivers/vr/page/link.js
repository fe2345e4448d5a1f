// The WebSocket to the station: says hello, answers pings, sends poses, hands out what comes.

const TOKEN = 'station-token';
const AGAIN_MS = 500;
const REFUSED = 4001;
const AWAY = 4003; // another page has taken the place, or this one misbehaved: coming back by itself would only be a quarrel
const CHECK_MS = 200;
const SILENT_MS = 1000; // the station pings five times a second: a link that says nothing for this long is dead
const MOST_BUFFERED = 20000; // bytes not yet sent: a pose that would queue behind them is too late to be of use

export class Link extends EventTarget {
  #socket = null;
  #again = 0; // the timer of coming back by itself
  #heard = 0;
  #checked = 0;
  #poses = 0;
  #text = new TextDecoder();
  paired = false;

  constructor() {
    super();
    setInterval(() => this.#check(), CHECK_MS);
  }

  /** Connect with a code, or with the token of an earlier pairing; reconnects by itself until refused. */
  connect(code = '') {
    clearTimeout(this.#again);
    this.#socket?.close();
    const socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/link`);
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    this.#heard = performance.now();
    socket.onopen = () => this.#send({ kind: 'hello', code, token: code ? '' : sessionStorage.getItem(TOKEN) ?? '' });
    socket.onmessage = (event) => { if (this.#socket === socket) this.#take(event.data); };
    socket.onclose = (event) => { if (this.#socket === socket) this.#ended(event.code, event.reason); };
  }

  /** A dead network closes nothing: notice the silence. After a pause of the page itself, listen first. */
  #check() {
    const now = performance.now();
    if (now - this.#checked > 2 * CHECK_MS) this.#heard = now;
    this.#checked = now;
    if (!this.#socket || now - this.#heard < SILENT_MS) return;
    const dead = this.#socket;
    this.#ended(0, 'nothing is heard');
    dead.close();
  }

  #ended(code, reason) {
    this.#socket = null;
    this.paired = false;
    if (code === REFUSED) {
      this.#tell('refused', reason);
      return;
    }
    if (code === AWAY) {
      this.#tell('away', reason);
      return;
    }
    this.#tell('lost', reason);
    this.#again = setTimeout(() => this.#socket ?? this.connect(), AGAIN_MS);
  }

  get remembered() {
    return Boolean(sessionStorage.getItem(TOKEN));
  }

  /** Send both hands now; a sample that the network cannot take is dropped, never queued. */
  pose(sample) {
    const number = this.#poses++;
    if (!this.paired || this.#socket.bufferedAmount > MOST_BUFFERED) return;
    this.#send({ kind: 'pose', n: number, ...sample });
  }

  press(name) {
    this.#send({ kind: 'press', name });
  }

  displayed(panel) {
    this.#send({ kind: 'displayed', panel });
  }

  #send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #take(data) {
    this.#heard = performance.now();
    if (data instanceof ArrayBuffer) {
      const length = new DataView(data).getUint32(0, true);
      const header = JSON.parse(this.#text.decode(new Uint8Array(data, 4, length)));
      this.#tell('picture', { ...header, jpeg: new Blob([new Uint8Array(data, 4 + length)], { type: 'image/jpeg' }) });
      return;
    }
    const message = JSON.parse(data);
    if (message.kind === 'ping') {
      this.#send({ kind: 'pong', n: message.n, t: performance.now() });
    } else if (message.kind === 'welcome') {
      sessionStorage.setItem(TOKEN, message.token);
      this.paired = true;
      this.#tell('welcome', message);
    } else {
      this.#tell(message.kind, message);
    }
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
