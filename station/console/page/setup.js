// The Set-up page: what is plugged in while the rig is not up, and a rig file of it, step by step.
import { html, nothing } from '/vendor/lit-html.js';
import { day } from '/episodes.js';
import { frame, MARK, told } from '/frame.js';
import { job, jobOf } from '/job.js';
import { busy, liveness } from '/model.js';
import { hindrance, placeOf, portsOf, saidBefore, thingLevel, written } from '/setup_model.js';
import { t } from '/words.js';

/** What the page keeps of its own: what is being typed. */
export class Setup {
  constructor(app) {
    this.app = app;
    this.ports = '';
    this.name = '';
  }

  set(what, text) {
    this[what] = text;
    this.app.draw();
  }

  look() {
    this.app.ask('find', t('setup.look'), { type: 'find', ports: portsOf(this.ports) });
  }

  write() {
    const name = this.name.trim();
    this.app.ask('newrig', t('setup.write', { name }), { type: 'newrig', name, ports: portsOf(this.ports) });
  }

  try(rig) {
    this.app.ask('tryrig', t('setup.try', { name: rig }), { type: 'tryrig', rig });
  }
}

const JOBS = ['rig new', 'rig try'];

export function setup(app, nowMs) {
  const { store } = app, live = liveness(store, nowMs), runs = jobOf(store, JOBS), why = hindrance(store, live);
  const middle = html`<div class="middle setup"><section class="shelf" tabindex="0" aria-label=${t('page.setup')}>
    ${live !== 'dead' ? html`<p class="banner">${t('setup.up', { rig: store.welcome.rig.name })}</p>` : nothing}
    ${job(app, ...JOBS)}
    ${runs && saidBefore(runs).length ? html`<ol class="said" aria-label=${t('setup.said')}>${saidBefore(runs).map((line) => html`<li>${line}</li>`)}</ol>` : nothing}
    ${runs?.running ? nothing : html`${next(app, why)}${found(store, live)}`}
  </section></div>
  <div class="last"><span>${why ? t(why, { rig: store.welcome.rig.name }) : t('setup.what')}</span>${told(app)}</div>`;
  return frame(app, nowMs, 'setups', middle, acts(app, why));
}

/** What is of use once a file was written. */
function next(app, why) {
  const rig = written(app.store.job);
  if (!rig) return nothing;
  return html`<div class="banner"><p>${t('setup.written', { rig })}${app.store.welcome.rig.chosen ? nothing : html` ${t('setup.again')}`}</p>
    ${app.store.welcome.role === 'engineer' ? html`<button class="small" data-act="try" ?disabled=${Boolean(why) || busy(app.store, 'tryrig')} title=${t('setup.try.does')} @click=${() => app.setup.try(rig)}>${t('setup.try', { name: rig })}</button>` : nothing}</div>`;
}

function found({ found: heard }, live) {
  if (live !== 'dead') return nothing;
  if (!heard) return html`<p class="none">${t('setup.first')}</p>`;
  if (heard.looking) return html`<p role="status">${t('setup.looking', { by: heard.by })}</p>`;
  if (heard.at_s === null) return nothing; // the look failed: why is told below
  return html`<p><b>${t('setup.found', { n: heard.found.length })}</b> ${day(heard.at_s)}</p>
    ${heard.failures.map((failure) => html`<p class="trouble">${t('setup.failed', { failure })}</p>`)}
    ${heard.found.length ? table(heard.found) : html`<p class="none">${t('setup.nothing')}</p>`}`;
}

function table(things) {
  return html`<div class="rows" tabindex="0" role="region" aria-label=${t('setup.things')}><table class="list"><thead><tr>${['kind', 'model', 'port', 'serial', 'details'].map((name) => html`<th>${t(`setup.col.${name}`)}</th>`)}</tr></thead>
    <tbody>${things.map((thing) => {
    const { port, stable } = placeOf(thing), level = thingLevel(thing);
    return html`<tr class=${level} data-thing=${thing.port}><td class="look">${MARK[level]} ${thing.kind}</td><td>${thing.model}</td><td class="place">${port}${stable ? html`<small>${stable}</small>` : nothing}</td><td>${thing.serial}</td>
      <td class="whole">${thing.details.map((line) => html`<span>${line}</span>`)}${thing.advice.map((line) => html`<span class="advice">${MARK.warn} ${line}</span>`)}</td></tr>`;
  })}</tbody></table></div>`;
}

function acts(app, why) {
  const { store, setup: kept } = app;
  if (store.welcome.role !== 'engineer') return nothing;
  return html`<form class="fields" @submit=${(event) => { event.preventDefault(); kept.look(); }}>
      <button class="main" data-act="find" ?disabled=${Boolean(why) || busy(store, 'find')}>${t('setup.look')}</button>
      <label>${t('setup.ports')}<input name="ports" size="24" maxlength="2000" .value=${kept.ports} autocomplete="off" spellcheck="false" placeholder="/dev/ttyUSB0" @input=${({ target }) => kept.set('ports', target.value)}></label></form>
    <form class="fields" @submit=${(event) => { event.preventDefault(); kept.write(); }}>
      <label>${t('setup.name')}<input name="name" size="14" maxlength="200" required .value=${kept.name} autocomplete="off" autocapitalize="off" spellcheck="false" @input=${({ target }) => kept.set('name', target.value)}></label>
      <button class="act" data-act="new" title=${t('setup.write.does')} ?disabled=${Boolean(why) || busy(store, 'newrig')}>${t('setup.begin')}</button></form>`;
}
