// The Now page: what the rig does at this moment, and what may be done about it.
import { html, nothing } from '/vendor/lit-html.js';
import { age, frame, MARK, told } from '/frame.js';
import { over } from '/staging.js';
import { asksReason, before, buttons, busy, holds, liveness, streamLevel, tile } from '/model.js';
import { rollouts } from '/policies_model.js';
import { address } from '/route.js';
import { t } from '/words.js';

const MAIN = ['go_on', 'start', 'stop'];

export function now(app, nowMs) {
  const { store } = app, session = store.state?.session ?? null, live = liveness(store, nowMs);
  const middle = html`<div class="middle">
      <section class="seen" tabindex="0" aria-label=${t('page.now')}>${tiles(app, nowMs)}${joints(app)}</section>
      <section class="health" tabindex="0" aria-label=${t('streams')}>${streams(store)}</section>
    </div>
    ${last(app, session)}`;
  return frame(app, nowMs, 'now', middle, session?.phase === 'ended' && holds(store) ? begin(app, session, live) : acts(app, nowMs));
}

export function tiles(app, nowMs, above = (camera, place) => over(app, camera, place)) {
  const { cameras } = app.store.welcome.rig;
  if (!cameras.length) return html`<p class="none">${t('no.cameras')}</p>`;
  const known = new Map(app.store.state?.streams.map((stream) => [stream.node, stream]));
  return html`<div class="tiles" data-count=${Math.min(cameras.length, 6)}>${cameras.map((camera, place) => {
    const shown = tile(camera, app.tiles.pictures.get(place), known.get(camera), nowMs);
    return html`<figure class="tile ${shown.level}" data-camera=${camera}>
      <canvas width="640" height="480" data-place=${place} aria-label=${camera}></canvas>${above(camera, place)}
      ${shown.ageMs === null ? html`<p class="over">${t('stream.none')}</p>` : shown.frozen ? html`<p class="over">${t('stream.frozen', { s: (shown.ageMs / 1000).toFixed(1) })}</p>` : nothing}
      <figcaption><span>${camera}</span><span class="age">${MARK[shown.level]} ${age(shown.ageMs)}</span></figcaption>
    </figure>`;
  })}</div>`;
}

/** The sides that have an arm which moves. */
export function sides(app) {
  return [...new Set(app.store.welcome.rig.devices.filter(({ role }) => role === 'follower').map(({ node }) => node.replace(/^follower_/, '')))];
}

function joints(app) {
  const all = sides(app), apart = app.store.state?.pilot?.arms ?? [];
  return html`<div class="joints">${all.map((side, place) => {
    const arm = apart.find(({ arm: node }) => node === `follower_${side}`);
    return html`<figure title=${t('joints.numbered')}><figcaption>${t('joints', { side })}${arm?.joint ? html` · <b>${t('arm.apart', { rad: arm.difference_rad.toFixed(2), joint: arm.joint.replace(`${side}_`, '') })}</b>` : nothing}</figcaption>
      <div class="strip" data-arm=${place}></div></figure>`;
  })}</div>`;
}

function streams(store) {
  const found = store.state?.streams ?? [], pilot = store.state?.pilot, recorder = store.state?.recorder, session = store.state?.session;
  return html`<h2>${t('streams')}</h2>
    <table><tbody>${found.map((stream) => {
      const level = streamLevel(stream);
      return html`<tr class=${level} title=${stream.trouble}>
        <td>${MARK[level]} ${stream.node}</td><td>${Math.round(stream.rate_hz)}/${Math.round(stream.declared_hz)} Hz</td>
        <td>${age(stream.age_ms)}</td></tr>`;
    })}</tbody></table>
    ${recorder ? html`<p>${t('late', { late: recorder.late, lost: recorder.lost })}</p>` : nothing}
    ${session && session.phase !== 'ended' ? html`<p>${session.disk_left_s === null ? t('disk.unknown') : t('disk', { min: Math.floor(session.disk_left_s / 60) })}</p>` : nothing}
    ${pilot ? html`<p>${pilot.state === 'engaged' ? t('commands', { source: pilot.source }) : `${t('nobody')} (${pilot.state})`}</p>` : nothing}
    ${[...new Set([...found.map((stream) => stream.trouble), ...(store.state?.trouble ?? [])])].filter(Boolean).slice(0, 3).map((words) => html`<p class="trouble">${words}</p>`)}`;
}

function last(app, session) {
  return html`<div class="last"><span>${app.store.state?.card ? html`<b>${t('last')}:</b> ${app.store.state.card}` : session && !session.saved ? t('last.none') : nothing}</span>
    ${told(app)}${ghost(app, session)}</div>`;
}

/** The last success's first pictures over the live ones, to put the scene back by. */
function ghost(app, session) {
  if (!session || session.phase === 'ended' || !app.store.welcome.rig.cameras.length) return nothing;
  return html`<span class="ghosts">${app.ghost.words()} <button class="small" data-act="ghost" aria-pressed=${app.ghost.on} @click=${() => app.ghost.toggle()}>${t('ghost')}</button></span>`;
}

/** The session's buttons; their keys mean something on the Now page alone. */
export function acts(app, nowMs) {
  const { store } = app, keys = app.route.page === 'now', all = buttons(store, nowMs), main = all.filter(({ name }) => MAIN.includes(name));
  const rest = all.filter(({ name }) => !MAIN.includes(name));
  const button = (one, kind) => html`<button class=${kind} data-action=${one.name} ?disabled=${one.off || one.busy} title=${one.told}
    @click=${() => app.press(one.name)}><span>${one.label}</span>${keys ? html` <kbd>${one.key}</kbd>` : nothing}</button>`;
  const hands = keys && rollouts(store.state?.session) ? html`<a class="button" href=${address('policies')}>${t('hands.there')}</a>` : nothing;
  return store.note !== null ? note(app) : html`${main.map((one) => button(one, 'main'))}${rest.map((one) => button(one, 'act'))}${hands}`;
}

function note(app) {
  return html`<form class="note" @submit=${(event) => { event.preventDefault(); app.note(new FormData(event.target).get('text')); }}>
    <label>${t('note.label')} <input name="text" maxlength="4000" autofocus autocomplete="off"></label>
    <button class="act">${t('note.keep')}</button><button class="act" type="button" @click=${() => app.note(null)}>${t('note.drop')}</button></form>`;
}

function begin(app, session, live) {
  const list = before(app.store), failed = asksReason(app.store), named = app.store.welcome.person || !app.form.override;
  const field = (name, size, more = {}) => html`<label>${t(`begin.${name}`)}
    <input name=${name} size=${size} type=${more.type ?? 'text'} min="0" max=${more.max ?? nothing} step="any" ?required=${more.required ?? false}
      .value=${app.form[name] ?? ''} placeholder=${more.type ? '0' : ''} maxlength=${more.length ?? 200} autocomplete="off"></label>`;
  return html`<form class="begin" @input=${({ target }) => { app.form[target.name] = target.value; }} @submit=${(event) => { event.preventDefault(); app.begin(new FormData(event.target)); }}>
      ${list.length ? html`<ul class="before" aria-label=${t('before')}>${list.slice(0, 3).map(({ level, key, values, words }) => html`<li class=${level}>${MARK[level]} ${key ? t(key, values) : words}</li>`)}</ul>` : nothing}
      <div class="fields">${field('task', 16, { required: true, length: 100 })}${field('operator', 10, { required: failed && !named })}${field('instruction', 26, { length: 4000 })}${field('scene', 10)}
        ${field('episodes', 4, { type: 'number', max: 100000 })}${field('seconds', 4, { type: 'number', max: 86400 })}${field('reset', 4, { type: 'number', max: 86400 })}
        ${failed ? field('override', 20) : nothing}
        <button class="main" data-action="open" ?disabled=${live === 'dead' || busy(app.store, 'open')}>${t('begin.button')}</button></div>
    </form>`;
}

