// The Rig page: every process and what it says of itself, readings against their limits, logs, who asked for what.
import { html, nothing } from '/vendor/lit-html.js';
import { age, frame, MARK, stationless, told } from '/frame.js';
import { busy } from '/model.js';
import { address } from '/route.js';
import { byJoint, processLevel } from '/rig_model.js';
import { t } from '/words.js';

/** What the page keeps of its own: the log that was asked for, or who asked for what. */
export class Records {
  constructor(app) {
    this.app = app;
    this.asked = null;
    this.found = null;
    this.error = '';
  }

  async look(again = false) {
    const { query } = this.app.route, node = query.get('log'), asked = node === null ? (query.has('acts') ? 'acts' : '') : `log?node=${encodeURIComponent(node)}`;
    if (asked === this.asked && !again) return;
    Object.assign(this, { asked, found: null, error: '' });
    if (asked) {
      const answer = await fetch(`/rig/${asked}`).catch(() => null);
      if (asked !== this.asked) return;
      this.error = answer === null ? t('link.lost') : answer.ok ? '' : await answer.text();
      if (answer?.ok) this.found = await answer.json();
    }
    this.app.draw();
  }
}

export function rig(app, nowMs) {
  const { store, records, route } = app, heard = store.processes, chosen = heard?.processes.find(({ node }) => node === route.of);
  const middle = html`<div class="middle rig"><section class="seen" tabindex="0" aria-label=${t('page.rig')}>
      ${!heard ? html`<p>${t('loading')}</p>` : heard.processes.length ? table(heard, route.of) : html`<p class="none">${store.welcome.rig.chosen ? t('rig.down', { rig: store.welcome.rig.name }) : stationless(app)}</p>`}
    </section><section class="health" tabindex="0" aria-label=${t('about')}>${records.asked ? lines(app, records) : chosen ? about(app, chosen) : html`<p>${t('rig.choose')}</p>`}</section></div>
    <div class="last"><span>${heard ? t('rig.age', { age: age(heard.age_ms === null ? null : heard.age_ms + Math.max(0, nowMs - store.processesAt)) }) : nothing}</span>${told(app)}</div>`;
  return frame(app, nowMs, 'rigs', middle, html`<a class="button" href=${address('rig', '', new URLSearchParams({ log: '' }))}>${t('logs')}</a>
    <a class="button" href=${address('rig', '', new URLSearchParams({ acts: '' }))}>${t('acts')}</a>
    ${store.welcome.role === 'engineer' ? html`<a class="button" data-act="report" href="/rig/report" download>${t('report')}</a><small class="picked">${t('report.what')}</small>` : nothing}`);
}

function table(heard, chosen) {
  return html`<div class="rows"><table class="list"><thead><tr>${['process', 'rate', 'cpu', 'memory', 'restarts', 'lost', 'says'].map((name) => html`<th>${t(`col.${name}`)}</th>`)}</tr></thead>
    <tbody>${heard.processes.map((process) => {
      const level = processLevel(process), [first] = process.streams;
      return html`<tr class=${level} data-node=${process.node} aria-current=${process.node === chosen ? 'true' : nothing}><td><a href=${address('rig', process.node)}>${MARK[level]} ${process.node}</a></td>
        <td>${first ? `${first.rate_hz.toFixed(0)}/${first.declared_hz.toFixed(0)} Hz` : ''}</td><td>${process.cpu.toFixed(0)} %</td><td>${process.rss_mb.toFixed(0)} MB</td>
        <td>${process.restarts || ''}</td><td>${process.lost || ''}</td><td class="look">${process.running ? process.error : process.last_exit || t('starting')}</td></tr>`;
    })}</tbody></table></div>`;
}

function about(app, process) {
  const joints = byJoint(process.readings), engineer = app.store.welcome.role === 'engineer', kinds = [...new Set(joints.flatMap(({ values }) => Object.keys(values)))];
  return html`<h2>${process.node}</h2>
    <p>${process.running ? t('process.runs', { pid: process.pid ?? '?' }) : t('process.ended', { why: process.last_exit || '?' })}
      ${process.realtime ? t('process.realtime', { priority: process.realtime }) : nothing}${process.restarts ? t('process.restarts', { n: process.restarts }) : nothing}</p>
    ${process.error ? html`<p class="trouble whole">${process.error}</p>` : nothing}
    ${process.last_exit && process.running ? html`<p>${t('process.last', { why: process.last_exit })}</p>` : nothing}
    ${process.streams.map((stream) => html`<p>${stream.kind}: ${stream.rate_hz.toFixed(1)} / ${stream.declared_hz.toFixed(1)} Hz, ${age(stream.age_ms)}</p>`)}
    ${joints.length ? html`<div class="sheet" tabindex="0" role="region" aria-label=${t('readings')}><table><thead><tr><th>${t('col.joint')}</th>${kinds.map((kind) => html`<th>${kind}</th>`)}</tr></thead><tbody>${joints.map(({ name, values }) => html`<tr><td>${name}</td>
      ${kinds.map((kind) => html`<td class=${values[kind]?.level ?? ''}>${values[kind] ? html`${{ warn: '▲ ', bad: '■ ' }[values[kind].level] ?? ''}${values[kind].value}` : ''}</td>`)}</tr>`)}</tbody></table></div><p>${t('limits')}</p>` : nothing}
    ${efforts(app, process.node)}
    ${acts(app, process.node)}
    ${process.notes.map((words) => html`<p>${words}</p>`)}
    <p><a href=${address('rig', process.node, new URLSearchParams({ log: process.node }))}>${t('log.of', { node: process.node })}</a></p>
    ${engineer ? html`<button class="act" data-act="restart" ?disabled=${busy(app.store, 'restart')} @click=${() => app.confirm('restart', t('restart', { node: process.node }), t('restart.asks', { node: process.node }), { type: 'restartnode', node: process.node })}>${t('restart', { node: process.node })}</button>`
      : html`<p>${t('restart.who')}</p>`}`;
}

/** What an operator beside that arm may ask of it, such as a restart of its servos that have shut down: asked first, with what will sink. */
function acts(app, node) {
  const { store } = app, found = store.processes?.acts?.[node] ?? [];
  if (!found.length || store.welcome.role !== 'engineer') return nothing;
  return found.map(({ name, does }) => html`<p><button class="act" data-arm-act=${name} ?disabled=${busy(store, 'armact')}
    @click=${() => app.confirm('armact', t('act', { act: name.replaceAll('_', ' '), arm: node }), t('act.asks', { act: name.replaceAll('_', ' '), arm: node, does }), { type: 'armact', arm: node, act: name })}>${name.replaceAll('_', ' ')}</button> ${does}</p>`);
}

/** What each joint exerts, beside what would switch it off. */
function efforts(app, node) {
  const found = app.store.processes?.efforts?.[node] ?? [];
  return found.length ? html`<div class="sheet" tabindex="0" role="region" aria-label=${t('efforts')}><table><thead><tr><th>${t('col.joint')}</th><th>${t('efforts')}</th><th>${t('efforts.limit')}</th></tr></thead><tbody>
    ${found.map(({ name, effort, unit, overload, level }) => html`<tr data-effort=${name}><td>${name}</td><td class=${level}>${{ warn: '▲ ', bad: '■ ' }[level] ?? ''}${effort.toFixed(unit === 'mA' ? 0 : 2)} ${unit}</td><td>${overload === null ? '–' : `${overload.toFixed(unit === 'mA' ? 0 : 2)} ${unit}`}</td></tr>`)}</tbody></table></div>` : nothing;
}

function lines(app, records) {
  const { query } = app.route, log = query.get('log');
  return html`<p><a href=${address('rig', app.route.of)}>${t('close')}</a> <button class="small" @click=${() => records.look(true)}>${t('look.again')}</button>
    ${log !== null && records.found?.nodes ? html`<select aria-label=${t('logs')} @change=${({ target }) => { location.hash = address('rig', app.route.of, new URLSearchParams({ log: target.value })); }}>
      <option value="">${t('filter.all')}</option>${records.found.nodes.map((node) => html`<option value=${node} ?selected=${node === log}>${node}</option>`)}</select>` : nothing}</p>
    ${records.error ? html`<p class="trouble">${records.error}</p>` : !records.found ? html`<p>${t('loading')}</p>` : records.found.lines.length ? html`<pre class="log">${records.found.lines.join('\n')}</pre>` : html`<p>${t('lines.none')}</p>`}`;
}
