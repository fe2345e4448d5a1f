// The Check page: whether the rig may record, what the last check found, what is calibrated, and running both.
import { html, nothing } from '/vendor/lit-html.js';
import { frame, MARK, stationless, told } from '/frame.js';
import { calibrations, wizardActs } from '/calibrate.js';
import { asks, job, jobOf } from '/job.js';
import { busy, operates } from '/model.js';
import { day } from '/episodes.js';
import { address } from '/route.js';
import { ranked, VERDICT_LEVEL } from '/rig_model.js';
import { t } from '/words.js';

/** The last check, as it was heard last. */
export class LastCheck {
  constructor(app) {
    this.app = app;
    this.found = undefined;
    this.error = '';
  }

  async look() {
    const answer = await fetch('/rig/check').catch(() => null);
    this.error = answer === null ? t('link.lost') : answer.ok ? '' : await answer.text();
    if (answer?.ok) this.found = (await answer.json()).found;
    this.app.draw();
  }
}

const JOBS = ['check', 'calibrate'];

export function check(app, nowMs) {
  const { store, lastCheck } = app, session = store.state?.session, { found } = lastCheck;
  const runs = store.job?.running, sitting = session && session.phase !== 'ended', shows = jobOf(store, JOBS);
  const middle = html`<div class="middle checked"><section class="shelf" tabindex="0" aria-label=${t('page.check')}>
    <p class="banner ${session?.check_due ? (store.welcome.rig.real ? 'bad' : 'warn') : ''}">${!session ? stationless(app) : session.check_due ? t(store.welcome.rig.real ? 'check.due' : 'check.due.sim', { why: session.check_due }) : t('check.counts')}</p>
    ${job(app, ...JOBS)}
    ${lastCheck.error ? html`<p class="trouble" role="alert">${lastCheck.error}</p>` : found === undefined ? html`<p>${t('loading')}</p>` : shows?.running && asks(shows) ? nothing : found === null ? html`<p class="none">${t('check.never')}</p>` : result(found)}
  </section><section class="health" tabindex="0" aria-label=${t('calibrations')}>${calibrations(app)}</section></div>
  <div class="last"><span>${sitting ? t('check.sitting') : runs ? nothing : t('check.what')}</span>${told(app)}</div>`;
  const off = runs || sitting || busy(store, 'calibrate');
  const runIt = app.calibrations.what ? nothing : html`<button class="main" data-act="check" ?disabled=${runs || sitting || busy(store, 'check')} @click=${() => app.ask('check', t('check.run'), { type: 'check' })}>${t('check.run')}</button>`;
  return frame(app, nowMs, 'checks', middle, operates(store) ? html`${runIt}${wizardActs(app, off, store.welcome.role === 'engineer')}` : html`<span>${t('check.who')}</span>`);
}

function result(found) {
  return html`<p><b class=${`level ${VERDICT_LEVEL[found.verdict]}`}>${MARK[VERDICT_LEVEL[found.verdict]]} ${t(`check.${found.verdict}`)}</b> ${day(found.at_s)}${found.same_rig_file ? nothing : html` · ${t('check.other')}`}
      ${found.verdict === 'fail' ? html` · <a href=${address('now')}>${t('check.override')}</a>` : nothing}</p>
    <div class="rows" tabindex="0" role="region" aria-label=${t('check.findings')}><table class="list"><thead><tr>${['verdict', 'device', 'what', 'value', 'limit', 'next'].map((name) => html`<th>${t(`col.${name}`)}</th>`)}</tr></thead>
    <tbody>${ranked(found.findings).map((each) => html`<tr class=${VERDICT_LEVEL[each.verdict]}><td class="look">${MARK[VERDICT_LEVEL[each.verdict]]} ${t(`check.${each.verdict}`)}</td><td>${each.device}</td><td>${each.name}</td><td>${each.value}</td><td>${each.limit}</td><td>${each.next}</td></tr>`)}</tbody></table></div>`;
}
