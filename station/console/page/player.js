// Plays one episode: all cameras and the joints on one clock, the row. Pictures come from the file as they were recorded; a row whose
// picture is not there yet is waited for, none is left out at the speed it was recorded at.
import { ahead, columns, shownIn, unpacked, withoutLeap } from '/shelf_model.js';

const KEPT = 150; // pictures of each camera
const AHEAD = 25;

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
    this.closed = false;
  }

  get row() {
    return Math.floor(this.position);
  }

  async open(row) {
    try {
      this.detail = await (await this.ask('one')).json();
      for (const { name, new: rows } of this.detail.cameras) this.cameras.set(name, { name, rows, have: new Map(), wanted: null, drawn: -1, shown: 0, canvas: null });
      this.seek(row);
      const { names, cameras } = this.detail;
      this.qpos = columns(await this.column('qpos'), names.length);
      this.action = columns(await this.column('action'), names.length);
      this.source = await this.column('source');
      for (const { name } of cameras) this.ages.set(name, await this.column(`age:${name}`));
    } catch (error) {
      this.error = error.message;
    }
    this.changed();
    if (!this.closed && !this.error) requestAnimationFrame((nowMs) => this.frame(nowMs));
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
    for (const camera of this.cameras.values()) {
      if (!camera.have.has(shownIn(camera.rows, this.row))) {
        camera.wanted?.abort(); // it was for another place
        camera.wanted = null;
      }
      this.fetch(camera);
      this.draw(camera);
    }
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

  async fetch(camera) {
    if (camera.wanted || camera.failed) return;
    const rows = ahead(camera.rows, this.row, camera.have, AHEAD);
    if (!rows.length || (rows.length < AHEAD / 3 && camera.have.has(shownIn(camera.rows, this.row)) && rows.at(-1) !== camera.rows.at(-1))) return;
    const first = camera.have.size === 0 || !camera.have.has(shownIn(camera.rows, this.row));
    const wanted = (camera.wanted = new AbortController());
    try {
      // the one that is to be seen now comes alone, before all others
      const answer = await this.ask('pictures', { camera: camera.name, rows: (first ? rows.slice(0, 1) : rows).join() }, wanted.signal);
      for (const [row, jpeg] of unpacked(await answer.arrayBuffer())) camera.have.set(row, new Blob([jpeg], { type: 'image/jpeg' }));
      for (const row of camera.have.keys()) {
        if (camera.have.size <= KEPT) break;
        if (row !== camera.drawn) camera.have.delete(row);
      }
    } catch (error) {
      if (error.name !== 'AbortError') {
        camera.failed = true;
        this.error = error.message;
        this.changed();
      }
    } finally {
      if (camera.wanted === wanted) camera.wanted = null;
    }
  }

  async draw(camera) {
    const row = shownIn(camera.rows, this.row), blob = camera.have.get(row), { canvas } = camera;
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
