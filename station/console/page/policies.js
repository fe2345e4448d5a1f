// The Policies page: folders and what differs from the rig, what the runner asks for over where the arms are, and who commands.
import { html, nothing } from '/vendor/lit-html.js';
import { evaluating, evaluation, evaluations } from '/evaluation.js';
import { frame, MARK, told } from '/frame.js';
import { job } from '/job.js';
import { asksReason, busy, liveness, operates } from '/model.js';
import { acts as pressed, sides } from '/now.js';
import { PLOTS, Timings } from '/policy_strips.js';
import { begun, compared, handKey, hands, isLoaded, refusal, rollouts, runnerLevel, standing, timing } from '/policies_model.js';
import { address } from '/route.js';
import { Strips } from '/strips.js';
import { t } from '/words.js';

/** What the page keeps of its own: what was read, what is ticked, and whether somebody presses that they hold the leaders. */
export class Policies {
  constructor(app) {
    this.app = app;
    this.list = this.detail = this.done = null; // done: the evaluations there are
    this.evaluation = null;
    this.error = '';
    this.ticked = new Set();
    this.form = JSON.parse(localStorage.getItem('rollouts') ?? '{"kept":"on"}');
    this.planning = false; // is an evaluation being planned?
    this.runner = null;
    this.heardAt = 0;
    this.holding = false;
    this.asks = new Strips();
    this.timings = new Timings();
    document.addEventListener('keyup', ({ key }) => key.toLowerCase() === 'i' && this.release());
    addEventListener('blur', () => this.release());
    document.addEventListener('visibilitychange', () => document.hidden && this.release());
  }

  // -- read --

  async look() {
    const { of, query } = this.app.route, name = query.get('eval');
    const asked = (this.asked = { of, name });
    const read = async (what, values = {}) => {
      const answer = await fetch(`/policies/${what}?${new URLSearchParams(values)}`).catch(() => null);
      if (answer?.ok) return answer.json();
      this.error = answer === null ? t('link.lost') : await answer.text();
      return null;
    };
    this.error = '';
    const begins = begun(this.app.store.job, name); // there is nothing to read yet
    const [list, detail, done, found] = await Promise.all([read(''), of ? read('one', { of }) : null, read('evaluations'), name && !begins ? read('evaluation', { of: name }) : null]);
    if (asked !== this.asked) return; // somebody went on meanwhile
    Object.assign(this, { list, detail, done: done?.evaluations ?? [], evaluation: found });
    const there = new Set(list?.policies.map((policy) => policy.name));
    this.ticked = new Set([...this.ticked].filter((one) => there.has(one)));
    this.app.draw();
  }

  // -- heard --

  take(message, at) {
    const before = this.runner;
    this.runner = message.runner;
    this.heardAt = at;
    this.timings.take(timing(message));
    if (before && before.phase !== this.runner?.phase && this.app.route.page === 'policies') this.look();
  }

  tick(message) {
    this.asks.take({ ...message, asked: message.wanted });
  }

  /** An evaluation has come further: its trials are read again. */
  job(before, now) {
    if (now.name === 'eval' && this.app.route.page === 'policies' && (before?.progress !== now.progress || before?.running !== now.running)) this.look();
  }

  /** A take-over that waits for somebody's yes is no longer wanted once the leaders are let go of. */
  state(session) {
    const { store } = this.app, motion = session?.motion;
    if (!this.holding && motion && busy(store, 'takeover') && motion.asked_by === store.welcome.who && !busy(store, 'deny')) this.app.deny();
  }

  // -- asked --

  load(policy) {
    this.app.ask('load', t('policy.load', { name: policy.name }), { type: 'load', policy: policy.name });
  }

  shadow(on) {
    this.app.ask('shadow', t(on ? 'shadow.on' : 'shadow.off'), { type: 'shadow', on });
  }

  begin(data) {
    this.form = Object.fromEntries(data);
    localStorage.setItem('rollouts', JSON.stringify({ ...this.form, override: '' }));
    const words = (name) => (this.form[name] ?? '').trim(), number = (name) => Number(this.form[name] || 0);
    this.app.ask('rollouts', t('rollouts.begin'), {
      type: 'rollouts', seen: this.app.seen(), task: words('task'), operator: words('operator'), scene: words('scene'), episodes: Math.floor(number('episodes')),
      seconds: number('seconds'), reset_s: number('reset'), kept: Boolean(this.form.kept), override: words('override'),
    }, () => { this.form.override = ''; });
  }

  press() {
    if (this.app.route.page !== 'policies' || this.holding) return;
    this.holding = true;
    this.app.draw();
  }

  release() {
    if (!this.holding) return;
    this.holding = false;
    this.state(this.app.store.state?.session);
    this.app.draw();
  }

  hand(takes) {
    const now = hands(this.app.store, this.holding, performance.now());
    if (takes ? !now.takes : !now.gives) return;
    if (takes) this.app.ask('takeover', t('hands.take'), { type: 'takeover', seen: this.app.seen() });
    else this.app.ask('handback', t('hands.give'), { type: 'handback', seen: this.app.seen() });
  }

  /** Was it a key of this page? */
  key(name) {
    if (name === 'i' && rollouts(this.app.store.state?.session)) return this.press() ?? true;
    const does = handKey(name, this.app.store, this.holding, performance.now());
    if (does === 'how') this.app.tell(t('hands.how'), 'warn');
    else if (does) this.hand(does === 'take');
    if (does) this.app.draw();
    return Boolean(does);
  }

  attach(root) {
    for (const strip of root.querySelectorAll('[data-ask]')) this.asks.attach(strip, Number(strip.dataset.ask), this.app.store.state?.widths);
    for (const strip of root.querySelectorAll('[data-timing]')) this.timings.attach(strip);
  }
}

export function policies(app, nowMs) {
  const { policies: page, route } = app, name = route.query.get('eval');
  const middle = html`<div class="middle policies"><section class="seen" tabindex="0" aria-label=${t('page.policies')}>
      ${job(app, 'eval')}${page.planning ? evaluating(app) : name ? html`${evaluation(app, name)}${app.store.job?.running ? asks(app) : nothing}` : html`${runner(app, nowMs)}${asks(app)}${timings()}`}
    </section><section class="health" tabindex="0" aria-label=${t('policies.folders')}>${page.error ? html`<p class="trouble" role="alert">${page.error}</p>` : nothing}${folders(app)}${about(app)}${evaluations(app)}</section></div>
    <div class="last"><span></span>${told(app)}</div>`;
  return frame(app, nowMs, 'policing', middle, acts(app, nowMs));
}

function runner(app, nowMs) {
  const { runner, heardAt } = app.policies;
  if (!runner) return html`<p>${t('runner.silent')}</p>`;
  const level = runnerLevel(runner), name = runner.blind ? t('runner.blind') : runner.name;
  const s = Math.round((runner.since_ms + Math.max(0, nowMs - heardAt)) / 1000), figures = runner.delay_p95_ms === null ? nothing : t('runner.figures', { delay: runner.delay_p95_ms.toFixed(0), inference: (runner.inference_p95_ms ?? 0).toFixed(0), starved: runner.starved_ticks, faults: runner.faults, missing: runner.missing_frames });
  return html`<p class="runner" data-runner=${runner.phase}><b class=${`level ${level}`}>${MARK[level]} ${t(runner.shadow ? 'runner.shadow' : `runner.${runner.phase}`, { name, time: s < 100 ? `${s} s` : `${Math.floor(s / 60)} min` })}</b> ${runner.phase === 'running' ? figures : nothing}</p>
    ${runner.why ? html`<p class="trouble">${runner.why}</p>` : nothing}${runner.note ? html`<p>${runner.note}</p>` : nothing}`;
}

/** Where the joints are, and over them what the policy asks for. */
function asks(app) {
  const all = sides(app);
  return html`<div class="joints">${all.map((side, place) => html`<figure title=${t('joints.numbered')}><figcaption>${t('asks.joints', { side })}</figcaption>
    <div class="strip" data-ask=${place}></div></figure>`)}</div>`;
}

function timings() {
  return html`<div class="joints timings">${Object.keys(PLOTS).map((name) => html`<figure><figcaption>${t(`timing.${name}`)}</figcaption><div class="strip" data-timing=${name}></div></figure>`)}</div>`;
}

function folders(app) {
  const { policies: page, route } = app, { list, runner, ticked } = page, engineer = app.store.welcome.role === 'engineer';
  if (!list) return page.error ? nothing : html`<p>${t('loading')}</p>`;
  const tick = (policy, yes) => { ticked[yes ? 'add' : 'delete'](policy.name); app.draw(); };
  return html`<h2>${t('policies.folders')}</h2><table class="folders"><tbody>${list.policies.map((policy) => {
    const { level, key } = standing(policy);
    return html`<tr class=${level} data-policy=${policy.name} aria-current=${policy.name === route.of ? 'true' : nothing}>
      <td>${engineer ? html`<input type="checkbox" aria-label=${t('policy.tick', { name: policy.name })} .checked=${ticked.has(policy.name)} @change=${({ target }) => tick(policy, target.checked)}>` : nothing}</td>
      <td><a href=${address('policies', policy.name)}>${policy.name}</a> ${policy.kind}</td><td>${MARK[level]} ${t(key, { n: policy.differs })}${isLoaded(policy, runner) ? html` <b>${t('policy.loaded')}</b>` : nothing}</td></tr>`;
  })}</tbody></table><p>${t('policies.own')} <code>${list.own}</code></p>`;
}

function about(app) {
  const { detail } = app.policies;
  if (!app.route.of || !detail) return nothing;
  const { differs, fits } = compared(detail.points);
  const row = (level, key, says, has) => html`<tr class=${level}><td>${MARK[level]} ${key}</td><td>${says}</td><td>${has}</td></tr>`;
  return html`<h2>${detail.name}</h2>${detail.problem ? html`<p class="trouble whole">${detail.problem}</p>` : nothing}
    ${detail.points.length ? html`<table class="compared"><thead><tr>${['says.what', 'says.policy', 'says.rig'].map((key) => html`<th>${t(key)}</th>`)}</tr></thead><tbody>
      ${differs.map((point) => html`${row('bad', point.key, point.says, point.has)}<tr><td colspan="3">${point.found}. ${t('next', { next: point.fix })}</td></tr>`)}
      ${fits.map(({ key, n, says, has }) => row('ok', key, n > 1 ? t('says.all', { n }) : says, n > 1 ? '' : has))}</tbody></table>${detail.seen ? nothing : html`<p>${t('says.unseen')}</p>`}` : nothing}
    <table class="facts"><tbody>${detail.facts.map(([what, words]) => html`<tr><td>${what}</td><td>${words}</td></tr>`)}</tbody></table>`;
}

// -- what may be pressed --

function acts(app, nowMs) {
  const { store } = app, session = store.state?.session;
  if (!operates(store)) return html`<span>${t('policies.viewer')}</span>`;
  if (rollouts(session)) return html`${store.job?.running ? nothing : pressed(app, nowMs)}${leading(app, nowMs)}`;
  return before(app, nowMs, session);
}

/** Hands, and who leads. */
function leading(app, nowMs) {
  const { policies: page, store } = app, now = hands(store, page.holding, nowMs), session = store.state.session;
  const release = () => page.release();
  const held = (event) => { if (['Enter', ' '].includes(event.key)) { event.preventDefault(); page[event.type === 'keydown' ? 'press' : 'release'](); } };
  return html`<div class="leading"><div class="fields"><button class="act held" data-act="held" aria-pressed=${page.holding} @pointerdown=${(event) => { event.target.setPointerCapture?.(event.pointerId); page.press(); }}
      @pointerup=${release} @pointercancel=${release} @lostpointercapture=${release} @keydown=${held} @keyup=${held} @blur=${release} @contextmenu=${(event) => event.preventDefault()}>${t('hands.held')} <kbd>i</kbd></button>
    <button class="act" data-act="takeover" ?disabled=${!now.takes || busy(store, 'takeover')} @click=${() => page.hand(true)}>${t('hands.take')} <kbd>t</kbd></button>
    <button class="act" data-act="handback" ?disabled=${!now.gives || busy(store, 'handback')} @click=${() => page.hand(false)}>${t('hands.give')} <kbd>t</kbd></button></div>
    <small>${now.leads ? t('hands.lead') : session.to_fit ? t('hands.fit', { words: session.to_fit }) : t('hands.how')}</small></div>`;
}

/** Before a policy's sitting: load, shadow, begin. */
function before(app, nowMs, session) {
  const { policies: page, store, route } = app, why = refusal(store, nowMs), engineer = store.welcome.role === 'engineer';
  const chosen = page.list?.policies.find(({ name }) => name === route.of), { runner } = page, runs = runner?.phase === 'running', ready = ['ready', 'fault'].includes(runner?.phase);
  const sitting = session && session.phase !== 'ended', off = Boolean(why) || store.job?.running;
  return html`<div class="begin">${why ? html`<p class="before">${t(why)}</p>` : nothing}<div class="fields">
    ${engineer ? html`<button class="act" data-act="load" ?disabled=${off || !chosen || chosen.problem || runs || runner?.phase === 'loading' || busy(store, 'load')} @click=${() => page.load(chosen)}>${t('policy.load', { name: chosen?.name ?? t('policy.chosen') })}</button>` : nothing}
    <button class="act" data-act="shadow" ?disabled=${off || !(ready || runner?.shadow) || busy(store, 'shadow')} @click=${() => page.shadow(!runner?.shadow)}>${t(runner?.shadow ? 'shadow.off' : 'shadow.on')}</button>
    ${engineer ? html`<button class="act" data-act="evaluate" ?disabled=${off || sitting || !page.ticked.size} @click=${() => { page.planning = true; app.draw(); }}>${t('eval.plan', { n: page.ticked.size })}</button>` : nothing}
    ${sitting ? html`<span class="before">${t('policies.beside')}</span>` : begin(app, off || !(ready || runner?.shadow))}</div></div>`;
}

function begin(app, off) {
  const { policies: page, store } = app, failed = asksReason(store), named = store.welcome.person || !page.form.override;
  const field = (name, size, more = {}) => html`<label>${t(`begin.${name}`)} <input name=${name} size=${size} type=${more.type ?? 'text'} min="0" max=${more.max ?? nothing} step="any" ?required=${more.required ?? false}
    .value=${page.form[name] ?? ''} placeholder=${more.type ? '0' : ''} maxlength="100" autocomplete="off"></label>`;
  return html`<form class="fields" @input=${({ target }) => { page.form[target.name] = target.type === 'checkbox' ? (target.checked ? 'on' : '') : target.value; app.draw(); }} @submit=${(event) => { event.preventDefault(); page.begin(new FormData(event.target)); }}>
    <label class="tick"><input type="checkbox" name="kept" .checked=${Boolean(page.form.kept)}> ${t('rollouts.kept')}</label>
    ${field('task', 12, { required: Boolean(page.form.kept) })}${field('operator', 8, { required: failed && !named })}${field('scene', 8)}${field('episodes', 4, { type: 'number', max: 100000 })}${field('seconds', 4, { type: 'number', max: 86400 })}
    ${failed ? field('override', 16) : nothing}
    <button class="main" data-act="rollouts" ?disabled=${off || liveness(store, performance.now()) === 'dead' || busy(store, 'rollouts')}>${t('rollouts.begin')}</button></form>`;
}
