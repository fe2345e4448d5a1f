// Plays one episode: all cameras and the joints on one clock, the row. Pictures come from the file as they were recorded; a row whose
// picture is not there yet is waited for, none is left out at the speed it was recorded at.
import { columns, due, farthest, shownIn, unpacked, withoutLeap } from '/shelf_model.js';

const KEPT = 150; // pictures of each camera
const AHEAD = 25, STEPS = 6; // read ahead while it plays, and while it stands
const STANDS_MS = 120; // whoever goes on looking for a row is not read ahead for
const AT_ONCE = 2; // questions for pictures ahead: a jump's is answered beside them

export class Player {
  /** `changed()`: something else is to be shown. */
  constructor(of, changed) {
    this.of = of;
    this.changed = changed;
    this.detail = null;
    this.error = '';
    this.qpos = null;
    this.action = null;
    this.source = null;
    this.ages = new Map();
    this.cameras = new Map(); // name → what is kept of it
    this.position = 0; // in rows, with a fraction
    this.playing = false;
    this.waits = false;
    this.speed = 1;
    this.owed = 0; // ms that playing is behind the clock
    this.movedMs = 0;
    this.asking = this.failed = this.closed = false;
  }

  get row() {
    return Math.floor(this.position);
  }

  async open(row) {
    try {
      const first = this.ask('moment', { row: Math.min(Math.max(0, Math.floor(row)), 999999999) });
      first.catch(() => null); // what is wrong is told by the outline
      this.asking = true;
      this.detail = await (await this.ask('outline')).json();
      for (const { name, new: rows } of this.detail.cameras) this.cameras.set(name, { name, rows, have: new Map(), wanted: null, near: null, drawn: -1, shown: 0, canvas: null });
      this.seek(row);
      this.took(await (await first).arrayBuffer());
      this.asking = false;
      if (!this.closed) requestAnimationFrame((nowMs) => this.frame(nowMs));
      const { names, cameras } = this.detail;
      for (const { name } of cameras) this.ages.set(name, await this.column(`age:${name}`));
      this.qpos = columns(await this.column('qpos'), names.length);
      this.action = columns(await this.column('action'), names.length);
      this.source = await this.column('source');
      Object.assign(this.detail, await (await this.ask('one')).json());
    } catch (error) {
      this.error = error.message;
    }
    this.changed();
  }

  close() {
    this.closed = true;
    for (const camera of this.cameras.values()) camera.wanted?.abort();
  }

  async ask(what, query = {}, signal = undefined) {
    const answer = await fetch(`/episodes/${what}?${new URLSearchParams({ of: this.of, ...query })}`, { signal });
    if (!answer.ok) throw new Error(await answer.text());
    return answer;
  }

  async column(name) {
    return new Float32Array(await (await this.ask('column', { name })).arrayBuffer());
  }

  // -- the clock --

  seek(row) {
    this.position = Math.min(Math.max(0, row || 0), this.detail.rows - 1);
    this.movedMs = performance.now();
    for (const camera of this.cameras.values()) {
      if (!camera.have.has(shownIn(camera.rows, this.row))) {
        camera.wanted?.abort(); // it was for another place
        camera.wanted = null;
      }
      this.draw(camera);
    }
    this.look();
    this.changed();
  }

  step(rows) {
    this.playing = false;
    this.seek(this.row + rows);
  }

  toggle() {
    this.playing = !this.playing;
    if (this.playing && this.row >= this.detail.rows - 1) this.seek(0);
    this.changed();
  }

  frame(nowMs) {
    if (this.closed) return;
    const passed = Math.min(100, nowMs - (this.at ?? nowMs)); // a tab that slept does not leap
    this.at = nowMs;
    if (this.playing && !document.hidden) this.advance(passed);
    this.look();
    for (const camera of this.cameras.values()) {
      this.fetch(camera);
      this.draw(camera);
    }
    requestAnimationFrame((later) => this.frame(later));
  }

  /** So many ms further. Up to 1× every picture is drawn before the next is due: a slow computer plays slower, and leaves none out. */
  advance(passedMs) {
    const perMs = (this.detail.tick_hz * this.speed) / 1000, budget = Math.min(this.owed + passedMs, 150), cameras = [...this.cameras.values()];
    let next = Math.min(this.position + budget * perMs, this.detail.rows - 1);
    if (this.speed <= 1) next = cameras.reduce((most, camera) => withoutLeap(camera.rows, this.position, most), next);
    this.waits = cameras.some((camera) => !camera.have.has(shownIn(camera.rows, Math.floor(next))) || (this.speed <= 1 && camera.canvas && camera.drawn !== shownIn(camera.rows, this.row)));
    this.owed = this.waits ? budget : budget - (next - this.position) / perMs;
    if (!this.waits) this.position = next;
    if (this.position >= this.detail.rows - 1) Object.assign(this, { playing: false, owed: 0 });
  }

  // -- pictures --

  /** What is to be seen now, of all cameras at once. One question at a time: while somebody looks for a row, its answer is shown, and the newest row asked for. */
  async look() {
    if (this.asking || this.failed || this.closed || [...this.cameras.values()].every(({ rows, have }) => have.has(shownIn(rows, this.row)))) return;
    this.asking = true;
    try {
      this.took(await (await this.ask('moment', { row: this.row })).arrayBuffer());
    } catch (error) {
      this.fail(error);
    }
    this.asking = false;
    this.look();
  }

  took(buffer) {
    const cameras = [...this.cameras.values()];
    unpacked(buffer).forEach(([row, jpeg], place) => {
      this.keep(cameras[place], row, jpeg);
      cameras[place].near = row;
      this.draw(cameras[place]);
    });
  }

  keep(camera, row, jpeg) {
    camera.have.set(row, new Blob([jpeg], { type: 'image/jpeg' }));
    for (const far of farthest(camera.have.keys(), this.row, KEPT)) if (far !== camera.drawn) camera.have.delete(far);
  }

  fail(error) {
    if (error.name === 'AbortError') return;
    this.failed = true;
    this.error = error.message;
    this.changed();
  }

  /** What comes next. */
  async fetch(camera) {
    if (camera.wanted || this.asking || this.failed || (!this.playing && performance.now() - this.movedMs < STANDS_MS)) return;
    if ([...this.cameras.values()].filter(({ wanted }) => wanted).length >= AT_ONCE) return;
    const rows = due(camera.rows, this.row, camera.have, this.playing ? AHEAD : STEPS);
    if (!rows.length) return;
    const wanted = (camera.wanted = new AbortController());
    try {
      const answer = await this.ask('pictures', { camera: camera.name, rows: rows.join() }, wanted.signal);
      for (const [row, jpeg] of unpacked(await answer.arrayBuffer())) this.keep(camera, row, jpeg);
    } catch (error) {
      this.fail(error);
    } finally {
      if (camera.wanted === wanted) camera.wanted = null;
    }
  }

  async draw(camera) {
    const { canvas, have } = camera, at = shownIn(camera.rows, this.row);
    if (have.has(at)) camera.near = null;
    const row = camera.near ?? at, blob = have.get(row);
    if (!blob || !canvas || (camera.drawn === row && camera.on === canvas) || camera.drawing === row) return;
    camera.drawing = row;
    try {
      const bitmap = await createImageBitmap(blob);
      if (camera.drawing === row) {
        if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) Object.assign(canvas, { width: bitmap.width, height: bitmap.height });
        canvas.getContext('2d').drawImage(bitmap, 0, 0);
        Object.assign(camera, { drawn: row, on: canvas, broken: false, shown: camera.shown + 1 });
      }
      bitmap.close();
    } catch {
      Object.assign(camera, { drawn: row, on: canvas, broken: true });
    } finally {
      if (camera.drawing === row) camera.drawing = null;
    }
  }
}
