// A job of the house: how far it is, what it asks, and how it ended; the same on every page that shows it.
import { html, nothing } from '/vendor/lit-html.js';
import { operates } from '/model.js';
import { t } from '/words.js';

/** One name's job, if it is the one that runs or ran last. */
export function job(app, name) {
  const { job } = app.store;
  if (job?.name !== name) return nothing;
  const ended = job.code === 0 ? 'ok' : 'bad';
  return html`<div class="banner ${job.running ? 'ask' : ended === 'bad' ? 'bad' : ''}" role="status"><p>${job.running ? t('job.runs', { name: job.name, by: job.by }) : t(`job.${ended}`, { name: job.name })} ${job.words}</p>
    ${job.running && job.progress !== null ? html`<progress max="1" .value=${job.progress} aria-label=${job.name}></progress>` : nothing}
    ${job.picture ? html`<img class="step" alt=${job.words} src=${`data:image/jpeg;base64,${job.picture}`}>` : nothing}
    ${operates(app.store) ? job.answers.map((answer) => html`<button class="small" @click=${() => app.ask('answer', answer, { type: 'answerstep', step: job.step, answer })}>${answer}</button>`) : nothing}
    ${job.running && operates(app.store) ? html`<button class="small" @click=${() => app.ask('end', t('job.end'), { type: 'endjob' })}>${t('job.end')}</button>` : nothing}</div>`;
}
