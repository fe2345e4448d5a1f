// Policies: what fits, who may press what, and what stands there, without a browser.
import assert from 'node:assert/strict';
import test from 'node:test';
import { bar, begun, compared, handKey, hands, isLoaded, refusal, rollouts, runnerLevel, standing, timing } from '../../../../station/console/page/policies_model.js';

const RUNNER = { phase: 'running', folder: '/p/my-act', name: 'my-act', shadow: false, why: '', chunk_ms: 1000, plan_ms: 640, delay_p95_ms: 142, inference_p95_ms: 96, starved_ticks: 0 };

function store(session = {}, pilot = {}, more = {}) {
  return {
    asked: new Map(), stateAt: 1000, welcome: { seat: 'me.1', role: 'operator', who: 'ada' },
    state: {
      session: { phase: 'running', source: 'policy', paused: false, control: { seat: 'me.1', holder: 'ada' }, motion: null, ...session },
      pilot: { state: 'engaged', source: 'policy', ...pilot }, age_ms: { session: 40 },
    }, ...more,
  };
}

test('hands take over only while somebody presses that they hold the leaders', () => {
  assert.deepEqual(hands(store(), true, 1000), { there: true, takes: true, gives: false, leads: false });
  assert.equal(hands(store(), false, 1000).takes, false, 'let go of');
  assert.equal(hands(store(), true, 4000).takes, false, 'nothing is live');
  assert.equal(hands(store({ control: { seat: 'o', holder: 'bob' } }), true, 1000).takes, false, 'somebody else’s');
  assert.equal(hands(store({ paused: true }), true, 1000).takes, false);
  for (const phase of ['opening', 'saving', 'hold', 'starting']) assert.equal(hands(store({ phase }), true, 1000).takes, false, phase);
  const viewer = store();
  viewer.welcome.role = 'viewer';
  assert.equal(hands(viewer, true, 1000).takes, false);
  assert.equal(hands(store({ source: 'leader' }), true, 1000).there, false, 'no policy runs');
});

test('what hands lead goes back to the policy, without holding anything, and not between two rollouts', () => {
  assert.deepEqual(hands(store({}, { source: 'leader' }), true, 1000), { there: true, takes: false, gives: true, leads: true });
  assert.equal(hands(store({}, { source: 'vr' }), false, 1000).gives, true);
  assert.equal(hands(store({ phase: 'reset' }, { source: 'leader' }), false, 1000).gives, false);
  assert.equal(hands(store({}, { source: 'leader', state: 'hold' }), false, 1000).leads, false);
});

test('t takes over, hands back, or says how', () => {
  assert.equal(handKey('t', store(), true, 1000), 'take');
  assert.equal(handKey('t', store(), false, 1000), 'how');
  assert.equal(handKey('t', store({}, { source: 'leader' }), false, 1000), 'give');
  assert.equal(handKey('t', store({ phase: 'ended' }), true, 1000), '');
  assert.equal(handKey('s', store(), true, 1000), '');
});

test('why nothing may be asked of the runner', () => {
  assert.equal(refusal(store({ phase: 'ended' }), 1000), '');
  assert.equal(refusal(store({ source: 'leader' }), 1000), '', 'a shadow thinks beside a demonstration');
  assert.equal(refusal(store(), 1000), 'policies.sitting');
  assert.equal(refusal(store({ phase: 'ended' }), 4000), 'policies.dead');
  assert.equal(refusal(store({ phase: 'ended', control: { seat: '', holder: '' } }), 1000), 'policies.control');
  assert.equal(refusal({ ...store(), state: null }, 1000), 'policies.dead');
  assert.equal(rollouts(null), false);
});

test('what differs stands in a row of its own, what fits is counted', () => {
  const point = (key, says, has, found = '') => ({ key, says, has, found, fix: 'x' });
  const points = [point('cameras', 'cam_top', 'cam_high', 'it sees cam_top'), point('action_dim', '14', '14'), point('dim_names[0]', 'a', 'b', 'a at training'), point('dim_names[1]', 'c', 'c'), point('dim_names[2]', 'd', 'd')];
  const { differs, fits } = compared(points);
  assert.deepEqual(differs.map(({ key }) => key), ['cameras', 'dim_names[0]']);
  assert.deepEqual(fits, [{ key: 'action_dim', n: 1, says: '14', has: '14' }, { key: 'dim_names', n: 2, says: '', has: '' }]);
  assert.equal(standing({ problem: '', differs: 2 }).key, 'policy.differs');
  assert.equal(standing({ problem: 'no', differs: 0 }).key, 'policy.problem');
  assert.equal(standing({ problem: '', differs: 0 }).level, 'ok');
});

test('a runner’s state, and its strips with gaps where it does not run', () => {
  assert.equal(runnerLevel(RUNNER), 'ok');
  assert.equal(runnerLevel({ ...RUNNER, starved_ticks: 3 }), 'warn');
  assert.equal(runnerLevel({ ...RUNNER, delay_p95_ms: 1200 }), 'warn', 'an answer after its whole chunk');
  assert.equal(runnerLevel({ ...RUNNER, phase: 'fault' }), 'bad');
  assert.equal(runnerLevel(null), 'warn');
  assert.deepEqual(timing({ now_ns: 2e9, runner: RUNNER }), { t: 2, delay: 142, inference: 96, plan: 640, chunk: 1000 });
  assert.deepEqual(timing({ now_ns: 2e9, runner: { ...RUNNER, phase: 'ready' } }), { t: 2, delay: null, inference: null, plan: null, chunk: null });
  assert.equal(isLoaded({ folder: '/p/my-act' }, RUNNER), true);
  assert.equal(isLoaded({ folder: '/p/my-act' }, { ...RUNNER, phase: 'loading' }), false);
  assert.equal(isLoaded({ folder: '' }, { ...RUNNER, folder: '' }), false, 'blind: nobody knows');
});

test('an interval as a bar', () => {
  assert.deepEqual(bar({ wilson: [0.2, 0.7], successes: 2, trials: 4 }), { x: 20, width: 49.99999999999999, at: 50 });
  assert.equal(bar({ wilson: [0, 1], successes: 0, trials: 0 }).at, null);
});

test('an evaluation that has begun is not read before its first trial', () => {
  const job = { name: 'eval', of: 'first', running: true, progress: null };
  assert.equal(begun(job, 'first'), true);
  assert.equal(begun({ ...job, progress: 0.5 }, 'first'), false);
  assert.equal(begun(job, 'second'), false);
  assert.equal(begun({ ...job, running: false }, 'first'), false);
  assert.equal(begun(null, 'first'), false);
});
