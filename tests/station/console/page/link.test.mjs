// The page's link, without a browser: what it gives up, what it does not hear, what it says of pictures.
import assert from 'node:assert/strict';
import test, { mock } from 'node:test';
import { Link, SLEPT } from '../../../../station/console/page/link.js';

class Socket {
  static OPEN = 1;
  static made = [];
  constructor() {
    this.said = [];
    this.readyState = 0;
    Socket.made.push(this);
  }
  send(text) { this.said.push(JSON.parse(text)); }
  close() { this.readyState = 3; }
  opens() { this.readyState = 1; this.onopen(); }
}

/** A link whose clocks are the test's: `passes(ms)` moves both on, `sleeps(ms)` the wall's alone. */
function linked() {
  let monotonicMs = 5000, wallMs = 1_800_000_000_000;
  const timers = new Map(), later = (every) => (does, ms) => timers.set(++timers.n, { does, ms, every, dueMs: monotonicMs + ms }) && timers.n;
  timers.n = 0;
  mock.method(globalThis, 'setTimeout', later(false));
  mock.method(globalThis, 'setInterval', later(true));
  mock.method(globalThis, 'clearTimeout', (n) => timers.delete(n));
  mock.method(performance, 'now', () => monotonicMs);
  mock.method(Date, 'now', () => wallMs);
  Object.assign(globalThis, {
    WebSocket: Socket, location: { protocol: 'http:', host: 'here' }, sessionStorage: { getItem: () => 'aaaaaaaaaaaaaaaa' },
    document: { addEventListener: () => {}, visibilityState: 'visible' },
  });
  Socket.made.length = 0;
  const heard = [], changes = [], drawn = [];
  const link = new Link({ heard: (message) => heard.push(message), changed: (...change) => changes.push(change), picture: () => new Promise((done) => drawn.push(done)) });
  link.open();
  Socket.made[0].opens();
  const passes = (ms) => {
    for (let passed = 0; passed < ms; passed += 100) {
      monotonicMs += 100;
      wallMs += 100;
      for (const [n, timer] of [...timers].filter(([, { dueMs }]) => dueMs <= monotonicMs)) {
        if (timer.every) timer.dueMs += timer.ms;
        else timers.delete(n);
        timer.does();
      }
    }
  };
  return { link, heard, changes, drawn, passes, sleeps: (ms) => { wallMs += ms; } };
}

const told = (socket) => socket.onmessage({ data: '{"kind": "state"}' });

test.afterEach(() => mock.reset());

test('a link that says nothing for six seconds is given up, and another opened', () => {
  const { changes, heard, passes } = linked(), [first] = Socket.made;
  for (let n = 0; n < 40; n++) {
    passes(200);
    told(first);
  }
  assert.deepEqual([Socket.made.length, heard.length], [1, 40], 'a link that speaks stays');
  passes(5800);
  assert.equal(Socket.made.length, 1);
  passes(1700);
  assert.deepEqual([first.readyState, Socket.made.length], [3, 2]);
  assert.deepEqual(changes.at(-2), ['closed', 0]);
  told(first);
  assert.equal(heard.length, 40, 'what still comes over the old one is old');
  first.onclose({ code: 1006 });
  assert.deepEqual(changes.at(-1), ['connecting', 0], 'and its end is nobody’s');
  passes(20_000);
  assert.ok(Socket.made.length >= 3, 'one that never opens is given up, too');
});

test('what waited while the computer slept is not heard', () => {
  const { changes, heard, passes, sleeps } = linked(), [first] = Socket.made;
  passes(1000);
  told(first);
  sleeps(3_600_000);
  told(first);
  assert.deepEqual([heard.length, changes.at(-1)], [1, ['closed', SLEPT]]);
  passes(1000);
  Socket.made[1].opens();
  told(Socket.made[1]);
  assert.equal(heard.length, 2);
  sleeps(-7_200_000);
  told(Socket.made[1]);
  assert.equal(heard.length, 3, 'a clock that was set back is no sleep');
});

test('the console is told how many pictures are drawn, ten times a second at most, of this link’s', async () => {
  const { drawn, passes } = linked(), [first] = Socket.made, picture = new ArrayBuffer(30);
  const said = (socket) => socket.said.filter(({ type }) => type === 'drawn').map(({ pictures }) => pictures);
  for (let n = 0; n < 5; n++) first.onmessage({ data: picture });
  drawn.slice(0, 4).forEach((done) => done());
  await new Promise(setImmediate);
  assert.deepEqual(said(first), []);
  passes(100);
  assert.deepEqual(said(first), [4], 'the fifth is being decoded');
  first.onclose({ code: 1006 });
  passes(1000);
  Socket.made[1].opens();
  drawn[4]();
  Socket.made[1].onmessage({ data: picture });
  drawn[5]();
  await new Promise(setImmediate);
  passes(100);
  assert.deepEqual(said(Socket.made[1]), [1], 'one of another link does not count');
});
