// Calibrations → what is shown and asked, without a browser: `node --test`.
import assert from 'node:assert/strict';
import test from 'node:test';
import { asked, level, OLD_DAYS, WIZARDS, wizards } from '../../../../station/console/page/calibrate_model.js';
import { languages } from '../../../../station/console/page/words.js';

const device = (more = {}) => ({ node: 'follower_left', heard: true, newer: false, trouble: '', wizards: ['arms', 'grippers'], parts: [{ part: 'zeros', age_days: 3 }], ...more });

test('a wizard is offered where it measures something of a device, and of those', () => {
  const found = wizards([device(), device({ node: 'cam_high', wizards: ['cameras', 'latency'] }), device({ node: 'leader_left', wizards: ['arms'] })]);
  assert.deepEqual(found.map(({ what, devices }) => [what, devices.join()]), [['arms', 'follower_left,leader_left'], ['grippers', 'follower_left'], ['cameras', 'cam_high'], ['latency', 'cam_high']]);
  assert.deepEqual(wizards([]), []);
});

test('what is old, newer than what is in force, silent or not there is marked', () => {
  assert.equal(level(device()), 'ok');
  assert.equal(level(device({ newer: true })), 'warn');
  assert.equal(level(device({ parts: [] })), 'warn');
  assert.equal(level(device({ heard: false })), 'warn');
  assert.equal(level(device({ parts: [{ part: 'zeros', age_days: OLD_DAYS + 1 }] })), 'warn');
  assert.equal(level(device({ trouble: 'torn' })), 'bad');
});

test('a wizard is told what is of use to it, and nothing else', () => {
  assert.deepEqual(asked('arms', { only: ['follower_left'], placings: '2', pose: ' 0,-90 ', compare: '', board: true, seconds: '9' }), { type: 'calibrate', what: 'arms', only: ['follower_left'], placings: 2, pose: '0,-90' });
  assert.deepEqual(asked('cameras', { only: [], board: true, on: '' }), { type: 'calibrate', what: 'cameras', only: [], board: true, on: '' });
  assert.deepEqual(asked('grippers', { seconds: '8' }), { type: 'calibrate', what: 'grippers', only: [], seconds: 8 });
  assert.deepEqual(asked('gello', { seconds: '8' }), { type: 'calibrate', what: 'gello', only: [] });
});

test('every wizard and everything it may be told has its words', () => {
  for (const [what, options] of Object.entries(WIZARDS)) for (const key of [`wizard.${what}`, `wizard.${what}.does`, ...options.map((name) => `option.${name}`)]) assert.ok(languages.en[key], key);
});
