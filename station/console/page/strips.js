// Joints over the last 10 s: one strip for each arm, as wide as that is, drawn at the pace of what comes.
import uPlot from '/vendor/uPlot.esm.js';
import { numbers, ROOM_PX } from '/line_numbers.js';
import { columns, reach, strip } from '/model.js';

const SECONDS = 10;
export const COLOURS = ['#56b4e9', '#e69f00', '#009e73', '#cc79a7', '#d55e00', '#f0e442', '#0072b2', '#999999']; // Okabe and Ito's

export class Strips {
  constructor() {
    this.points = [];
    this.plots = new Map();
    this.sizes = new ResizeObserver((entries) => entries.forEach(({ target }) => this.fit(target)));
  }

  take({ t_ms, qpos, asked }) {
    const t = t_ms / 1000, last = this.points.at(-1);
    if (last && t === last.t) return; // nothing new was heard
    if (last && t < last.t) this.points = []; // another boot of the station's computer
    this.points.push({ t, qpos, asked });
    while (this.points[0].t < t - SECONDS) this.points.shift();
    for (const plot of this.plots.values()) this.draw(plot);
  }

  /** `widths`: how many of the vector's numbers are each arm's. */
  attach(element, arm, widths) {
    const place = columns(widths, arm), known = this.plots.get(element);
    if (!place || (known && `${known.place}` === `${place}`)) return;
    known?.plot?.destroy();
    this.plots.set(element, { element, place, plot: null });
    this.sizes.observe(element);
  }

  draw(entry) {
    const [from, to] = entry.place;
    if (!((this.points[0]?.qpos.length ?? 0) >= to) || !entry.element.clientWidth) return;
    if (!entry.plot) {
      const line = (_, j) => ({ stroke: COLOURS[j % COLOURS.length], width: 1.5, points: { show: false } });
      const dots = (_, j) => ({ stroke: COLOURS[j % COLOURS.length], width: 1, dash: [2, 4], points: { show: false } });
      const joints = Array.from({ length: to - from });
      const grey = getComputedStyle(entry.element).color;
      const axis = { stroke: grey, grid: { stroke: '#8884', width: 1 }, ticks: { show: false }, size: 34, font: '11px system-ui' };
      entry.plot = new uPlot(
        {
          width: entry.element.clientWidth, height: entry.element.clientHeight, padding: [null, ROOM_PX, null, null], hooks: { draw: [numbers(to - from, COLOURS, grey)] }, legend: { show: false }, cursor: { show: false },
          scales: { x: { time: false }, y: { range: (_, low, high) => reach(low, high) } }, axes: [{ show: false }, axis],
          series: [{}, ...joints.map(line), ...joints.map(dots)],
        },
        strip(this.points, from, to), entry.element,
      );
    }
    const end = this.points.at(-1).t;
    entry.plot.batch(() => {
      entry.plot.setData(strip(this.points, from, to), false);
      entry.plot.setScale('x', { min: end - SECONDS, max: end });
    });
  }

  fit(element) {
    const entry = this.plots.get(element);
    if (!entry?.plot || !element.clientWidth) return;
    entry.plot.setSize({ width: element.clientWidth, height: element.clientHeight });
    this.draw(entry); // it forgets which seconds are shown
  }
}
