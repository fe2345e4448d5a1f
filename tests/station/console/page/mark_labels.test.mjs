// Names of marks over a picture, without a browser: `node --test`.
import assert from 'node:assert/strict';
import test from 'node:test';
import { labelled, WIDTH } from '../../../../station/console/page/mark_labels.js';

const widthOf = (words) => 17 * words.length, RATIO = 0.75;
const overlap = (one, other) => one.x0 < other.x1 && other.x0 < one.x1 && one.y0 < other.y1 && other.y0 < one.y1;

function hold(found) {
  const labels = labelled(found, RATIO, widthOf).map(({ label }) => label);
  for (const [place, one] of labels.entries()) {
    assert.ok(one.x0 >= 0 && one.x1 <= WIDTH && one.y0 >= 0 && one.y1 <= WIDTH * RATIO, `${found[place].scene} lies in the picture`);
    for (const other of labels.slice(place + 1)) assert.ok(!overlap(one, other), JSON.stringify([found, one, other]));
  }
  return labels;
}

test('two marks in one line, the first name as long as the way to the second', () => {
  const [left, right] = hold([{ x: 0.32, y: 0.5, scene: 'left of the bowl' }, { x: 0.68, y: 0.5, scene: 'right of it' }]);
  assert.ok(left.y1 <= right.y0 || right.y1 <= left.y0 || left.x1 <= right.x0 || right.x1 <= left.x0);
  assert.deepEqual([left.far, right.far], [false, false]);
});

test('a mark alone has its name beside it, at an edge on the side that has room', () => {
  const [one] = hold([{ x: 0.5, y: 0.5, scene: 'middle' }]);
  assert.deepEqual([one.x0, one.baseline, one.far], [352, 200, false]);
  for (const [x, y] of [[0, 0], [1, 0], [0, 1], [1, 1], [0.99, 0.5], [0.5, 0.01]]) hold([{ x, y, scene: 'at the edge' }]);
});

test('ten marks at one place have names one below the other, those that stand far led to', () => {
  const labels = hold(Array.from({ length: 10 }, (_, place) => ({ x: 0.5, y: 0.5, scene: `scene number ${place} on the table` })));
  assert.ok(labels.some(({ far }) => far));
});

test('wherever a few marks lie, no name lies on another', () => {
  let seed = 7;
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  for (let round = 0; round < 500; round++) hold(Array.from({ length: 6 }, (_, place) => ({ x: random(), y: random(), scene: 'abcdefghijklmnop'.slice(0, 4 + place * 2) })));
});

test('a name that is wider than the picture, or finds no room, is shown all the same', () => {
  assert.equal(labelled([{ x: 0.5, y: 0.5, scene: 'x'.repeat(200) }], RATIO, widthOf).length, 1);
  assert.equal(labelled(Array.from({ length: 40 }, () => ({ x: 0.5, y: 0.5, scene: 'y'.repeat(30) })), RATIO, widthOf).length, 40);
});
