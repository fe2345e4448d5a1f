// What every page has around it: who is who, the phase, what is asked, what was told, HOLD.
import { html, nothing } from '/vendor/lit-html.js';
import { busy, clock, holds, liveness, operates, silenceMs, word } from '/model.js';
import { address, PAGES } from '/route.js';
import { standing, toStage } from '/staging.js';
import { t } from '/words.js';

export const MARK = { ok: '●', warn: '▲', bad: '■' };

/** An age, short. */
export const age = (ms) => (ms === null ? '–' : ms < 10_000 ? `${Math.round(ms)} ms` : `${Math.round(Math.min(ms / 1000, 9999))} s`);

/** Seconds for people: whole ones. */
const s = (ms) => Math.max(0, Math.ceil(ms / 1000));

/** A page in its frame: `middle` is the page's own, `below` stands beside HOLD. */
export function frame(app, nowMs, name, middle, below) {
  const { store } = app, session = store.state?.session ?? null, live = liveness(store, nowMs), phase = word(session, live);
  return html`<div class="page ${name} ${live}" data-phase=${phase} data-live=${live}>
    ${header(app, session, phase, live)}
    ${banner(app, session, phase, live, nowMs)}
    <main>${middle}<div class="acts">${below}${hold(app)}</div></main>
    ${footer(app, session, live, nowMs)}
  </div>`;
}

/** The other pages: a link each. */
function pages(app) {
  return html`<nav>${PAGES.map((page) => html`<a href=${address(page)} aria-current=${app.route.page === page ? 'page' : nothing}>${t(`page.${page}`)}</a>`)}</nav>`;
}

/** Why no station says anything, and what to do. */
export function stationless({ store: { welcome }, route }) {
  if (!welcome || welcome.rig.chosen) return t('link.station', { rig: welcome?.rig.name ?? '' });
  return route.page === 'setup' ? t('norig') : html`${t('norig')} <a href=${address('setup')}>${t('page.setup')}</a>`;
}

/** The rig's name, for people. */
export const rigName = (store) => (!store.welcome ? '' : store.welcome.rig.chosen ? store.welcome.rig.name : t('norig.name'));

export function told(app) {
  const { told } = app.store;
  return html`<output class="told ${told?.level ?? ''}" aria-live="polite">${told?.words ?? ''}</output>`;
}

function header(app, session, phase, live) {
  const { store } = app, control = session?.control, mine = holds(store);
  const who = !control?.holder ? t('control.none') : t(mine ? 'control.here' : 'control.there', { who: control.holder.replace(/ \(console\)$/, '') });
  return html`<header><div class="line">${pages(app)}
      <span class="control ${mine ? 'mine' : ''}">${who}
        ${operates(store) ? html`<button class="small" ?disabled=${live === 'dead' || busy(store, 'control')}
          @click=${() => app.control(mine ? 'leave' : 'take')}>${t(mine ? 'control.leave' : 'control.take')}</button>` : html`(${t('control.viewer')})`}
      </span></div>
    <div class="line"><h1>${rigName(store)}${session?.task ? html` · ${session.task}` : nothing}</h1>
      <strong class="phase">${t(`phase.${phase}`)}</strong>
      ${session ? html`<span class="counts">${counts(store, session)}</span>` : nothing}</div>
  </header>`;
}

function counts(store, session) {
  const hz = store.welcome.rig.tick_hz, values = { saved: session.saved, wanted: session.wanted, discarded: session.discarded, early: session.ended_early };
  if (session.kept === false) return t('counts.unrecorded', { n: session.episode, early: session.ended_early });
  const parts = [];
  if (session.phase === 'recording') parts.push(`${t('episode', { n: session.episode })}  ${clock(session.recorded_ticks / hz)}`);
  else if (session.phase !== 'ended') parts.push(t('episode', { n: session.episode }));
  parts.push(t(session.wanted ? 'counts.wanted' : 'counts', values));
  if (session.staging) parts.push(standing(session));
  if (session.finalising) parts.push(t('building', { n: session.finalising }));
  return parts.join(' · ');
}

function banner(app, session, phase, live, nowMs) {
  const { store } = app;
  if (live === 'dead') {
    const silent = silenceMs(store, nowMs);
    const why = store.link !== 'open' ? t('link.lost') : silent === Infinity ? stationless(app) : t('notlive', { s: s(silent) });
    return html`<div class="banner bad" role="alert">${why}</div>${question(app)}`;
  }
  const why = session.why && phase !== 'paused' ? html`<p class="why">${session.why}</p>` : nothing;
  const kind = phase === 'hold' ? 'bad' : phase === 'recording' ? 'rec' : '';
  const left = session.reset_in_ms !== null ? ` ${t('reset.in', { s: s(session.reset_in_ms) })}` : '';
  return html`<div class="banner ${kind}" aria-live=${phase === 'hold' ? 'assertive' : 'polite'}>
      ${why}<p>${(phase === 'ready' || phase === 'reset') && toStage(session) || t(`do.${phase}`)}${left}</p>
    </div>
    ${motion(app, session)}${wish(app, session)}
    ${question(app)}`;
}

function question(app) {
  const { store } = app;
  return store.question ? html`<div class="banner ask" role="alertdialog" aria-label=${store.question.words}>
      <p>${store.question.words}</p>
      <button class="small" @click=${() => app.answer(true)}>${t('yes')} <kbd>y</kbd></button>
      <button class="small" @click=${() => app.answer(false)}>${t('no')}</button></div>` : nothing;
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

export function hold(app) {
  return html`<div class="stop"><button class="hold" data-action="hold" @click=${() => app.hold()}>${t('hold.arms')} <kbd>h</kbd></button>
    <small>${t('hold.says')}</small></div>`;
}

function footer(app, session, live, nowMs) {
  const silent = silenceMs(app.store, nowMs);
  return html`<footer>
    <span class="liveness">${live === 'live' ? `${MARK.ok} ${t('live')} · ${age(silent)}` : `${MARK.bad} ${silent === Infinity ? '–' : t('stale', { s: (silent / 1000).toFixed(1) })}`}</span>
    ${operates(app.store) && holds(app.store) && live !== 'dead' && session?.phase === 'ended' ? html`<button class="small" ?disabled=${busy(app.store, 'park')} @click=${() => app.park()}>${t('park')}</button>` : nothing}
    ${soundButton(app)}
    <button class="small" @click=${() => app.toggleHelp()}>${t('keys')} <kbd>?</kbd></button>
    <span class="version">${app.store.welcome?.version ?? ''}</span>
  </footer>${app.store.help ? help(app) : nothing}`;
}

export function soundButton(app) {
  return html`<button class="small" aria-pressed=${app.sound} @click=${() => app.toggleSound()}>${t(app.sound ? 'sound.off' : 'sound.on')}</button>`;
}

function help(app) {
  const rows = app.store.welcome.actions.filter(({ keys }) => keys.length);
  return html`<div class="help" role="dialog" aria-label=${t('keys')}><table><tbody>
    ${rows.map((action) => html`<tr><td>${action.keys.map((key) => html`<kbd>${{ space: 'Space', enter: 'Enter', left: '←' }[key] ?? key}</kbd> `)}</td>
      <td>${action.told} ${action.confirm.length ? t('asks') : ''}</td></tr>`)}
    <tr><td><kbd>h</kbd></td><td>${t('hold.arms')}</td></tr></tbody></table>
    <button class="small" @click=${() => app.toggleHelp()}>${t('close')}</button></div>`;
}
