// Policies: what fits, what may be asked, what a runner says. Pure: tested without a browser.
import { holds, liveness, operates } from './model.js';

export const HANDS = ['leader', 'vr'];
const TAKEN = ['recording', 'running', 'reset']; // phases in which hands may take over from a policy
const GIVEN = ['recording', 'running']; // and in which it may have the arms back

/** ok or bad, and the word for it: does the folder make sense, does it fit this rig? */
export function standing(policy) {
  if (policy.problem) return { level: 'bad', key: 'policy.problem' };
  return policy.differs ? { level: 'bad', key: 'policy.differs' } : { level: 'ok', key: 'policy.fits' };
}

/** What differs, each in a row; what fits, a row for each thing that is said, however often it is. */
export function compared(points) {
  const fits = new Map();
  for (const { key, says, has, found } of points) {
    if (found) continue;
    const name = key.replace(/\[\d+\]$/, ''), before = fits.get(name);
    fits.set(name, before ? { ...before, n: before.n + 1, says: '', has: '' } : { key: name, n: 1, says, has });
  }
  return { differs: points.filter(({ found }) => found), fits: [...fits.values()] };
}

/** Is a policy's sitting open? */
export function rollouts(session) {
  return Boolean(session) && session.source === 'policy' && session.phase !== 'ended';
}

/** Why that may not be asked of the runner now, as a key of the dictionary; '' if it may. The session has the last word. */
export function refusal(store, nowMs) {
  const session = store.state?.session;
  if (!operates(store)) return 'policies.viewer';
  if (!session || liveness(store, nowMs) === 'dead') return 'policies.dead';
  if (!holds(store)) return 'policies.control';
  return rollouts(session) ? 'policies.sitting' : '';
}

/** Is that folder what the runner has loaded? */
export function isLoaded(policy, runner) {
  return Boolean(policy && runner?.folder) && policy.folder === runner.folder && runner.phase !== 'loading' && runner.phase !== 'none';
}

/** Who commands, and what may be pressed: taken over only while somebody presses that they hold the leaders. */
export function hands(store, holding, nowMs) {
  const session = store.state?.session, pilot = store.state?.pilot;
  if (!rollouts(session)) return { there: false, takes: false, gives: false, leads: false };
  const leads = pilot?.state === 'engaged' && HANDS.includes(pilot.source);
  const may = operates(store) && holds(store) && liveness(store, nowMs) !== 'dead' && !session.paused;
  return { there: true, takes: may && holding && !leads && TAKEN.includes(session.phase), gives: may && leads && GIVEN.includes(session.phase), leads };
}

/** What a key means here, where it is no key of every page: `i` is held, `t` takes over and hands back. */
export function handKey(name, store, holding, nowMs) {
  const { there, takes, gives, leads } = hands(store, holding, nowMs);
  if (!there || name !== 't') return '';
  return takes ? 'take' : gives ? 'give' : leads ? '' : 'how';
}

/** Has the evaluation of that name begun, and no trial of it been made? */
export function begun(job, name) {
  return Boolean(job?.running) && job.name === 'eval' && job.of === name && job.progress === null;
}

/** How the runner does: ok while it runs or waits, warn where it starves, bad where it cannot. */
export function runnerLevel(runner) {
  if (!runner || runner.phase === 'none') return 'warn';
  if (runner.phase === 'fault') return 'bad';
  return runner.phase === 'running' && (runner.starved_ticks || runner.why || (runner.delay_p95_ms ?? 0) > runner.chunk_ms) ? 'warn' : 'ok';
}

/** One point of the strips of delay and chunk; of a runner that does not run, a gap. */
export function timing(message) {
  const runner = message.runner?.phase === 'running' ? message.runner : {};
  return { t: message.now_ns / 1e9, delay: runner.delay_p95_ms ?? null, inference: runner.inference_p95_ms ?? null, plan: runner.plan_ms ?? null, chunk: runner.chunk_ms ?? null };
}

/** An interval and its middle, in the hundredths of a bar. */
export function bar({ wilson: [low, high], successes, trials }) {
  return { x: 100 * low, width: Math.max(0.5, 100 * (high - low)), at: trials ? (100 * successes) / trials : null };
}
