// Episodes: what the address asks for, and in which order they stand; which picture a row shows. Pure: tested without a browser.

export const VERDICTS = ['true', 'false', 'unset'];
const MENUS = ['task', 'operator', 'success'];

/** The address's conditions as the form has them: a value for each menu, all others as text. */
export function filtersOf(query) {
  const found = { task: '', operator: '', success: '', more: [] };
  for (const condition of query.getAll('where')) {
    const at = condition.indexOf('='), name = condition.slice(0, at), value = condition.slice(at + 1);
    if (MENUS.includes(name) && !found[name] && value) found[name] = value;
    else found.more.push(condition);
  }
  return { ...found, more: found.more.join(' '), sort: query.get('sort') ?? 'newest' };
}

/** And back. What nobody asks for is not in the address. */
export function queryOf(filters) {
  const query = new URLSearchParams();
  for (const name of MENUS) if (filters[name]) query.append('where', `${name}=${filters[name]}`);
  for (const condition of (filters.more ?? '').split(/\s+/).filter(Boolean)) query.append('where', condition);
  if (filters.sort && filters.sort !== 'newest') query.set('sort', filters.sort);
  return query;
}

/** How much there is to look at in an episode: what cannot be used comes first. */
export function worry(episode) {
  if (episode.problem) return 1000;
  return (episode.findings?.length ?? 0) + 10 * episode.causes.filter((cause) => cause !== 'rollout').length;
}

export const SORTS = {
  newest: (a, b) => b.recorded_s - a.recorded_s,
  worst: (a, b) => worry(b) - worry(a) || b.recorded_s - a.recorded_s,
  longest: (a, b) => b.seconds - a.seconds,
  shortest: (a, b) => a.seconds - b.seconds,
};

export function sorted(episodes, sort) {
  return [...episodes].sort(SORTS[sort] ?? SORTS.newest);
}

/** ok, warn or bad, and why in words; for the list's mark. */
export function state(episode) {
  if (episode.problem) return { level: 'bad', words: episode.problem };
  if (episode.damage) return { level: 'bad', words: episode.damage };
  const words = [...episode.causes.filter((cause) => cause !== 'rollout'), ...(episode.findings ?? [])];
  return words.length ? { level: 'warn', words: words.join(', ') } : { level: 'ok', words: '' };
}

/** Which of the rising rows is the last at or before `row`: its place, −1 where none is. */
export function placeOf(rows, row) {
  let low = 0, high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle] <= row) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The row whose picture is seen in `row`. */
export const shownIn = (rows, row) => rows[Math.max(0, placeOf(rows, row))];

/** How far one may go from `position` towards `next` without passing over a picture. */
export function withoutLeap(rows, position, next) {
  const after = rows[placeOf(rows, Math.floor(position)) + 2];
  return after === undefined ? next : Math.min(next, after - 0.01);
}

/** Rows whose pictures are worth fetching when `row` is shown: its own first, then those that come, of what is not there yet. */
export function ahead(rows, row, have, most) {
  const first = Math.max(0, placeOf(rows, row)), found = [];
  for (let place = first; place < rows.length && place < first + most; place++) if (!have.has(rows[place])) found.push(rows[place]);
  return found;
}

/** The same, as soon as one is missing that comes soon: few questions, for many pictures each. */
export function due(rows, row, have, most) {
  const missing = ahead(rows, row, have, most), soon = rows[Math.max(0, placeOf(rows, row)) + (most >> 1)] ?? Infinity;
  return missing.length && missing[0] <= soon ? missing : [];
}

/** Of the rows that are kept, those farthest from `row` that are too many. */
export function farthest(kept, row, most) {
  const all = [...kept];
  return all.length <= most ? [] : all.sort((a, b) => Math.abs(b - row) - Math.abs(a - row)).slice(0, all.length - most);
}

/** float32 columns of `width` numbers a row → one array for each; what is no number is a gap. */
export function columns(numbers, width) {
  const found = Array.from({ length: width }, () => new Array(numbers.length / width));
  for (let at = 0; at < numbers.length; at++) found[at % width][Math.floor(at / width)] = Number.isNaN(numbers[at]) ? null : numbers[at];
  return found;
}

/** [row, bytes] of each picture in an answer. */
export function unpacked(buffer) {
  const view = new DataView(buffer), found = [];
  for (let at = 0; at + 8 <= buffer.byteLength; ) {
    const row = view.getUint32(at, true), size = view.getUint32(at + 4, true);
    found.push([row, new Uint8Array(buffer, at + 8, size)]);
    at += 8 + size;
  }
  return found;
}

/** Which columns belong to a plot: each side's joints, and its gripper. */
export function plots(names) {
  const sides = [...new Set(names.map((name) => (/^(left|right)_/.exec(name) ?? [, ''])[1]))];
  return sides.map((side) => ({ side, columns: names.map((name, place) => [name, place]).filter(([name]) => (side ? name.startsWith(`${side}_`) : !/^(left|right)_/.test(name))).map(([, place]) => place) }));
}
