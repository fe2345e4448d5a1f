// A job of the house: how far it is, what it asks, what is seen meanwhile, and how it ended; the same on every page that shows it.
import { html, nothing } from '/vendor/lit-html.js';
import { operates } from '/model.js';
import { t } from '/words.js';

/** The job that runs or ran last, if its name is one of `names`, each a whole name or how it begins. */
export function jobOf(store, names) {
  const { job } = store;
  return job && names.some((name) => job.name === name || job.name.startsWith(`${name} `)) ? job : null;
}

/** Does it wait for somebody's answer? */
export const asks = (job) => Boolean(job.answers.length || job.typed);

export function job(app, ...names) {
  const job = jobOf(app.store, names);
  if (!job) return nothing;
  const ended = job.code === 0 ? 'ok' : 'bad', look = job.running && app.store.look?.step === job.step && asks(job) ? app.store.look : null;
  return html`<div class="banner job ${job.running ? 'ask' : ended === 'bad' ? 'bad' : ''}" role="status"><p>${job.running ? t('job.runs', { name: job.name, by: job.by }) : t(`job.${ended}`, { name: job.name })} ${job.words}</p>
    ${job.running && job.progress !== null ? html`<progress max="1" .value=${job.progress} aria-label=${job.name}></progress>` : nothing}
    ${job.picture ? html`<img class="step" alt=${job.words} src=${`data:image/jpeg;base64,${job.picture}`}>` : nothing}
    ${operates(app.store) ? job.answers.map((answer) => html`<button class=${answer === job.suggested ? 'small suggested' : 'small'} data-answer=${answer} @click=${() => app.ask('answer', answer, { type: 'answerstep', step: job.step, answer })}>${answer}</button>`) : nothing}
    ${job.typed && operates(app.store) ? typed(app, job) : nothing}
    ${job.running && job.about ? html`<b data-about>${job.about}:</b>` : nothing}
    ${operates(app.store) ? (job.offers ?? []).map((answer) => html`<button class="small" data-answer=${answer} @click=${() => app.ask('answer', answer, { type: 'answerstep', step: job.offer, answer })}>${answer}</button>`) : nothing}
    ${job.running && operates(app.store) ? html`<button class="small" @click=${() => app.ask('end', t('job.end'), { type: 'endjob' })}>${t('job.end')}</button>` : nothing}</div>
    ${look ? seen(look) : nothing}`;
}

/** A field for an answer in one's own words, with what is likeliest in it. What was typed is kept for just this question. */
function typed(app, job) {
  const kept = app.store.typed?.step === job.step && app.store.typed.job === job.name ? app.store.typed.text : job.suggested;
  const set = ({ target }) => { app.store.typed = { job: job.name, step: job.step, text: target.value }; };
  const give = (event) => {
    event.preventDefault();
    const answer = new FormData(event.target).get('typed').trim();
    app.ask('answer', answer, { type: 'answerstep', step: job.step, answer });
  };
  return html`<form class="typed" @submit=${give}><input name="typed" aria-label=${job.words} title=${job.typed.fits} .value=${kept} pattern=${job.typed.pattern} required size="24" maxlength="200" autocomplete="off" autocapitalize="off" spellcheck="false" autofocus @input=${set}>
    <button class="small suggested" data-act="answer">${t('job.answer')}</button><small>${job.typed.fits}</small></form>`;
}

/** What is seen while it asks, the newest of it. */
function seen({ words, picture, values }) {
  const numbers = Object.entries(values);
  return html`<figure class="look" aria-label=${t('job.look')}>
    ${picture ? html`<img alt=${words || t('job.look')} src=${`data:image/jpeg;base64,${picture}`}>` : nothing}
    ${words ? html`<figcaption>${words}</figcaption>` : nothing}
    ${!picture && numbers.length ? html`<table class="sheet"><tbody>${numbers.map(([name, value]) => html`<tr><td>${name.replace(/_deg$/, ', °').replaceAll('_', ' ')}</td><td>${typeof value === 'number' ? value.toFixed(name.endsWith('_deg') ? 1 : 3) : value}</td></tr>`)}</tbody></table>` : nothing}</figure>`;
}
