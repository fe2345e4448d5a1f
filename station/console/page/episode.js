// One episode: played on one clock, with its card, and what people say about it.
import { html, nothing } from '/vendor/lit-html.js';
import { day, VERDICT } from '/episodes.js';
import { age, frame, told } from '/frame.js';
import { job } from '/job.js';
import { busy, clock, operates } from '/model.js';
import { address } from '/route.js';
import { plots } from '/shelf_model.js';
import { t } from '/words.js';

export function episode(app, nowMs) {
  const { player } = app, detail = player?.detail;
  const middle = html`<div class="bar"><a href=${address('episodes')}>${t('episodes.back')}</a>
      <b>${detail?.card ? `${detail.task} ${detail.number}` : app.route.of}</b>${detail?.card ? html`<span>${day(detail.recorded_s)}</span>` : nothing}</div>
    ${job(app, 'replay')}
    ${player?.error ? html`<p class="trouble" role="alert">${player.error}</p>` : nothing}
    ${detail ? html`<div class="middle"><section class="seen" tabindex="0" aria-label=${t('page.episodes')}>${cameras(player)}${scrubber(app, player)}${joints(player)}</section>
      <section class="health" tabindex="0" aria-label=${t('about')}>${about(app, detail, player)}</section></div>` : player?.error ? nothing : html`<p>${t('loading')}</p>`}
    <div class="last"><span></span>${told(app)}</div>`;
  return frame(app, nowMs, 'playing', middle, detail?.card && operates(app.store) ? acts(app, detail) : nothing);
}

function cameras(player) {
  const { cameras } = player.detail;
  if (!cameras.length) return html`<p class="none">${t('no.cameras.here')}</p>`;
  return html`<div class="tiles" data-count=${Math.min(cameras.length, 6)}>${cameras.map(({ name }) => {
    const kept = player.cameras.get(name), ms = kept?.near === null ? player.ages.get(name)?.[player.row] : undefined;
    return html`<figure class="tile"><canvas width="640" height="480" data-camera=${name} role="img" aria-label=${name}></canvas>
      ${kept?.broken ? html`<p class="over">${t('picture.broken')}</p>` : nothing}
      <figcaption><span>${name}</span><span>${ms === undefined ? '' : age(ms)}</span></figcaption></figure>`;
  })}</div>`;
}

function scrubber(app, player) {
  const { detail, row } = player, source = detail.sources[player.source?.[row]] ?? '';
  return html`<div class="scrub">
    <button class="small" data-act="play" @click=${() => player.toggle()}>${t(player.playing ? 'pause' : 'play')}</button>
    <input type="range" min="0" max=${detail.rows - 1} .value=${String(row)} aria-label=${t('row')} @input=${({ target }) => { player.playing = false; player.seek(Number(target.value)); }}>
    <span class="at">${clock(row / detail.tick_hz)} / ${clock((detail.rows - 1) / detail.tick_hz)} · ${t('row')} ${row}${source ? ` · ${source}` : ''}${player.playing && player.waits ? ` · ${t('waits')}` : ''}</span>
    <select aria-label=${t('speed')} @change=${({ target }) => { player.speed = Number(target.value); }}>${[0.25, 0.5, 1, 2, 4].map((speed) => html`<option value=${speed} ?selected=${player.speed === speed}>${speed}×</option>`)}</select>
  </div>`;
}

function joints(player) {
  return html`<div class="joints">${plots(player.detail.names).map(({ side }, place) => html`<figure title=${t('joints.numbered')}>
    <figcaption>${t('traces', { side })}</figcaption><div class="strip trace" data-side=${place}></div></figure>`)}</div>`;
}

function about(app, detail, player) {
  if (!detail.card) return html`<p>${t('loading')}</p>`;
  const { card } = detail, fact = (name, value) => (value ? html`<tr><td>${t(`fact.${name}`)}</td><td>${value}</td></tr>` : nothing);
  const look = (row, words) => (row >= 0 ? html`<button class="small" @click=${() => { player.playing = false; player.seek(row); }}>${words}</button>` : words);
  return html`<h2>${VERDICT(detail.success)} ${t(`verdict.${detail.success ?? 'unset'}`)}</h2>
    <table><tbody>${fact('operator', detail.operator)}${fact('instruction', detail.instruction)}${fact('scene', detail.scene)}${fact('policy', detail.policy)}
      ${fact('rows', t('rows', { n: detail.rows }))}${fact('size', `${detail.size_mb.toFixed(0)} MB`)}${fact('ended', detail.ended)}</tbody></table>
    ${detail.damage ? html`<p class="trouble">${detail.damage}</p>` : nothing}${detail.problem ? html`<p class="trouble">${detail.problem}</p>` : nothing}
    ${detail.note ? html`<p class="said">${detail.note}</p>` : nothing}
    <h2>${t('card')}</h2><p>${detail.cadence}</p>
    ${card.headline ? html`<p>${card.headline}</p><ul class="findings">${card.findings.map((each) => html`<li>${look(each.row, each.words)}</li>`)}</ul><p>${card.stillness}</p><p>${t('card.check', { words: card.check })}</p>
      ${sheet(t('card.streams'), card.streams)}${card.arms.length > 1 ? sheet(t('card.arms'), card.arms) : nothing}${card.not_measured.map((words) => html`<p>${words}</p>`)}` : html`<p>${t('card.none')}</p>`}
    ${detail.marks.length ? html`<h2>${t('marks')}</h2><ul class="findings">${detail.marks.map(([name, row]) => html`<li>${look(row, `${name} ${clock(row / detail.tick_hz)}`)}</li>`)}</ul>` : nothing}
    <p class="path">${detail.path}</p>`;
}

function sheet(name, [head, ...rows]) {
  return html`<div class="sheet" tabindex="0" role="region" aria-label=${name}><table><thead><tr>${head.map((word) => html`<th>${word}</th>`)}</tr></thead><tbody>${rows.map((row) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody></table></div>`;
}

function acts(app, detail) {
  const { shelf } = app, names = [detail.name], off = busy(app.store, 'edit');
  const say = (success) => html`<button class="act" data-act=${success} ?disabled=${off} @click=${() => shelf.act('edit', t(`say.${success}`), { success }, names)}>${t(`say.${success}`)}</button>`;
  const keep = (event) => {
    event.preventDefault();
    shelf.act('edit', t('note.label'), { note: new FormData(event.target).get('note').trim() }, names);
  };
  const words = t('replay.asks', { name: detail.name });
  return html`${['yes', 'no', 'unset'].map(say)}
    <button class="act" data-act="replay" ?disabled=${busy(app.store, 'replay') || app.store.job?.running} @click=${() => app.confirm('replay', t('replay'), words, { type: 'replay', episode: detail.name })}>${t('replay')}</button>
    <form class="note" @submit=${keep}><label>${t('field.note')} <textarea name="note" rows="2" maxlength="4000" .defaultValue=${detail.note}></textarea></label><button class="act" ?disabled=${off}>${t('note.keep')}</button></form>
    <button class="act" ?disabled=${!shelf.changed.length} @click=${() => { const changed = shelf.changed; shelf.changed = []; shelf.act('unedit', t('unedit'), {}, changed); }}>${t('unedit')}</button>`;
}
