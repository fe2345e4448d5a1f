// State → what is shown, without a browser: `node --test`.
import assert from 'node:assert/strict';
import test from 'node:test';
import { asksReason, before, buttons, clock, columns, holds, keyed, liveness, meant, reach, strip, tile, word } from '../../../../station/console/page/model.js';
import { languages, t } from '../../../../station/console/page/words.js';
import { readFileSync } from 'node:fs';

const ACTIONS = JSON.parse(readFileSync(process.env.ACTIONS, 'utf8'));

function store(session = {}, more = {}) {
  const full = {
    phase: 'ready', actions: ['start', 'label_success', 'label_failure', 'note', 'pause', 'undo', 'close'], paused: false, newest: 16, saved: 3,
    control: { seat: 'me.1', holder: 'ada' }, motion: null, check_due: '', why: '', sequence: 5, ...session,
  };
  return {
    link: 'open', asked: new Map(), question: null, note: null, help: false, stateAt: 1000,
    welcome: { seat: 'me.1', role: 'operator', actions: ACTIONS, rig: { real: true, cameras: [], devices: [], tick_hz: 50 } },
    state: { session: full, age_ms: { session: 40 }, streams: [], trouble: [] }, ...more,
  };
}

test('what was heard goes grey after one second and dead after two, whoever is silent', () => {
  const s = store();
  assert.equal(liveness(s, 1000), 'live');
  assert.equal(liveness(s, 1959), 'live');
  assert.equal(liveness(s, 1960), 'stale');
  assert.equal(liveness(s, 2960), 'dead');
  s.state.age_ms.session = 2500; // the console speaks, the session does not
  assert.equal(liveness(s, 1000), 'dead');
  s.state.age_ms.session = null;
  assert.equal(liveness(s, 1000), 'dead');
  assert.equal(liveness({ ...s, state: null }, 1000), 'dead');
  assert.equal(word(s.state.session, 'dead'), 'silent');
});

test('buttons are the session’s and none else, off without control, for a viewer, and when nothing is live', () => {
  assert.deepEqual(buttons(store(), 1000).map(({ name, off }) => [name, off]), [
    ['start', false], ['label_success', false], ['label_failure', false], ['note', false], ['pause', false], ['undo', false], ['close', false],
  ]);
  assert.ok(buttons(store({ control: { seat: 'other', holder: 'bob' } }), 1000).every(({ off }) => off));
  assert.ok(buttons(store(), 4000).every(({ off }) => off));
  const viewer = store();
  viewer.welcome.role = 'viewer';
  assert.ok(buttons(viewer, 1000).every(({ off }) => off));
  const asked = store();
  asked.asked.set(1, { what: 'start', words: 'start' });
  assert.equal(buttons(asked, 1000)[0].busy, true);
  assert.deepEqual(buttons(store({ actions: ['levitate'] }), 1000), []);
});

test('a key means the first action of the table that makes sense, as in the terminal', () => {
  assert.equal(meant(store(), 'space').name, 'start');
  assert.equal(meant(store({ phase: 'recording', actions: ['stop', 'success', 'failure', 'discard'] }), 'space').name, 'stop');
  assert.equal(meant(store({ phase: 'hold', actions: ['go_on', 'close'] }), 'p').name, 'go_on');
  assert.equal(meant(store(), 'x'), null);
});

test('keys: at once, asked first, not without control, not when nothing is live', () => {
  assert.equal(keyed(store(), 'space', 1000).what, 'press');
  const undo = keyed(store(), 'u', 1000);
  assert.deepEqual([undo.what, undo.words], ['ask', 'delete episode 16?']);
  assert.equal(keyed(store(), 'n', 1000).what, 'note');
  assert.match(keyed(store({ control: { seat: '', holder: '' } }), 'space', 1000).words, /no page holds control/);
  assert.match(keyed(store({ control: { seat: 'o', holder: 'bob' } }), 'space', 1000).words, /bob holds control/);
  assert.equal(keyed(store(), 'space', 4000).what, 'told');
  assert.equal(keyed(store(), 'z', 1000).what, 'nothing');
  assert.match(keyed(store(), 'd', 1000).words, /nothing is being recorded/);
});

test('a question is answered by y or its own key; any other key says no and does no more', () => {
  const asked = store({}, { question: { name: 'undo', key: 'u', words: '?' } });
  assert.equal(keyed(asked, 'y', 1000).what, 'yes');
  assert.equal(keyed(asked, 'u', 1000).what, 'yes');
  assert.equal(keyed(asked, 'space', 1000).what, 'no');
});

test('what is asked from afar is allowed by y without control, and opens nothing else', () => {
  const asked = store({ actions: ['allow', 'start'], control: { seat: 'o', holder: 'bob' } });
  assert.deepEqual([keyed(asked, 'y', 1000).what, keyed(asked, 'y', 1000).action.name], ['press', 'allow']);
  assert.ok(!buttons(asked, 1000).some(({ name }) => name === 'allow'));
});

test('a tile says how old its picture is, and that it is frozen after a second', () => {
  const stream = { declared_hz: 30 };
  assert.equal(tile('cam', { ageMs: 30, at: 1000 }, stream, 1010).level, 'ok');
  assert.equal(tile('cam', { ageMs: 30, at: 1000 }, stream, 1200).level, 'warn');
  const frozen = tile('cam', { ageMs: 30, at: 1000 }, stream, 2100);
  assert.deepEqual([frozen.level, frozen.frozen, frozen.ageMs], ['bad', true, 1130]);
  assert.equal(tile('cam', undefined, stream, 2100).level, 'bad');
});

test('what stands in the way of beginning is said with its cause', () => {
  const due = store({ phase: 'ended', check_due: 'this rig has not been checked', why: 'follower_left is silent' });
  assert.deepEqual(before(due).map(({ level }) => level), ['bad', 'bad']);
  due.welcome.rig.real = false;
  assert.deepEqual(before(due).map(({ level }) => level), ['bad', 'warn']);
  assert.deepEqual(before(store({ phase: 'ended' })), []);
});

test('a reason is asked for after a check of real arms failed, and never in place of one that is due', () => {
  const due = store({ phase: 'ended', check_due: 'this rig has not been checked', check_failed: false });
  const failed = store({ phase: 'ended', check_due: 'the last check failed', check_failed: true });
  assert.deepEqual([due, failed].map(asksReason), [false, true]);
  assert.deepEqual([due, failed].map((one) => before(one)[0].key), ['before.due', 'before.failed']);
  failed.welcome.rig.real = false; // it is told
  assert.equal(asksReason(failed), false);
  assert.equal(before(failed)[0].key, 'before.check');
});

test('a strip has a gap where there is no number', () => {
  const points = [{ t: 1, qpos: [0.1, null, 3, 4], asked: null }, { t: 2, qpos: [0.2, 2, 3, 4], asked: [9, 9, 9, 9] }];
  assert.deepEqual(strip(points, 0, 2), [[1, 2], [0.1, 0.2], [null, 2], [null, 9], [null, 9]]);
});

test('words: every key is a sentence, every language has the same keys', () => {
  assert.equal(t('control.there', { who: 'ada' }), 'ada holds control');
  assert.equal(clock(75.25), '1:15.3');
  const keys = Object.keys(languages.en).sort();
  for (const table of Object.values(languages)) assert.deepEqual(Object.keys(table).sort(), keys);
  for (const phase of ['opening', 'ready', 'starting', 'recording', 'saving', 'reset', 'hold', 'ended', 'paused']) {
    assert.ok(languages.en[`phase.${phase}`] && languages.en[`do.${phase}`], phase);
  }
  assert.equal(holds(store()), true);
});

test('an arm’s strip has its own columns, however wide the other is', () => {
  assert.deepEqual([0, 1].map((arm) => columns([8, 7], arm)), [[0, 8], [8, 15]]);
  assert.deepEqual(columns([6], 0), [0, 6]);
  assert.deepEqual([columns([], 0), columns(undefined, 0), columns([8], 1)], [null, null, null]);
});

test('a strip shows half a turn each way, and a joint that goes further', () => {
  assert.deepEqual([reach(-1, 2), reach(null, null), reach(-6.1, 4.5)], [[-3.3, 3.3], [-3.3, 3.3], [-6.1, 4.5]]);
});
