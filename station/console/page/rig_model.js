// Processes and readings in the page's words. Pure: tested without a browser.

/** ok, warn or bad: does it run, does it say that it works, are its readings within their limits? */
export function processLevel(process) {
  if (!process.running || process.state === 'fault' || process.state === 'silent') return 'bad';
  const levels = process.readings.map(({ level }) => level);
  if (levels.includes('bad')) return 'bad';
  return process.state !== 'ok' || levels.includes('warn') ? 'warn' : 'ok';
}

const number = (value) => (value === null ? '–' : Math.abs(value) >= 100 || Number.isInteger(value) ? value.toFixed(0) : value.toPrecision(3));

/** `shoulder.temperature_c` and its like, one row a joint; what is of no joint stands in a row of its own. */
export function byJoint(readings) {
  const rows = new Map();
  for (const { name, value, level } of readings) {
    const at = name.lastIndexOf('.'), [joint, kind] = at < 0 ? [name, ''] : [name.slice(0, at), name.slice(at + 1)];
    if (!rows.has(joint)) rows.set(joint, {});
    rows.get(joint)[kind] = { value: number(value), level };
  }
  return [...rows].map(([name, values]) => ({ name, values }));
}

/** Findings, what fails first. */
export function ranked(findings) {
  const order = ['fail', 'warn', 'unchecked', 'pass'];
  return [...findings].sort((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict));
}

export const VERDICT_LEVEL = { pass: 'ok', warn: 'warn', fail: 'bad', unchecked: 'warn' };
