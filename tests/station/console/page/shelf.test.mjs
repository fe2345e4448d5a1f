// Episodes: addresses, order, which picture a row shows; without a browser.
import assert from 'node:assert/strict';
import test from 'node:test';
import { address, route } from '../../../../station/console/page/route.js';
import { ahead, columns, due, farthest, filtersOf, placeOf, plots, queryOf, shownIn, sorted, state, unpacked, withoutLeap } from '../../../../station/console/page/shelf_model.js';

test('an address names a page and what it shows; what is none leads to the first', () => {
  assert.equal(route('').page, 'now');
  assert.equal(route('#/levitate/12').page, 'now');
  const found = route(address('episodes', 'pick cube/a%/12', new URLSearchParams({ row: '40' })));
  assert.deepEqual([found.page, found.of, found.query.get('row')], ['episodes', 'pick cube/a%/12', '40']);
  assert.equal(route('#/episodes/%E0%A4%A').of, '%E0%A4%A');
  assert.equal(address('trash'), '#/trash');
});

test('what is asked for goes into the address and comes back', () => {
  const asked = { task: 'pick', operator: '', success: 'false', more: 'length_s=3..60 lag_ms=..150', sort: 'worst' };
  const query = queryOf(asked);
  assert.deepEqual(query.getAll('where'), ['task=pick', 'success=false', 'length_s=3..60', 'lag_ms=..150']);
  assert.deepEqual(filtersOf(query), asked);
  assert.equal(String(queryOf({ task: '', sort: 'newest' })), '');
  assert.equal(filtersOf(new URLSearchParams('where=task=a&where=task=b')).more, 'task=b');
});

test('the worst come first: what cannot be used, what was cut off, what has findings', () => {
  const one = (name, more) => ({ name, recorded_s: 0, seconds: 1, causes: [], findings: [], problem: '', damage: '', ...more });
  const all = [one('good'), one('found', { findings: ['dark cam_low'] }), one('unread', { problem: 'no' }), one('early', { causes: ['early'] }), one('rollout', { causes: ['rollout'] })];
  assert.deepEqual(sorted(all, 'worst').map(({ name }) => name).slice(0, 3), ['unread', 'early', 'found']);
  assert.deepEqual(all.map((each) => state(each).level), ['ok', 'warn', 'bad', 'warn', 'ok']);
  assert.equal(sorted(all, 'nonsense').length, 5);
});

test('a row shows the newest picture at or before it', () => {
  const rows = [0, 2, 4, 7];
  assert.deepEqual([0, 1, 2, 3, 6, 7, 99].map((row) => rows[placeOf(rows, row)]), [0, 0, 2, 2, 4, 7, 7]);
  assert.equal(placeOf(rows, -1), -1);
  assert.deepEqual(ahead(rows, 3, new Map([[2, 1]]), 3), [4, 7]);
  assert.deepEqual(ahead(rows, 3, new Map(), 2), [2, 4]);
});

test('pictures are asked for many at once, and no gap that is about to be shown is left', () => {
  const rows = Array.from({ length: 100 }, (_, n) => 2 * n), having = (missing) => new Map(rows.filter((row) => !missing.includes(row)).map((row) => [row, 1]));
  assert.deepEqual(due(rows, 0, new Map(), 6), [0, 2, 4, 6, 8, 10]);
  assert.deepEqual(due(rows, 0, having([10]), 6), [], 'the last of six can wait');
  assert.deepEqual(due(rows, 0, having([4, 10]), 6), [4, 10]);
  assert.deepEqual(due(rows, 1, having([4]), 25), [4], 'one gap alone: playing would stand before it for ever');
  assert.deepEqual(due(rows, 196, having([198]), 25), [198], 'at its end');
  assert.deepEqual(due(rows, 198, having([]), 25), []);
});

test('of what is kept the farthest goes', () => {
  assert.deepEqual(farthest([0, 2, 4, 90, 100], 95, 5), []);
  assert.deepEqual(farthest([90, 0, 100, 2], 95, 2), [0, 2]);
});

test('playing passes over no picture', () => {
  const rows = [0, 2, 4, 7];
  for (let position = 0; position < 9; position += 0.3) {
    const next = withoutLeap(rows, position, position + 5), passed = rows.filter((row) => row > position && row < Math.floor(next) + 1);
    assert.ok(next >= position && passed.length <= 1, `${position} → ${next}`);
  }
  assert.deepEqual([shownIn(rows, 3), shownIn(rows, -1), withoutLeap([], 3, 9)], [2, 0, 9]);
});

test('columns and pictures come out as they were packed', () => {
  assert.deepEqual(columns(new Float32Array([1, 2, 3, NaN]), 2), [[1, 3], [2, null]]);
  const bytes = new Uint8Array([7, 0, 0, 0, 2, 0, 0, 0, 0xff, 0xd8, 9, 0, 0, 0, 1, 0, 0, 0, 5]);
  assert.deepEqual(unpacked(bytes.buffer).map(([row, data]) => [row, ...data]), [[7, 0xff, 0xd8], [9, 5]]);
  assert.deepEqual(plots(['left_waist', 'left_gripper', 'right_waist']).map(({ columns: found }) => found), [[0, 1], [2]]);
  assert.deepEqual(plots(['waist']), [{ side: '', columns: [0] }]);
});
