// What was found → what is shown and asked, without a browser: `node --test`.
import assert from 'node:assert/strict';
import test from 'node:test';
import { hindrance, placeOf, portsOf, saidBefore, thingLevel, written } from '../../../../station/console/page/setup_model.js';
import { languages } from '../../../../station/console/page/words.js';

const store = (more = {}) => ({ welcome: { role: 'engineer' }, job: null, found: null, ...more });

test('ports are taken as somebody types them', () => {
  assert.deepEqual(portsOf(' /dev/ttyUSB0, /dev/ttyUSB1\n/dev/video2 '), ['/dev/ttyUSB0', '/dev/ttyUSB1', '/dev/video2']);
  assert.deepEqual(portsOf('  '), []);
});

test('what cannot stand in a rig file as it is is marked, and a name that stays is told beside the port', () => {
  assert.equal(thingLevel({ usable: true }), 'ok');
  assert.equal(thingLevel({ usable: false }), 'warn');
  assert.deepEqual(placeOf({ port: '/dev/ttyUSB0', stable: '/dev/ttyDXL' }), { port: '/dev/ttyUSB0', stable: '/dev/ttyDXL' });
  assert.deepEqual(placeOf({ port: '/dev/ttyUSB0', stable: '/dev/ttyUSB0' }), { port: '/dev/ttyUSB0', stable: '' });
});

test('a rig is written once its job has ended well, and no other job says so', () => {
  const job = { name: 'rig new lab', of: 'lab', running: false, code: 0 };
  assert.equal(written(job), 'lab');
  for (const other of [null, { ...job, running: true, code: null }, { ...job, code: 1 }, { ...job, name: 'rig try lab' }]) assert.equal(written(other), '');
});

test('what a job said stands there once', () => {
  assert.deepEqual(saidBefore({ said: ['found 2', 'written', 'Next: check'], words: 'Next: check' }), ['found 2', 'written']);
  assert.deepEqual(saidBefore({ said: ['found 2'], words: 'which side' }), ['found 2']);
  assert.deepEqual(saidBefore({ said: [], words: '' }), []);
});

test('why nothing may be asked now has words', () => {
  const why = [hindrance(store({ welcome: { role: 'operator' } }), 'dead'), hindrance(store(), 'live'), hindrance(store({ job: { running: true } }), 'dead'), hindrance(store({ found: { looking: true } }), 'dead')];
  assert.deepEqual(why, ['setup.who', 'setup.up', 'setup.job', 'setup.looks']);
  for (const key of why) assert.ok(languages.en[key]);
  assert.equal(hindrance(store({ job: { running: false }, found: { looking: false } }), 'dead'), '');
});
