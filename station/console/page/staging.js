// What a collection plan wants staged, over the live pictures: words, where the object goes, and how the last success began.
import { html, nothing, svg } from '/vendor/lit-html.js';
import { labelled, WIDTH } from '/mark_labels.js';
import { marks, staged } from '/plan_model.js';
import { unpacked } from '/shelf_model.js';
import { t } from '/words.js';

/** In words; "" where nothing is to be staged. */
export function stageWords(staging) {
  return [['scene', staging.scene], ['object', staging.object]].filter(([, said]) => said).map(([name, said]) => t(`plan.${name}`, { said })).join(', ');
}

/** What to do before the next episode, and what of it is another than before; null where no plan says it. */
export function toStage(session) {
  const staging = staged(session);
  if (!staging) return null;
  const other = staging.changed.map((name) => t(`plan.col.${name}`)).join(', ');
  return t(other ? 'plan.stage.other' : 'plan.stage', { what: stageWords(staging), other });
}

/** How far the plan is, short; "" where there is none. */
export function standing(session) {
  const staging = session?.staging;
  if (!staging) return '';
  if (staging.why) return t('plan.unfollowed');
  return t(staging.left ? 'plan.done' : staging.done === staging.wanted ? 'plan.complete' : 'plan.yours', staging);
}

/** How high a camera's picture is for its width, as its canvas has it. */
export const ratioOf = (app, place) => { const canvas = app.tiles.canvases.get(place); return canvas ? canvas.height / canvas.width : 0.75; };

let pen = null;
/** How wide a name is, as `.marks text` draws it. */
function widthOf(words) {
  if (!pen) {
    pen = document.createElement('canvas').getContext('2d');
    pen.font = `700 30px ${getComputedStyle(document.body).fontFamily}`;
  }
  return pen.measureText(words).width;
}

/** Crosses at their places, each with its name; they lie as the picture lies in its tile. */
export function crosses(found, ratio) {
  return found.length ? html`<svg class="marks" aria-hidden="true" viewBox=${`0 0 ${WIDTH} ${WIDTH * ratio}`}>${labelled(found, ratio, widthOf).map(({ x, y, scene, label }) => svg`
    <g transform=${`translate(${x} ${y})`}><circle r="26"></circle><path d="M-44 0H-14M14 0H44M0-44V-14M0 14V44"></path></g>
    ${label.far ? svg`<path class="leads" d=${`M${x} ${y}L${(label.x0 + label.x1) / 2} ${label.baseline > y ? label.y0 : label.y1}`}></path>` : nothing}
    <text x=${label.x0} y=${label.baseline}>${scene}</text>`)}</svg>` : nothing;
}

/** What lies over a camera's picture while the arms rest: the ghost, the cross, and (over the first) the words. */
export function over(app, camera, place) {
  const session = app.store.state?.session, staging = staged(session), ghost = app.ghost.shows(session);
  return html`${ghost ? html`<canvas class="ghost" data-ghost=${camera} aria-hidden="true"></canvas>` : nothing}
    ${staging ? html`${crosses(marks(staging, camera), ratioOf(app, place))}${place === 0 ? html`<p class="stage" aria-hidden="true">${stageWords(staging)}</p>` : nothing}` : nothing}`;
}

/** The first pictures of the last success, half seen over the live ones: the scene is put back until both are one. */
export class Ghost {
  constructor(app) {
    this.app = app;
    this.on = false;
    this.of = ''; // what was asked for last
    this.found = null; // {name, alike}
    this.pictures = new Map(); // camera → bitmap
    this.error = '';
  }

  shows(session) {
    return this.on && ['ready', 'reset', 'hold', 'opening'].includes(session?.phase);
  }

  toggle() {
    this.on = !this.on;
    this.of = '';
    this.look();
    this.app.draw();
  }

  /** Look again if another scene is staged, or another episode was saved. */
  async look() {
    const session = this.app.store.state?.session;
    if (!this.shows(session)) return;
    const { scene = '', object = '' } = session.staging ?? {}, query = String(new URLSearchParams({ task: session.task, scene, object }));
    const of = `${query} ${session.newest} ${session.saved} ${session.finalising}`;
    if (of === this.of) return;
    this.of = of;
    const answer = await fetch(`/episodes/example?${query}`).catch(() => null), found = answer?.ok ? await answer.json() : null;
    if (of !== this.of) return;
    this.error = found ? '' : t('ghost.lost');
    const before = this.found;
    this.found = found;
    if (found?.name && found.name === before?.name && this.pictures.size) return;
    this.forget();
    if (found?.name) await Promise.all(found.cameras.map((camera) => this.fetch(of, found.name, camera)));
    this.app.draw();
  }

  async fetch(of, name, camera) {
    const answer = await fetch(`/episodes/pictures?${new URLSearchParams({ of: name, camera, rows: '0' })}`).catch(() => null);
    if (!answer?.ok) return; // it went away meanwhile
    const [first] = unpacked(await answer.arrayBuffer());
    const bitmap = first && await createImageBitmap(new Blob([first[1]], { type: 'image/jpeg' })).catch(() => null);
    if (of !== this.of) bitmap?.close();
    else if (bitmap) this.pictures.set(camera, bitmap);
  }

  forget() {
    for (const bitmap of this.pictures.values()) bitmap.close();
    this.pictures.clear();
  }

  draw(canvas) {
    const bitmap = this.pictures.get(canvas.dataset.ghost);
    canvas.hidden = !bitmap;
    if (!bitmap || canvas.bitmap === bitmap) return;
    Object.assign(canvas, { width: bitmap.width, height: bitmap.height, bitmap });
    canvas.getContext('2d').drawImage(bitmap, 0, 0);
  }

  words() {
    if (!this.on) return '';
    return this.error || (!this.found ? '' : !this.found.name ? t('ghost.none') : t(this.found.alike ? 'ghost.alike' : 'ghost.of', { name: this.found.name }));
  }
}
