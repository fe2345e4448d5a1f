// The number of each line beside its end: which line is which joint's is told without its colour.

const APART_PX = 11; // from one number to the next
/** What a plot keeps free at its right for them, px. */
export const ROOM_PX = 22;

/** Where the numbers of lines that end at those heights stand, in the lines' order: apart from each other, between `top` and `bottom`. */
export function spread(heights, top, bottom, apart) {
  const order = heights.map((_, place) => place).sort((a, b) => heights[a] - heights[b]), found = [...heights];
  const step = Math.min(apart, (bottom - top) / Math.max(1, order.length - 1));
  let least = top;
  for (const place of order) {
    found[place] = Math.max(found[place], least);
    least = found[place] + step;
  }
  let most = bottom;
  for (const place of order.reverse()) {
    found[place] = Math.min(found[place], most);
    most = found[place] - step;
  }
  return found;
}

/** A hook of uPlot's that draws them once the lines are drawn: of the first `count` series, in `ink`, each joined to its line's end. */
export function numbers(count, colours, ink) {
  return (plot) => {
    const { ctx, bbox } = plot, ratio = devicePixelRatio, right = bbox.left + bbox.width, bottom = bbox.top + bbox.height;
    const ends = [];
    for (let number = 1; number <= count; number++) {
      const last = plot.data[number]?.findLast((value) => value !== null);
      if (last !== undefined) ends.push({ number, y: Math.min(bottom, Math.max(bbox.top, plot.valToPos(last, 'y', true))) });
    }
    const places = spread(ends.map(({ y }) => y), bbox.top + 5 * ratio, bottom - 5 * ratio, APART_PX * ratio);
    ctx.save();
    Object.assign(ctx, { font: `${11 * ratio}px system-ui`, textAlign: 'left', textBaseline: 'middle', lineWidth: ratio, fillStyle: ink });
    ends.forEach(({ number, y }, place) => {
      ctx.strokeStyle = colours[(number - 1) % colours.length];
      ctx.beginPath();
      ctx.moveTo(right, y);
      ctx.lineTo(right + 7 * ratio, places[place]);
      ctx.stroke();
      ctx.fillText(String(number), right + 9 * ratio, places[place]);
    });
    ctx.restore();
    plot.numbered = ends.map(({ number }) => number);
  };
}
