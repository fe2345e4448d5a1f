// What is shown, as a function of what was heard and of how long ago that was. Pure: no clock, no DOM. Tested without a browser.

export const STALE_MS = 1000;
export const DEAD_MS = 2000;
export const FROZEN_MS = 1000;

/** How old the session's last word is: as old as it was when it was sent, and what has passed since it came. Infinity: never. */
export function silenceMs(store, nowMs) {
  if (!store.state) return Infinity;
  const age = store.state.age_ms.session;
  return age === null ? Infinity : age + Math.max(0, nowMs - store.stateAt);
}

/** 'live', 'stale' (1 s) or 'dead' (2 s). */
export function liveness(store, nowMs) {
  const silent = silenceMs(store, nowMs);
  return silent >= DEAD_MS ? 'dead' : silent >= STALE_MS ? 'stale' : 'live';
}

/** The action of the table with that name. */
export function actionOf(store, name) {
  return store.welcome?.actions.find((action) => action.name === name);
}

/** Does this page hold control? */
export function holds(store) {
  return Boolean(store.welcome) && store.state?.session?.control.seat === store.welcome.seat;
}

/** May the person here ask for anything but a hold? */
export function operates(store) {
  return store.welcome !== null && store.welcome.role !== 'viewer';
}

/** The word of the phase. */
export function word(session, live) {
  if (!session || live === 'dead') return 'silent';
  return session.paused ? 'paused' : session.phase;
}

/** Buttons: the session's actions and nothing else, off where a press would be refused for being here. */
export function buttons(store, nowMs) {
  const session = store.state?.session;
  if (!session) return [];
  const off = liveness(store, nowMs) === 'dead' || !holds(store) || !operates(store);
  const seen = new Set();
  return session.actions
    .map((name) => actionOf(store, name))
    .filter((action) => action && action.name !== 'open' && !action.name.startsWith('allow') && !seen.has(action.label) && seen.add(action.label))
    .map((action) => ({
      name: action.name, label: action.label, key: shownKey(action.keys[0]), told: action.told,
      off, line: action.line, busy: busy(store, action.name),
    }));
}

/** Is such a request under way from here? Then a second press is none. */
export function busy(store, what) {
  return [...store.asked.values()].some((asked) => asked.what === what);
}

export function shownKey(key) {
  return { space: 'Space', enter: 'Enter', left: '←' }[key] ?? (key ?? '');
}

/** What a key means now, as the terminal's `meant` has it: the first action of the table that makes sense. */
export function meant(store, key) {
  const names = new Set(store.state?.session?.actions ?? []);
  return store.welcome?.actions.find((action) => names.has(action.name) && action.keys.includes(key)) ?? null;
}

/** What to do with a key. */
export function keyed(store, key, nowMs) {
  const session = store.state?.session;
  if (store.question) return key === 'y' || key === store.question.key ? { what: 'yes' } : { what: 'no' };
  if (!session) return { what: 'nothing' };
  if (key === '?') return { what: 'help' };
  if (key === 'escape' && store.help) return { what: 'help' };
  const action = meant(store, key);
  if (!action) {
    const known = store.welcome?.actions.find((other) => other.keys.includes(key));
    return known ? { what: 'told', words: known.otherwise || `${shownKey(key)}: not now (${session.phase})` } : { what: 'nothing' };
  }
  if (liveness(store, nowMs) === 'dead') return { what: 'told', words: 'not live' };
  if (action.name === 'allow') return { what: 'press', action };
  if (!holds(store)) return { what: 'told', words: session.control.holder ? `${session.control.holder} holds control` : 'no page holds control: take it first' };
  return pressing(session, action);
}

/** What pressing an action does: at once, asked first, or what needs words. */
export function pressing(session, action) {
  if (action.name === 'open') return { what: 'nothing' };
  if (action.name === 'note') return { what: 'note' };
  if (action.question && action.confirm.includes(session.phase)) {
    return { what: 'ask', action, words: action.question.replace('{newest}', session.newest) };
  }
  return { what: 'press', action };
}

/** A camera's tile: how old its picture is, and whether that is too old. */
export function tile(camera, picture, stream, nowMs) {
  if (!picture) return { camera, ageMs: null, level: 'bad', frozen: false };
  const ageMs = picture.ageMs + Math.max(0, nowMs - picture.at);
  const period = stream?.declared_hz > 0 ? 1000 / stream.declared_hz : 34;
  const level = ageMs > FROZEN_MS ? 'bad' : ageMs > Math.max(3 * period, 150) ? 'warn' : 'ok';
  return { camera, ageMs, level, frozen: ageMs > FROZEN_MS };
}

/** How much to worry about a stream. */
export function streamLevel(stream) {
  if ((stream.trouble && stream.fault) || stream.age_ms === null || stream.age_ms > FROZEN_MS || stream.rate_hz < 0.5 * stream.declared_hz) return 'bad';
  return stream.trouble || stream.rate_hz < 0.9 * stream.declared_hz ? 'warn' : 'ok';
}

/** Is a reason asked for because the check of real arms failed? One that is merely due has to be made: nothing stands in for it. */
export function asksReason({ state, welcome }) {
  return Boolean(state?.session?.check_failed && welcome.rig.real);
}

/** What stands in the way of beginning, each with what to do. */
export function before(store) {
  const { state, welcome } = store;
  const session = state?.session;
  if (!session) return [];
  const found = [];
  if (session.check_due && welcome.rig.real) found.push({ level: 'bad', key: session.check_failed ? 'before.failed' : 'before.due', values: { why: session.check_due } });
  else if (session.check_due) found.push({ level: 'warn', key: 'before.check', values: { why: session.check_due } });
  for (const stream of state.streams) if (stream.trouble && streamLevel(stream) === 'bad') found.push({ level: 'bad', words: stream.trouble });
  for (const words of state.trouble) if (!found.some((one) => one.words === words)) found.push({ level: 'bad', words });
  if (session.why && session.phase === 'ended') found.unshift({ level: 'bad', words: session.why });
  return found;
}

/** Seconds as m:ss.s. */
export function clock(seconds) {
  return `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(1).padStart(4, '0')}`;
}

/** The columns of an arm in the vector: its first, and the one after its last; null until every arm has said how many it has. */
export function columns(widths, arm) {
  if (!(arm < widths?.length)) return null;
  const from = widths.slice(0, arm).reduce((sum, width) => sum + width, 0);
  return [from, from + widths[arm]];
}

/** What a strip of joints shows of the angles, rad: half a turn each way, more where a joint goes further. */
export function reach(low, high) {
  return [Math.min(-3.3, low ?? 0), Math.max(3.3, high ?? 0)];
}

/** The last 10 s of points, for uPlot: [t, joint…, asked…]; what is no number is a gap. */
export function strip(points, from, to) {
  const columns = [points.map((point) => point.t)];
  for (let j = from; j < to; j++) columns.push(points.map((point) => point.qpos[j] ?? null));
  for (let j = from; j < to; j++) columns.push(points.map((point) => point.asked?.[j] ?? null));
  return columns;
}
