// Evaluations: planning one, how often each policy succeeded and how sure that is, and every trial with its episode.
import { html, nothing } from '/vendor/lit-html.js';
import { asksReason, busy, clock } from '/model.js';
import { bar, begun } from '/policies_model.js';
import { address } from '/route.js';
import { t } from '/words.js';

/** A form for the policies that are ticked. */
export function evaluating(app) {
  const { policies: page, store } = app, failed = asksReason(store);
  const close = () => { page.planning = false; app.draw(); };
  const make = (event) => {
    event.preventDefault();
    const said = Object.fromEntries(new FormData(event.target));
    app.ask('evaluate', t('eval.begin'), {
      type: 'evaluate', name: said.name, policies: [...page.ticked], trials: Math.floor(Number(said.trials)), seconds: Number(said.seconds), seed: Math.floor(Number(said.seed)),
      blind: Boolean(said.blind), by_hand: Boolean(said.by_hand), override: (said.override ?? '').trim(),
    }, () => {
      page.planning = false;
      location.hash = address('policies', app.route.of, new URLSearchParams({ eval: said.name }));
    });
  };
  const number = (name, value, least, most) => html`<label>${t(`eval.${name}`)} <input name=${name} type="number" required min=${least} max=${most} value=${value}></label>`;
  return html`<form class="bar set" @submit=${make}><b>${[...page.ticked].join(', ')}</b>
    <label>${t('set.name')} <input name="name" required pattern="[A-Za-z0-9][A-Za-z0-9._\\-]*" maxlength="80" autocomplete="off" autofocus></label>
    ${number('trials', 20, 1, 1000)}${number('seconds', 30, 1, 3600)}${number('seed', 0, 0, 1000000)}
    <label class="tick"><input type="checkbox" name="blind" checked> ${t('eval.blind')}</label>
    ${store.welcome.rig.real ? nothing : html`<label class="tick"><input type="checkbox" name="by_hand"> ${t('eval.by_hand')}</label>`}
    ${failed ? html`<label>${t('begin.override')} <input name="override" maxlength="200" size="20" autocomplete="off"></label>` : nothing}
    <button class="main" data-act="begin-evaluation" ?disabled=${!page.ticked.size || store.job?.running || busy(store, 'evaluate')}>${t('eval.begin')}</button>
    <button class="small" type="button" @click=${close}>${t('close')}</button><p>${t('eval.what')}</p></form>`;
}

/** What there is, the newest first. */
export function evaluations(app) {
  const { done } = app.policies;
  return done?.length ? html`<h2>${t('evals')}</h2><ul>${done.map(({ name, done: whole }) => html`<li><a href=${address('policies', app.route.of, new URLSearchParams({ eval: name }))}>${name}</a> ${whole ? nothing : t('eval.partly')}</li>`)}</ul>` : nothing;
}

/** One of them. */
export function evaluation(app, name) {
  const { evaluation: found, error } = app.policies, back = html`<p class="bar"><a href=${address('policies', app.route.of)}>${t('eval.back')}</a> <b>${name}</b></p>`;
  if (found?.name !== name) return html`${back}${error ? nothing : html`<p>${t(begun(app.store.job, name) ? 'eval.none' : 'loading')}</p>`}`;
  return html`${back}<table class="rates"><tbody>${found.rates.map((rate) => {
      const { x, width, at } = bar(rate);
      return html`<tr data-rate=${rate.policy}><td><b>${rate.policy}</b></td><td><svg viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label=${rate.told}>
        <rect class="whole" x="0" y="4" width="100" height="2"></rect><rect class="sure" x=${x} y="2" width=${width} height="6"></rect>${at === null ? nothing : html`<svg x=${at} overflow="visible"><rect class="rate" x="-0.5" y="0" width="1" height="10"></rect></svg>`}</svg></td><td>${rate.told}</td></tr>`;
    })}</tbody></table>
    <div class="rows" tabindex="0" role="region" aria-label=${t('eval.trials')}><table class="list"><thead><tr>${['trial', 'policy', 'scene', 'verdict', 'length', 'why', 'film'].map((column) => html`<th>${t(`eval.col.${column}`)}</th>`)}</tr></thead>
      <tbody>${found.trials.map((trial) => html`<tr class=${trial.success ? 'ok' : 'warn'} data-trial=${trial.trial}><td>${trial.trial}</td><td>${trial.policy}</td><td>${trial.scene}</td><td class="verdict" aria-label=${t(`verdict.${trial.success}`)}>${trial.success ? '✓' : '✗'}</td>
        <td>${clock(trial.seconds)}</td><td>${trial.why}</td><td>${trial.episode ? html`<a href=${address('episodes', trial.episode)}>${t('eval.film')}</a>` : nothing}</td></tr>`)}</tbody></table></div>`;
}
