// The Plan page: a task's collection plan, how far it has come, what is next, and where things go in the live pictures.
import { html, nothing } from '/vendor/lit-html.js';
import { frame, told } from '/frame.js';
import { busy, operates } from '/model.js';
import { tiles } from '/now.js';
import { formOf, inPicture, isNext, placed, places, planOf, wanted } from '/plan_model.js';
import { address } from '/route.js';
import { crosses, ratioOf, stageWords, toStage } from '/staging.js';
import { t } from '/words.js';

/** What the page keeps of its own: the plan that was heard last, and the form while it is edited. */
export class Plans {
  constructor(app) {
    this.app = app;
    this.found = null;
    this.error = '';
    this.form = null;
    this.placing = '';
  }

  async look() {
    const task = this.app.route.of || this.app.store.state?.session?.task || '';
    const answer = await fetch(`/episodes/plan?${new URLSearchParams({ task })}`).catch(() => null);
    if (this.form && this.found?.task !== task) this.form = null;
    this.error = answer === null ? t('link.lost') : answer.ok ? '' : await answer.text();
    if (answer?.ok) this.found = await answer.json();
    this.app.draw();
  }

  edit() {
    this.form = formOf(this.found.plan);
    [this.placing = ''] = this.found.plan?.scenes ?? [];
    this.app.draw();
  }

  set(name, value) {
    this.form = { ...this.form, [name]: value };
    this.app.draw();
  }

  place(scene, camera, event, ratio) {
    event.stopPropagation(); // the place keeps the keyboard's focus: it goes on by arrows
    if (!event.detail) return this.nudge(scene, camera, event); // pressed by a key
    const box = event.currentTarget.getBoundingClientRect();
    this.form = placed(this.form, scene, camera, ...inPicture(box, ratio, event.clientX, event.clientY));
    this.app.draw();
  }

  /** By the keyboard: into the middle, and from there by hundredths. */
  nudge(scene, camera, event) {
    const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? (event.type === 'click' ? [0, 0] : [null]);
    if (dx === null) return;
    event.preventDefault();
    const [x, y] = this.form.places[scene]?.[camera] ?? [0.5, 0.5];
    this.form = placed(this.form, scene, camera, x + dx / 100, y + dy / 100);
    this.app.draw();
  }

  keep(plan) {
    this.app.ask('plan', t(plan ? 'plan.keep' : 'plan.drop'), { type: 'keepplan', task: this.found.task, plan }, () => this.kept());
  }

  /** It was kept: what is on the disk is shown. */
  kept() {
    this.form = null;
    this.look();
  }
}

export function plan(app, nowMs) {
  const { plans } = app, { found, form } = plans, session = app.store.state?.session ?? null;
  const middle = html`<div class="middle plan">
    <section class="seen" tabindex="0" aria-label=${t('page.plan')}>
      ${bar(app)}
      ${plans.error ? html`<p class="trouble" role="alert">${plans.error}</p>` : nothing}
      ${found?.why ? html`<p class="trouble">${found.why}</p>` : nothing}
      ${!found ? html`<p>${t('loading')}</p>` : form ? fields(plans) : found.plan ? table(found) : html`<p class="none">${t(found.task ? 'plan.none' : 'plan.choose')}</p>`}
    </section>
    <section class="seen" tabindex="0" aria-label=${t('plan.live')}>
      <p class="next">${toStage(session) ?? (found?.plan && !form ? html`${found.next.map(({ operator, staged }) => html`<span>${operator ? `${operator}: ` : ''}${staged ? t('plan.stage', { what: stageWords(staged) }) : t('plan.complete', found)}</span> `)}` : nothing)}</p>
      ${tiles(app, nowMs, (camera, place) => where(plans, camera, ratioOf(app, place)))}
    </section></div>
    <div class="last"><span>${found?.uncounted ? t('plan.uncounted', { n: found.uncounted }) : found?.plan && !form ? html`<code>${t('plan.file', { data: app.store.welcome.rig.data, task: found.task })}</code>` : nothing}</span>${told(app)}</div>`;
  return frame(app, nowMs, 'plans', middle, acts(app));
}

function bar(app) {
  const { found } = app.plans, tasks = found?.tasks ?? [], task = found?.task ?? '';
  const go = (name) => location.assign(address('plan', name));
  return html`<div class="bar"><label>${t('filter.task')}<select name="task" @change=${({ target }) => go(target.value)}>
      ${tasks.some(({ name }) => name === task) ? nothing : html`<option value=${task} selected>${task || t('plan.which')}</option>`}
      ${tasks.map(({ name, planned }) => html`<option value=${name} ?selected=${name === task}>${name}${planned ? ` · ${t('plan.has')}` : ''}</option>`)}</select></label>
    <form class="bar" @submit=${(event) => { event.preventDefault(); go(new FormData(event.target).get('other').trim()); }}>
      <label>${t('plan.other')}<input name="other" size="12" maxlength="100" required autocomplete="off"></label><button>${t('filter.do')}</button></form>
    ${found?.plan ? html`<span class="picked">${t('plan.done', found)}</span><progress max=${found.wanted} .value=${found.done} aria-label=${t('page.plan')}></progress>` : nothing}</div>`;
}

function table({ plan, rows, next }) {
  const columns = ['scene', 'object', 'operator'].filter((name) => plan[`${name}s`]?.length);
  return html`<div class="rows" tabindex="0" role="region" aria-label=${t('page.plan')}><table class="list"><thead><tr><th></th>${columns.map((name) => html`<th>${t(`plan.col.${name}`)}</th>`)}<th>${t('plan.col.saved')}</th><th>${t('plan.col.failures')}</th></tr></thead>
    <tbody>${rows.map((row) => html`<tr data-row class=${row.counted >= plan.each ? 'ok' : ''} aria-current=${isNext(row, next) ? 'true' : nothing}>
      <td class="look">${row.counted >= plan.each ? '✓' : isNext(row, next) ? t('plan.next') : ''}</td>${columns.map((name) => html`<td>${row[name]}</td>`)}
      <td>${t('plan.of', { n: row.counted, each: plan.each })}</td><td>${row.failures || ''}</td></tr>`)}</tbody></table></div>
    ${plan.instruction ? html`<p>${t('field.instruction')}: ${plan.instruction}</p>` : nothing}`;
}

function fields(plans) {
  const { form } = plans, set = ({ target }) => plans.set(target.name, target.value);
  const number = (name, max) => html`<label>${t(`plan.field.${name}`)}<input name=${name} type="number" min=${name === 'each' ? 1 : 0} max=${max} step="1" required .value=${form[name]} @input=${set}></label>`;
  const words = (name) => html`<label>${t(`plan.field.${name}`)}<textarea name=${name} rows="6" .value=${form[name]} @input=${set}></textarea></label>`;
  return html`<form id="plan" class="planned" @submit=${(event) => { event.preventDefault(); plans.keep(planOf(form)); }}>
    <div class="fields">${number('each', 10000)}${number('seed', 2 ** 31)}<span class="picked">${t('plan.wanted', { n: wanted(form) })}</span></div>
    <div class="fields">${words('scenes')}${words('objects')}${words('operators')}</div>
    <label class="wide">${t('plan.field.instruction', { scene: '{scene}', object: '{object}' })}<input name="instruction" maxlength="4000" .value=${form.instruction} @input=${set} autocomplete="off"></label>
    ${planOf(form).scenes.length ? html`<label>${t('plan.field.placing')}<select name="placing" @change=${({ target }) => { plans.placing = target.value; plans.app.draw(); }}>
      ${planOf(form).scenes.map((scene) => html`<option value=${scene} ?selected=${scene === plans.placing}>${scene}</option>`)}</select></label>` : nothing}</form>`;
}

/** Over a camera's picture on this page: every scene's place; while it is edited a click says where it is. */
function where(plans, camera, ratio) {
  const { form, found } = plans;
  if (!form) return crosses(places(found?.plan, camera), ratio);
  const scenes = planOf(form).scenes, scene = scenes.includes(plans.placing) ? plans.placing : scenes[0];
  return html`${crosses(places(planOf(form), camera), ratio)}${scene ? html`<button class="pick" type="button" aria-label=${t('plan.place', { scene, camera })}
    @click=${(event) => plans.place(scene, camera, event, ratio)} @keydown=${(event) => plans.nudge(scene, camera, event)}></button>` : nothing}`;
}

function acts(app) {
  const { plans, store } = app, { found, form } = plans;
  if (!operates(store)) return html`<span>${t('plan.who')}</span>`;
  if (!found?.task) return nothing;
  if (form) {
    return html`<button class="main" form="plan" data-act="keep" ?disabled=${busy(store, 'plan')}>${t('plan.keep')}</button>
      <button class="act" @click=${() => { plans.form = null; app.draw(); }}>${t('plan.leave')}</button><span class="picked">${t('plan.how')}</span>`;
  }
  return html`<button class="main" data-act="edit" @click=${() => plans.edit()}>${t(found.plan ? 'plan.edit' : 'plan.make')}</button>
    ${found.plan ? html`<button class="act" data-act="drop" ?disabled=${busy(store, 'plan')} @click=${() => app.confirm('plan', t('plan.drop'), t('plan.drop.asks', { task: found.task }), { type: 'keepplan', task: found.task, plan: null }, () => app.plans.kept())}>${t('plan.drop')}</button>` : nothing}
    <span class="picked">${t('plan.told')}</span>`;
}
