// The Now page: what the rig does at this moment, and what may be done about it.
import { html, nothing } from '/vendor/lit-html.js';
import { before, buttons, busy, clock, holds, liveness, operates, silenceMs, streamLevel, tile, word } from '/model.js';
import { t } from '/words.js';

const MARK = { ok: '●', warn: '▲', bad: '■' };
const MAIN = ['go_on', 'start', 'stop'];

/** An age, short. */
const age = (ms) => (ms === null ? '–' : ms < 10_000 ? `${Math.round(ms)} ms` : `${Math.round(Math.min(ms / 1000, 9999))} s`);

/** Seconds for people: whole ones. */
const s = (ms) => Math.max(0, Math.ceil(ms / 1000));

export function now(app, nowMs) {
  const { store } = app, session = store.state?.session ?? null, live = liveness(store, nowMs);
  const phase = word(session, live);
  return html`
    <div class="page now ${live}" data-phase=${phase} data-live=${live}>
      ${header(app, session, phase, live, nowMs)}
      ${banner(app, session, phase, live, nowMs)}
      <div class="middle">
        <section class="seen">${tiles(app, nowMs)}${joints(app)}</section>
        <section class="health">${streams(store)}</section>
      </div>
      ${last(app, session)}
      ${session?.phase === 'ended' && holds(store) && live !== 'dead' ? begin(app, session) : acts(app, session, nowMs)}
      ${footer(app, session, live, nowMs)}
    </div>`;
}

function header(app, session, phase, live, nowMs) {
  const { store } = app, control = session?.control, mine = holds(store);
  const who = !control?.holder ? t('control.none') : t(mine ? 'control.here' : 'control.there', { who: control.holder.replace(/ \(console\)$/, '') });
  return html`<header>
    <h1>${store.welcome?.rig.name ?? ''}${session?.task ? html` · ${session.task}` : nothing}</h1>
    <strong class="phase">${t(`phase.${phase}`)}</strong>
    ${session ? html`<span class="counts">${counts(store, session)}</span>` : nothing}
    <span class="control ${mine ? 'mine' : ''}">${who}
      ${operates(store) ? html`<button class="small" ?disabled=${live === 'dead' || busy(store, 'control')}
        @click=${() => app.control(mine ? 'leave' : 'take')}>${t(mine ? 'control.leave' : 'control.take')}</button>` : html`(${t('control.viewer')})`}
    </span>
  </header>`;
}

function counts(store, session) {
  const hz = store.welcome.rig.tick_hz, values = { saved: session.saved, wanted: session.wanted, discarded: session.discarded, early: session.ended_early };
  if (session.kept === false) return t('counts.unrecorded', { n: session.episode, early: session.ended_early });
  const parts = [];
  if (session.phase === 'recording') parts.push(`${t('episode', { n: session.episode })}  ${clock(session.recorded_ticks / hz)}`);
  else if (session.phase !== 'ended') parts.push(t('episode', { n: session.episode }));
  parts.push(t(session.wanted ? 'counts.wanted' : 'counts', values));
  if (session.finalising) parts.push(t('building', { n: session.finalising }));
  return parts.join(' · ');
}

function banner(app, session, phase, live, nowMs) {
  const { store } = app;
  if (live === 'dead') {
    const silent = silenceMs(store, nowMs);
    const why = store.link !== 'open' ? t('link.lost') : silent === Infinity ? t('link.station', { rig: store.welcome?.rig.name ?? '' }) : t('notlive', { s: s(silent) });
    return html`<div class="banner bad" role="alert">${why}</div>`;
  }
  const why = session.why && phase !== 'paused' ? html`<p class="why">${session.why}</p>` : nothing;
  const kind = phase === 'hold' ? 'bad' : phase === 'recording' ? 'rec' : '';
  const left = session.reset_in_ms !== null ? ` ${t('reset.in', { s: s(session.reset_in_ms) })}` : '';
  return html`<div class="banner ${kind}" aria-live=${phase === 'hold' ? 'assertive' : 'polite'}>
      ${why}<p>${t(`do.${phase}`)}${left}</p>
    </div>
    ${motion(app, session)}${wish(app, session)}
    ${store.question ? html`<div class="banner ask" role="alertdialog" aria-label=${store.question.words}>
      <p>${store.question.words}</p>
      <button class="small" @click=${() => app.answer(true)}>${t('yes')} <kbd>y</kbd></button>
      <button class="small" @click=${() => app.answer(false)}>${t('no')}</button></div>` : nothing}`;
}

function motion(app, session) {
  const asked = session.motion, { welcome } = app.store;
  if (!asked) return nothing;
  const values = { who: asked.asked_by, what: asked.what };
  if (asked.moves_in_ms !== null) {
    return html`<div class="banner warn" role="alert"><p>${t('motion.moves', { ...values, s: s(asked.moves_in_ms) })}</p>
      <button class="small" @click=${() => app.deny()}>${t('motion.deny')}</button></div>`;
  }
  const left = { ...values, s: s(asked.lapses_in_ms) };
  return html`<div class="banner ask" role="alert">
    <p>${welcome.at_rig ? t('motion.asks', left) : t('motion.mine', left)}</p>
    ${welcome.at_rig && operates(app.store) ? html`<button class="small" @click=${() => app.press('allow')}>${t('motion.allow')} <kbd>y</kbd></button>` : nothing}
    <button class="small" @click=${() => app.deny()}>${t('motion.deny')}</button></div>`;
}

function wish(app, session) {
  const { control } = session;
  if (!control.wanted_by) return nothing;
  const left = s(control.passes_in_ms ?? 0);
  if (!holds(app.store)) {
    return control.wanted_by === app.store.welcome.who ? html`<div class="banner ask"><p>${t('control.waiting', { who: control.holder, s: left })}</p></div>` : nothing;
  }
  return html`<div class="banner ask" role="alert"><p>${t('control.wanted', { who: control.wanted_by, s: left })}</p>
    <button class="small" @click=${() => app.control('leave')}>${t('control.give')}</button>
    <button class="small" @click=${() => app.control('keep')}>${t('control.keep')}</button></div>`;
}

function tiles(app, nowMs) {
  const { cameras } = app.store.welcome.rig;
  if (!cameras.length) return html`<p class="none">${t('no.cameras')}</p>`;
  const known = new Map(app.store.state?.streams.map((stream) => [stream.node, stream]));
  return html`<div class="tiles" data-count=${Math.min(cameras.length, 6)}>${cameras.map((camera, place) => {
    const shown = tile(camera, app.tiles.pictures.get(place), known.get(camera), nowMs);
    return html`<figure class="tile ${shown.level}" data-camera=${camera}>
      <canvas width="640" height="480" data-place=${place} aria-label=${camera}></canvas>
      ${shown.ageMs === null ? html`<p class="over">${t('stream.none')}</p>` : shown.frozen ? html`<p class="over">${t('stream.frozen', { s: (shown.ageMs / 1000).toFixed(1) })}</p>` : nothing}
      <figcaption><span>${camera}</span><span class="age">${MARK[shown.level]} ${age(shown.ageMs)}</span></figcaption>
    </figure>`;
  })}</div>`;
}

function joints(app) {
  const sides = [...new Set(app.store.welcome.rig.devices.filter(({ role }) => role === 'follower').map(({ node }) => node.replace(/^follower_/, '')))];
  const apart = app.store.state?.pilot?.arms ?? [];
  return html`<div class="joints">${sides.map((side, place) => {
    const arm = apart.find(({ arm: node }) => node === `follower_${side}`);
    return html`<figure><figcaption>${t('joints', { side })}${arm?.joint ? html` · <b>${t('arm.apart', { rad: arm.difference_rad.toFixed(2), joint: arm.joint.replace(`${side}_`, '') })}</b>` : nothing}</figcaption>
      <div class="strip" data-side=${place} data-sides=${sides.length}></div></figure>`;
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
  const told = app.store.told;
  return html`<div class="last"><span>${app.store.state?.card ? html`<b>${t('last')}:</b> ${app.store.state.card}` : session && !session.saved ? t('last.none') : nothing}</span>
    <output class="told ${told?.level ?? ''}" aria-live="polite">${told?.words ?? ''}</output></div>`;
}

function acts(app, session, nowMs) {
  const { store } = app, all = buttons(store, nowMs), main = all.filter(({ name }) => MAIN.includes(name));
  const rest = all.filter(({ name }) => !MAIN.includes(name));
  const button = (one, kind) => html`<button class=${kind} data-action=${one.name} ?disabled=${one.off || one.busy} title=${one.told}
    @click=${() => app.press(one.name)}><span>${one.label}</span> <kbd>${one.key}</kbd></button>`;
  return html`<div class="acts">
    ${store.note !== null ? note(app) : html`${main.map((one) => button(one, 'main'))}${rest.map((one) => button(one, 'act'))}`}
    ${hold(app)}
  </div>`;
}

function note(app) {
  return html`<form class="note" @submit=${(event) => { event.preventDefault(); app.note(new FormData(event.target).get('text')); }}>
    <label>${t('note.label')} <input name="text" maxlength="4000" autofocus autocomplete="off"></label>
    <button class="act">${t('note.keep')}</button><button class="act" type="button" @click=${() => app.note(null)}>${t('note.drop')}</button></form>`;
}

function begin(app, session) {
  const list = before(app.store), failed = session.check_due && app.store.welcome.rig.real;
  const field = (name, size, more = {}) => html`<label>${t(`begin.${name}`)}
    <input name=${name} size=${size} type=${more.type ?? 'text'} min="0" max=${more.max ?? nothing} step="any" ?required=${more.required ?? false}
      .value=${app.form[name] ?? ''} placeholder=${more.type ? '0' : ''} maxlength=${more.length ?? 200} autocomplete="off"></label>`;
  return html`<div class="acts"><form class="begin" @submit=${(event) => { event.preventDefault(); app.begin(new FormData(event.target)); }}>
      ${list.length ? html`<ul class="before" aria-label=${t('before')}>${list.slice(0, 3).map(({ level, key, values, words }) => html`<li class=${level}>${MARK[level]} ${key ? t(key, values) : words}</li>`)}</ul>` : nothing}
      <div class="fields">${field('task', 16, { required: true, length: 100 })}${field('operator', 10)}${field('instruction', 26, { length: 4000 })}${field('scene', 10)}
        ${field('episodes', 4, { type: 'number', max: 100000 })}${field('seconds', 4, { type: 'number', max: 86400 })}${field('reset', 4, { type: 'number', max: 86400 })}
        ${failed ? field('override', 20) : nothing}
        <button class="main" data-action="open" ?disabled=${busy(app.store, 'open')}>${t('begin.button')}</button></div>
    </form>${hold(app)}</div>`;
}

function hold(app) {
  return html`<div class="stop"><button class="hold" data-action="hold" @click=${() => app.hold()}>${t('hold.arms')} <kbd>h</kbd></button>
    <small>${t('hold.says')}</small></div>`;
}

function footer(app, session, live, nowMs) {
  const silent = silenceMs(app.store, nowMs);
  return html`<footer>
    <span class="liveness">${live === 'live' ? `${MARK.ok} ${t('live')} · ${age(silent)}` : `${MARK.bad} ${silent === Infinity ? '–' : t('stale', { s: (silent / 1000).toFixed(1) })}`}</span>
    ${operates(app.store) && holds(app.store) && live !== 'dead' && session?.phase === 'ended' ? html`<button class="small" ?disabled=${busy(app.store, 'park')} @click=${() => app.park()}>${t('park')}</button>` : nothing}
    <button class="small" aria-pressed=${app.sound} @click=${() => app.toggleSound()}>${t(app.sound ? 'sound.off' : 'sound.on')}</button>
    <button class="small" @click=${() => app.toggleHelp()}>${t('keys')} <kbd>?</kbd></button>
    <span class="version">${app.store.welcome?.version ?? ''}</span>
  </footer>${app.store.help ? help(app) : nothing}`;
}

function help(app) {
  const rows = app.store.welcome.actions.filter(({ keys }) => keys.length);
  return html`<div class="help" role="dialog" aria-label=${t('keys')}><table><tbody>
    ${rows.map((action) => html`<tr><td>${action.keys.map((key) => html`<kbd>${{ space: 'Space', enter: 'Enter', left: '←' }[key] ?? key}</kbd> `)}</td>
      <td>${action.told} ${action.confirm.length ? t('asks') : ''}</td></tr>`)}
    <tr><td><kbd>h</kbd></td><td>${t('hold.arms')}</td></tr></tbody></table>
    <button class="small" @click=${() => app.toggleHelp()}>${t('close')}</button></div>`;
}
