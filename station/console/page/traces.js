// A whole episode's joints, with a line where the player is.
import uPlot from '/vendor/uPlot.esm.js';
import { numbers, ROOM_PX } from '/line_numbers.js';
import { plots } from '/shelf_model.js';
import { COLOURS } from '/strips.js';

export class Traces {
  constructor(seek) {
    this.seek = seek;
    this.plots = new Map(); // element → plot
    this.sizes = new ResizeObserver((entries) => entries.forEach(({ target }) => this.plots.get(target)?.setSize({ width: target.clientWidth, height: target.clientHeight })));
  }

  attach(element, player) {
    if (this.plots.has(element) || !player.action || !element.clientWidth) return;
    const { names, tick_hz } = player.detail, chosen = plots(names)[Number(element.dataset.side)].columns;
    const times = Array.from({ length: player.detail.rows }, (_, row) => row / tick_hz), grey = getComputedStyle(element).color;
    const line = (place, j) => ({ stroke: COLOURS[j % COLOURS.length], width: 1.5, points: { show: false }, label: names[place] });
    const dots = (_, j) => ({ stroke: COLOURS[j % COLOURS.length], width: 1, dash: [2, 4], points: { show: false } });
    const axis = { stroke: grey, grid: { stroke: '#8884', width: 1 }, ticks: { show: false }, size: 34, font: '11px system-ui' };
    const plot = new uPlot(
      {
        width: element.clientWidth, height: element.clientHeight, padding: [null, ROOM_PX, null, null], hooks: { draw: [numbers(chosen.length, COLOURS, grey)] }, legend: { show: false }, scales: { x: { time: false } },
        cursor: { drag: { x: false, y: false }, points: { show: false }, y: false }, axes: [{ ...axis, size: 20 }, axis],
        series: [{}, ...chosen.map(line), ...chosen.map(dots)],
      },
      [times, ...chosen.map((place) => player.qpos[place]), ...chosen.map((place) => player.action[place])], element,
    );
    const head = document.createElement('div');
    head.className = 'playhead';
    plot.over.append(head);
    plot.over.addEventListener('click', (event) => this.seek(Math.round(plot.posToVal(event.offsetX, 'x') * tick_hz)));
    this.plots.set(element, plot);
    this.sizes.observe(element);
  }

  show(player) {
    for (const plot of this.plots.values()) plot.over.querySelector('.playhead').style.left = `${plot.valToPos(player.row / player.detail.tick_hz, 'x')}px`;
  }

  close() {
    this.sizes.disconnect();
    for (const plot of this.plots.values()) plot.destroy();
    this.plots.clear();
  }
}
