// The number of each line beside its end: which line is which joint's is told without its colour.

const APART_PX = 11; // from one number to the next
/** What a plot keeps free at its right for them, px. */
export const ROOM_PX = 22;

/** Where the numbers of lines that end at those heights stand, in the lines' order: apart from each other, between `top` and `bottom`. */
export function spread(heights, top, bottom, apart) {
  const order = heights.map((_, place) => place).sort((a, b) => heights[a] - heights[b]), step = Math.min(apart, (bottom - top) / Math.max(1, order.length - 1));
  const down = order.map((place) => heights[place]), up = [...down];
  for (let at = 1; at < down.length; at++) down[at] = Math.max(down[at], down[at - 1] + step);
  for (let at = up.length - 2; at >= 0; at--) up[at] = Math.min(up[at], up[at + 1] - step);
  const found = down.map((y, at) => (y + up[at]) / 2); // as far above their lines as below
  for (let at = 0; at < found.length; at++) found[at] = Math.max(found[at], at ? found[at - 1] + step : top);
  for (let at = found.length - 1; at >= 0; at--) found[at] = Math.min(found[at], at < found.length - 1 ? found[at + 1] - step : bottom);
  return heights.map((_, place) => found[order.indexOf(place)]);
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
    ctx.setLineDash([]); // uPlot leaves its last line's
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
