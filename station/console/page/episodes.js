// The Episodes page: what was recorded, asked for by the address, labelled and cleared away by clicking. And the trash.
import { html, nothing } from '/vendor/lit-html.js';
import { frame, told } from '/frame.js';
import { job } from '/job.js';
import { busy, clock, operates } from '/model.js';
import { address } from '/route.js';
import { filtersOf, queryOf, sorted, SORTS, state, VERDICTS } from '/shelf_model.js';
import { t } from '/words.js';

const MARK = { ok: '●', warn: '▲', bad: '■' };
const PAGE = 60;
export const VERDICT = (success) => (success === true ? '✓' : success === false ? '✗' : '–');
export const day = (seconds) => (seconds ? new Date(seconds * 1000).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' }) : '–');
export const thumbnail = (episode, last) => `/episodes/thumbnail?${new URLSearchParams({ of: episode.name, v: episode.stamp, ...(last ? { last: '' } : {}) })}`;

/** What the page keeps of its own: the list that was heard last, and what is chosen in it. */
export class Shelf {
  constructor(app) {
    this.app = app;
    this.list = null;
    this.error = '';
    this.asked = null; // the address that the list is of
    this.page = ''; // and its page: the folder's, or the trash's
    this.chosen = new Set();
    this.changed = []; // what was changed last: it can be taken back
    this.more = 1;
    this.noting = false;
    this.exporting = null; // the selection's text, while a training set is thought of
  }

  /** Look again if the address asks for something else. */
  async look(again = false) {
    const { page, query } = this.app.route, asked = page + String(query);
    if (asked === this.asked && !again) return;
    if (asked !== this.asked) Object.assign(this, { more: 1, chosen: new Set() });
    if (page !== this.page) this.list = null; // what is in the folder may not be chosen as if it lay in the trash, nor the other way
    Object.assign(this, { asked, page });
    const where = new URLSearchParams(query.getAll('where').map((condition) => ['where', condition]));
    const answer = await fetch(page === 'trash' ? '/episodes/trash' : `/episodes?${where}`).catch(() => null);
    if (asked !== this.asked) return;
    this.error = answer === null ? t('link.lost') : answer.ok ? '' : await answer.text();
    if (answer?.ok) {
      this.list = await answer.json();
      const there = new Set(this.list.episodes.map(({ name }) => name));
      this.chosen = new Set([...this.chosen].filter((name) => there.has(name)));
    }
    this.app.draw();
  }

  choose(name, yes) {
    if (yes) this.chosen.add(name);
    else this.chosen.delete(name);
    this.app.draw();
  }

  /** Ask for something to be done with what is chosen, or with those. */
  act(type, words, more = {}, names = [...this.chosen]) {
    if (type === 'edit') this.changed = names;
    this.noting = false;
    this.app.ask(type, words, { type, episodes: names, ...more });
  }

  /** The list as a selection, but for what is chosen. */
  async select() {
    const query = new URLSearchParams([...this.app.route.query.getAll('where').map((one) => ['where', one]), ...[...this.chosen].map((name) => ['not', name])]);
    const answer = await fetch(`/episodes/selection?${query}`).catch(() => null);
    this.exporting = answer?.ok ? await answer.text() : '';
    this.error = answer === null ? t('link.lost') : answer.ok ? '' : await answer.text();
    this.app.draw();
  }

  filter(form) {
    location.hash = address('episodes', '', queryOf(Object.fromEntries(new FormData(form))));
  }
}

export function episodes(app, nowMs) {
  const { shelf } = app, trash = app.route.page === 'trash', { list } = shelf;
  const shown = list ? sorted(list.episodes, app.route.query.get('sort')) : [];
  const middle = html`<div class="shelf">
    ${trash ? html`<p class="bar"><a href=${address('episodes')}>${t('trash.back')}</a> <b>${t('trash')}</b> ${t('trash.what')}</p>` : filters(shelf, list)}
    ${shelf.error ? html`<p class="trouble" role="alert">${shelf.error}</p>` : nothing}
    ${list?.waiting?.length ? waiting(app, list) : nothing}${job(app, 'export')}
    ${shelf.exporting !== null && list && !trash ? exporting(app, list) : nothing}
    ${!list ? html`<p>${t('loading')}</p>` : shown.length ? table(app, shown, trash) : html`<p class="none">${t(trash ? 'trash.none' : list.of ? 'episodes.fit' : 'episodes.none')} ${trash || list.of ? nothing : html`<code>${list.data}</code>`}</p>`}
  </div>
  <div class="last"><span>${list ? t('episodes.count', { fitting: list.fitting, of: list.of }) : nothing}</span>${told(app)}</div>`;
  return frame(app, nowMs, 'shelves', middle, operates(app.store) ? acts(app, trash) : html`<span>${t('episodes.viewer')}</span>`);
}

function filters(shelf, list) {
  const now = filtersOf(shelf.app.route.query), form = (event) => shelf.filter(event.target.form ?? event.target);
  const menu = (name, values, words = (value) => value) => html`<label>${t(`filter.${name}`)}
    <select name=${name} @change=${form}><option value="">${t('filter.all')}</option>
      ${[...new Set([...values, ...(now[name] ? [now[name]] : [])])].map((value) => html`<option value=${value} ?selected=${now[name] === value}>${words(value)}</option>`)}</select></label>`;
  return html`<form class="bar" @submit=${(event) => { event.preventDefault(); form(event); }}>
    ${menu('task', list?.tasks ?? [])}${menu('success', VERDICTS, (value) => t(`verdict.${value}`))}${menu('operator', list?.operators ?? [])}
    <label>${t('filter.more')} <input name="more" size="30" .value=${now.more} placeholder="length_s=3..60 lag_ms=..150" autocomplete="off"></label>
    <label>${t('filter.sort')} <select name="sort" @change=${form}>${Object.keys(SORTS).map((sort) => html`<option value=${sort} ?selected=${now.sort === sort}>${t(`sort.${sort}`)}</option>`)}</select></label>
    <button class="small">${t('filter.do')}</button>
    <a class="end" href=${address('trash')}>${t('trash')}</a></form>`;
}

function waiting(app, list) {
  const { session } = app.store.state ?? {}, busyNow = session && (session.phase === 'recording' || session.finalising);
  return html`<p class="banner ask"><span>${t(busyNow ? 'waiting.built' : 'waiting', { n: list.waiting.length, first: list.waiting[0] })}</span>
    ${operates(app.store) && !busyNow ? html`<button class="small" ?disabled=${busy(app.store, 'recover')} @click=${() => app.ask('recover', t('recover'), { type: 'recover' })}>${t('recover')}</button>` : nothing}</p>`;
}

function table(app, shown, trash) {
  const { shelf } = app, some = shown.slice(0, PAGE * shelf.more), pick = operates(app.store);
  const all = some.length > 0 && some.every(({ name }) => shelf.chosen.has(name));
  return html`<div class="rows"><table class="list"><thead><tr>
      <th>${pick ? html`<input type="checkbox" aria-label=${t('choose.all')} .checked=${all} @change=${({ target }) => { for (const { name } of some) if (name) shelf.choose(name, target.checked); }}>` : nothing}</th>
      <th>${t('col.pictures')}</th><th>${t('col.episode')}</th><th>${t('col.length')}</th><th>${t('col.verdict')}</th><th>${t('col.operator')}</th><th>${t('col.look')}</th><th>${t('col.note')}</th></tr></thead>
    <tbody>${some.map((episode) => row(shelf, episode, pick, trash))}</tbody></table>
    ${some.length < shown.length ? html`<button class="small" @click=${() => { shelf.more += 1; app.draw(); }}>${t('more', { n: shown.length - some.length })}</button>` : nothing}</div>`;
}

function row(shelf, episode, pick, trash) {
  const { level, words } = state(episode), name = `${episode.task} ${episode.number ?? '?'}`, there = episode.name && !episode.problem;
  return html`<tr class=${level} data-episode=${episode.name}>
    <td>${pick && episode.name ? html`<input type="checkbox" aria-label=${t('choose', { name })} .checked=${shelf.chosen.has(episode.name)} @change=${({ target }) => shelf.choose(episode.name, target.checked)}>` : nothing}</td>
    <td class="thumbs">${there ? [false, true].map((last) => html`<img loading="lazy" width="80" height="60" alt=${t(last ? 'picture.last' : 'picture.first', { name })} src=${thumbnail(episode, last)}>`) : nothing}</td>
    <td>${there && !trash ? html`<a href=${address('episodes', episode.name)}>${name}</a>` : name}<small>${day(episode.recorded_s)}</small></td>
    <td>${clock(episode.seconds)}<small>${t('rows', { n: episode.rows })}</small></td>
    <td class="verdict" aria-label=${t(`verdict.${episode.success ?? 'unset'}`)}>${VERDICT(episode.success)}</td>
    <td>${episode.operator}${episode.policy ? html`<small>${episode.policy}</small>` : nothing}</td>
    <td class="look">${MARK[level]} ${words}</td><td class="remark">${episode.note}</td></tr>`;
}

function acts(app, trash) {
  const { shelf } = app, n = shelf.chosen.size, off = !n || busy(app.store, 'edit') || busy(app.store, 'trash');
  if (trash) return html`<button class="act" data-act="restore" ?disabled=${off} @click=${() => shelf.act('restore', t('restore'))}>${t('restore')} (${n})</button>`;
  if (shelf.noting) return words(shelf, n);
  const say = (success) => html`<button class="act" data-act=${success} ?disabled=${off} @click=${() => shelf.act('edit', t(`say.${success}`), { success })}>${t(`say.${success}`)}</button>`;
  return html`<span class="picked">${t('picked', { n })}</span>${['yes', 'no', 'unset'].map(say)}
    <button class="act" ?disabled=${off} @click=${() => { shelf.noting = true; app.draw(); }}>${t('say.words')}</button>
    <button class="act" data-act="select" @click=${() => shelf.select()}>${t('set')}</button>
    <button class="act" data-act="trash" ?disabled=${off} @click=${() => shelf.act('trash', t('to.trash'))}>${t('to.trash')}</button>
    <button class="act" ?disabled=${!shelf.changed.length} @click=${() => { const names = shelf.changed; shelf.changed = []; shelf.act('unedit', t('unedit'), {}, names); }}>${t('unedit')}</button>`;
}

/** A training set of what the list shows: what goes in, as `station dataset select` writes it, and making it. */
function exporting(app, list) {
  const { shelf } = app, n = shelf.chosen.size, { session } = app.store.state ?? {}, sitting = session && session.phase !== 'ended';
  const make = (event) => {
    event.preventDefault();
    const { format, name, reason = '' } = Object.fromEntries(new FormData(event.target));
    app.ask('export', t('set.make'), { type: 'export', format, name, reason: reason.trim(), where: app.route.query.getAll('where'), left_out: [...shelf.chosen] });
    shelf.exporting = null;
  };
  return html`<form class="bar set" @submit=${make}><label>${t('set.format')} <select name="format">${list.formats.map((name) => html`<option>${name}</option>`)}</select></label>
    <label>${t('set.name')} <input name="name" required pattern="[A-Za-z0-9][A-Za-z0-9._\\-]*" maxlength="80" autocomplete="off" autofocus></label>
    ${n ? html`<label>${t('set.reason', { n })} <input name="reason" required maxlength="400" size="30" autocomplete="off"></label>` : nothing}
    <button class="small" ?disabled=${sitting || app.store.job?.running}>${t('set.make')}</button>
    <button class="small" type="button" @click=${() => { shelf.exporting = null; app.draw(); }}>${t('close')}</button>
    <span>${sitting ? t('check.sitting') : t('set.where', { sets: list.sets })}</span><pre class="log">${shelf.exporting}</pre></form>`;
}

function words(shelf, n) {
  const keep = (event) => {
    event.preventDefault();
    const said = Object.fromEntries([...new FormData(event.target)].map(([name, text]) => [name, text.trim()]).filter(([, text]) => text));
    if (Object.keys(said).length) shelf.act('edit', t('say.words'), said);
  };
  return html`<form class="note" @submit=${keep}><span>${t('picked', { n })}</span>
    ${['note', 'task', 'instruction'].map((name) => html`<label>${t(`field.${name}`)} <input name=${name} maxlength=${name === 'task' ? 200 : 4000} autocomplete="off" ?autofocus=${name === 'note'}></label>`)}
    <button class="act">${t('note.keep')}</button><button class="act" type="button" @click=${() => { shelf.noting = false; shelf.app.draw(); }}>${t('note.drop')}</button></form>`;
}
