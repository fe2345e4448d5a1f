// How long a policy takes, and how far its plan reaches, over the last minute.
import uPlot from '/vendor/uPlot.esm.js';
import { COLOURS } from '/strips.js';

const SECONDS = 60;
/** What each plot shows, its own line first; the second has dashes, or dots where it is a bound. */
export const PLOTS = { delay: [['delay', []], ['inference', [6, 3]]], chunk: [['plan', []], ['chunk', [2, 4]]] };

export class Timings {
  constructor() {
    this.points = [];
    this.plots = new Map();
    this.sizes = new ResizeObserver((entries) => entries.forEach(({ target }) => this.plots.get(target)?.setSize({ width: target.clientWidth, height: target.clientHeight })));
  }

  take(point) {
    if (point.t < this.points.at(-1)?.t) this.points = []; // another boot of the station's computer
    this.points.push(point);
    while (this.points[0].t < point.t - SECONDS) this.points.shift();
    for (const [element, plot] of this.plots) if (element.isConnected) this.draw(plot);
  }

  attach(element) {
    if (this.plots.has(element) || !element.clientWidth) return;
    const lines = PLOTS[element.dataset.timing], grey = getComputedStyle(element).color;
    const axis = { stroke: grey, grid: { stroke: '#8884', width: 1 }, ticks: { show: false }, size: 44, font: '11px system-ui' };
    const plot = new uPlot(
      {
        width: element.clientWidth, height: element.clientHeight, legend: { show: false }, cursor: { show: false },
        scales: { x: { time: false }, y: { range: (_, __, most) => [0, Math.max(20, (most ?? 0) * 1.1)] } }, axes: [{ show: false }, axis],
        series: [{}, ...lines.map(([, dash], j) => ({ stroke: COLOURS[j], width: 1.5, dash, points: { show: false } }))],
      },
      this.columns(lines), element,
    );
    plot.lines = lines;
    this.plots.set(element, plot);
    this.sizes.observe(element);
    this.draw(plot);
  }

  columns(lines) {
    return [this.points.map(({ t }) => t), ...lines.map(([name]) => this.points.map((point) => point[name]))];
  }

  draw(plot) {
    const end = this.points.at(-1)?.t ?? 0;
    plot.batch(() => {
      plot.setData(this.columns(plot.lines));
      plot.setScale('x', { min: end - SECONDS, max: end });
    });
  }
}
