// Where the names of marks stand over a picture, so that those of near marks do not lie on each other. Pure: tested without a browser.

export const WIDTH = 640; // of a picture, in the units of all that follows
const LINE = 36, ASCENT = 27, DESCENT = 9; // of a name, whose letters are 30 high
const ASIDE = 32, EDGE = 4, RING = 30; // from a mark's middle to its name, from a name to the picture's edge; half of a mark

const apart = (one, other) => one.x1 <= other.x0 || other.x1 <= one.x0 || one.y1 <= other.y0 || other.y1 <= one.y0;

/** Beside the mark, then ever further above and below it, inside the picture; the side with more room first. */
function* boxes(mark, width, height) {
  const sides = mark.x + ASIDE + width > WIDTH - EDGE ? [-1, 1] : [1, -1];
  for (let step = 0; step * LINE < 2 * height; step++) {
    const down = step % 2 ? 1 : -1, baseline = mark.y + (down > 0 ? 60 : -40) + down * LINE * Math.floor(step / 2);
    const y0 = baseline - ASCENT, y1 = baseline + DESCENT;
    if (y0 < 0 || y1 > height) continue;
    for (const side of sides) {
      const x0 = Math.max(EDGE, Math.min(WIDTH - EDGE - width, side > 0 ? mark.x + ASIDE : mark.x - ASIDE - width));
      yield { x0, y0, x1: x0 + width, y1, baseline, step };
    }
  }
}

/**
 * Marks of [{x, y, scene}], shares of a picture's width and height, with their names' places: [{x, y, scene, label}], in units of which
 * the picture is 640 wide. `label`: {x0, y0, x1, y1, baseline, far}, of which none overlaps another while there is room; `far`: not beside
 * its mark. `widthOf` tells how wide a name is.
 */
export function labelled(found, ratio, widthOf) {
  const height = WIDTH * ratio, marks = found.map(({ x, y, scene }) => ({ x: WIDTH * x, y: height * y, scene }));
  const rings = marks.map(({ x, y }) => ({ x0: x - RING, y0: y - RING, x1: x + RING, y1: y + RING })), taken = [];
  return marks.map((mark) => {
    const free = [...boxes(mark, Math.min(widthOf(mark.scene), WIDTH - 2 * EDGE), height)].filter((box) => taken.every((one) => apart(box, one)));
    const box = free.find((one) => rings.every((ring) => apart(one, ring))) ?? free[0] ?? boxes(mark, Math.min(widthOf(mark.scene), WIDTH - 2 * EDGE), height).next().value;
    const { step, ...label } = box;
    taken.push(label);
    return { ...mark, label: { ...label, far: step > 1 } };
  });
}
