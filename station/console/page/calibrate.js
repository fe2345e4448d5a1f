// Calibrations in force with their age, and the wizards that measure them: `station calibrate`, step by step.
import { html, nothing } from '/vendor/lit-html.js';
import { MARK } from '/frame.js';
import { asked, level, WIZARDS, wizards } from '/calibrate_model.js';
import { t } from '/words.js';

/** What the page keeps of its own: what was heard last, and which wizard is being prepared. */
export class Calibrations {
  constructor(app) {
    this.app = app;
    this.devices = [];
    this.error = '';
    this.what = '';
    this.form = {};
  }

  async look() {
    const answer = await fetch('/rig/calibrations').catch(() => null);
    this.error = answer === null ? t('link.lost') : answer.ok ? '' : await answer.text();
    if (answer?.ok) ({ devices: this.devices } = await answer.json());
    this.app.draw();
  }

  choose(what) {
    Object.assign(this, { what, form: { only: [], placings: 3 } });
    this.app.draw();
  }

  set(name, value) {
    this.form = { ...this.form, [name]: value };
    this.app.draw();
  }

  only(node, yes) {
    this.set('only', yes ? [...this.form.only, node] : this.form.only.filter((other) => other !== node));
  }

  begin() {
    const { what } = this;
    this.app.ask('calibrate', t('calibrate.begin', { what }), asked(what, this.form));
    this.choose('');
  }
}

export function calibrations(app) {
  const { calibrations: kept } = app;
  return html`<h2>${t('calibrations')}</h2>
    ${kept.error ? html`<p class="trouble" role="alert">${kept.error}</p>` : nothing}
    <table class="list"><tbody>${kept.devices.map((device) => html`<tr class=${level(device)} data-device=${device.node}>
      <td class="look">${MARK[level(device)]}</td><td>${device.node}</td>
      <td>${device.parts.map((part) => html`<span class="part" title=${`${part.method}, ${part.samples}${part.left ? `: ${part.left}` : ''}${part.by ? ` (${part.by})` : ''}`}>${t(`part.${part.part}`)} ${t('part.age', { days: part.age_days })}</span> `)}
        ${device.parts.length ? nothing : t('calibration.none')}${device.heard ? nothing : html` <small>${t('calibration.silent')}</small>`}${device.newer ? html` <small>${t('calibration.newer')}</small>` : nothing}${device.trouble ? html`<small class="whole">${device.trouble}</small>` : nothing}</td></tr>`)}</tbody></table>`;
}

/** A button for each wizard; of the one that was chosen what it may be told, and its beginning. */
export function wizardActs(app, off, who) {
  const { calibrations: kept } = app, offered = wizards(kept.devices), chosen = offered.find(({ what }) => what === kept.what);
  if (!who) return html`<span class="picked">${t('calibrate.who')}</span>`;
  if (!chosen) return html`${offered.map(({ what }) => html`<button class="act" data-wizard=${what} ?disabled=${off} title=${t(`wizard.${what}.does`)} @click=${() => kept.choose(what)}>${t(`wizard.${what}`)}</button>`)}`;
  return html`<form class="wizard" @submit=${(event) => { event.preventDefault(); kept.begin(); }}><p><b>${t(`wizard.${chosen.what}`)}</b>: ${t(`wizard.${chosen.what}.does`)}</p>
    <div class="fields"><fieldset><legend>${t('calibrate.only')}</legend>${chosen.devices.map((node) => html`<label class="tick"><input type="checkbox" .checked=${kept.form.only.includes(node)} @change=${({ target }) => kept.only(node, target.checked)}> ${node}</label>`)}</fieldset>
      ${WIZARDS[chosen.what].map((name) => field(kept, name))}
      <button class="main" data-act="calibrate" ?disabled=${off}>${t('calibrate.go')}</button><button class="act" type="button" @click=${() => kept.choose('')}>${t('plan.leave')}</button></div></form>`;
}

const NUMBERS = { placings: [1, 10], compare: [0, 20], seconds: [0, 86400] };

function field(kept, name) {
  const set = ({ target }) => kept.set(name, target.type === 'checkbox' ? target.checked : target.value), bounds = NUMBERS[name];
  if (name === 'board') return html`<label class="tick"><input type="checkbox" .checked=${Boolean(kept.form.board)} @change=${set}> ${t('option.board')}</label>`;
  return html`<label>${t(`option.${name}`)}<input name=${name} .value=${String(kept.form[name] ?? '')} type=${bounds ? 'number' : 'text'} min=${bounds?.[0] ?? nothing} max=${bounds?.[1] ?? nothing} size="12" maxlength="200" pattern=${name === 'pose' ? '[0-9+., \\-]*' : nothing} autocomplete="off" @input=${set}></label>`;
}
