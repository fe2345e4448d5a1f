// The wall: what is read from two metres away, and HOLD. No other control.
import { html, nothing } from '/vendor/lit-html.js';
import { tiles } from '/now.js';
import { hold, rigName, soundButton } from '/frame.js';
import { clock, liveness, silenceMs, word } from '/model.js';
import { address } from '/route.js';
import { toStage } from '/staging.js';
import { t } from '/words.js';

export function wall(app, nowMs) {
  const { store } = app, session = store.state?.session ?? null, live = liveness(store, nowMs), phase = word(session, live);
  const dead = live === 'dead', seconds = session && phase === 'recording' ? clock(session.recorded_ticks / store.welcome.rig.tick_hz) : '';
  return html`<div class="page wall ${live}" data-phase=${phase} data-live=${live}>
    <header><h1>${rigName(store)}${session?.task ? ` · ${session.task}` : ''}</h1><a href=${address('now')}>${t('page.now')}</a></header>
    <main><p class="phase" role="status">${t(`phase.${phase}`)} ${seconds}</p>
    <p class="big">${!session ? '' : session.kept === false ? t('counts.unrecorded', { n: session.episode, early: session.ended_early }) : session.wanted ? t('wall.of', { saved: session.saved, wanted: session.wanted }) : t('wall.saved', { saved: session.saved })}</p>
    <p class="cause" role=${dead || phase === 'hold' ? 'alert' : nothing}>${dead ? t('notlive', { s: Number.isFinite(silenceMs(store, nowMs)) ? Math.ceil(silenceMs(store, nowMs) / 1000) : '–' }) : session?.why || session?.drift || ((phase === 'ready' || phase === 'reset') && toStage(session)) || t(`do.${phase}`)}</p>
    ${tiles(app, nowMs)}
    <div class="acts">${soundButton(app)}${hold(app)}</div></main></div>`;
}
