// Where the numbers of a strip's lines stand, without a browser: `node --test`.
import assert from 'node:assert/strict';
import test from 'node:test';
import { spread } from '../../../../station/console/page/line_numbers.js';

test('numbers stand where their lines end, or as near as they can be read', () => {
  assert.deepEqual(spread([80, 10, 40], 0, 100, 11), [80, 10, 40]);
  assert.deepEqual(spread([50, 50, 50], 0, 100, 11), [39, 50, 61]);
  assert.deepEqual(spread([99, 98, 97], 0, 100, 11), [100, 89, 78]);
  assert.deepEqual(spread([], 0, 100, 11), []);
  assert.deepEqual(spread([50], 0, 100, 11), [50]);
});

test('where there are too many for the height, they share it evenly', () => {
  assert.deepEqual(spread([5, 5, 5, 5, 5], 0, 20, 11), [0, 5, 10, 15, 20]);
});
