// A collection plan → what is shown and asked, without a browser: `node --test`.
import assert from 'node:assert/strict';
import test from 'node:test';
import { formOf, inPicture, isNext, marks, placed, places, planOf, staged, wanted } from '../../../../station/console/page/plan_model.js';

const STAGING = { scene: 'left', object: 'red cube', saved: 2, each: 5, done: 12, wanted: 60, left: 48, changed: ['scene'], places: { cam_high: [0.25, 0.5] }, why: '' };
const PLAN = { each: 5, scenes: ['left', 'right'], objects: ['red cube'], seed: 7, places: { left: { cam_high: [0.25, 0.5] } } };

test('something is to be staged between takes alone, and where a plan says so', () => {
  for (const phase of ['ready', 'reset', 'hold', 'opening']) assert.equal(staged({ phase, staging: STAGING }), STAGING);
  for (const phase of ['recording', 'saving', 'starting', 'running', 'ended']) assert.equal(staged({ phase, staging: STAGING }), null);
  assert.equal(staged({ phase: 'ready', staging: null }), null);
  assert.equal(staged(null), null);
  assert.equal(staged({ phase: 'ready', staging: { ...STAGING, scene: '', object: '', left: 0 } }), null);
  assert.equal(staged({ phase: 'ready', staging: { ...STAGING, why: 'plan.yaml: no' } }), null);
});

test('a place is shown over the camera it was said for', () => {
  assert.deepEqual(marks(STAGING, 'cam_high'), [{ x: 0.25, y: 0.5, scene: 'left' }]);
  assert.deepEqual(marks(STAGING, 'cam_low'), []);
  assert.deepEqual(places(PLAN, 'cam_high'), [{ x: 0.25, y: 0.5, scene: 'left' }]);
  assert.deepEqual(places(null, 'cam_high'), []);
});

test('a plan becomes a form and the form the same plan', () => {
  assert.deepEqual(planOf(formOf(PLAN)), { ...PLAN, operators: [], instruction: '' });
  assert.equal(wanted(formOf(PLAN)), 10);
  assert.equal(wanted(formOf(null)), 5);
});

test('lines are words, blank ones none; places of scenes that went are left out', () => {
  const form = { ...formOf(PLAN), scenes: ' right \n\n far left ', objects: '' };
  assert.deepEqual(planOf(form).scenes, ['right', 'far left']);
  assert.deepEqual(planOf(form).places, {});
  assert.equal(wanted(form), 10);
});

test('a click is a share of the picture, whatever was clicked', () => {
  const form = placed(formOf(PLAN), 'right', 'cam_low', 0.12345, 1.7);
  assert.deepEqual(form.places.right, { cam_low: [0.123, 1] });
  assert.deepEqual(form.places.left, PLAN.places.left);
  assert.deepEqual(PLAN.places, { left: { cam_high: [0.25, 0.5] } }, 'the plan that was heard stays');
});

test('the next rows are those that somebody stages next', () => {
  const next = [{ operator: 'ada', staged: { scene: 'left', object: '', operator: 'ada' } }, { operator: 'ben', staged: null }];
  assert.equal(isNext({ scene: 'left', object: '', operator: 'ada' }, next), true);
  assert.equal(isNext({ scene: 'left', object: '', operator: 'ben' }, next), false);
});

test('a picture lies in the middle of its box, and a click is measured in the picture', () => {
  assert.deepEqual(inPicture({ left: 10, top: 20, width: 400, height: 300 }, 0.75, 110, 170), [0.25, 0.5]);
  const wide = { left: 0, top: 0, width: 400, height: 300 }; // 16:9 leaves 37.5 above and below
  assert.deepEqual(inPicture(wide, 9 / 16, 200, 37.5), [0.5, 0]);
  assert.ok(inPicture(wide, 9 / 16, 0, 0)[1] < 0);
});
