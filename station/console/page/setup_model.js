// What was found, and what is asked for, in the Set-up page's words. Pure: tested without a browser.

/** Ports as somebody types them: by commas, spaces or lines. */
export const portsOf = (text) => text.split(/[\s,]+/).filter(Boolean);

/** ok: it can stand in a rig file as it is; warn: something is to be done first. */
export function thingLevel(thing) {
  return thing.usable ? 'ok' : 'warn';
}

/** The name that a rig file's place leaves for its port: where it is for good, and where it is now, if that is another. */
export function placeOf({ port, stable }) {
  return stable && stable !== port ? { port, stable } : { port, stable: '' };
}

/** What a job said before the words that stand there already. */
export function saidBefore({ said, words }) {
  return said.at(-1) === words ? said.slice(0, -1) : said;
}

/** The rig whose file was written by the job that ran last; "" where none was. */
export function written(job) {
  return job && !job.running && job.code === 0 && job.name.startsWith('rig new ') ? job.of : '';
}

/** May the ports be asked now? "" or the key of why not. */
export function hindrance(store, live) {
  if (store.welcome.role !== 'engineer') return 'setup.who';
  if (live !== 'dead') return 'setup.up';
  if (store.job?.running) return 'setup.job';
  return store.found?.looking ? 'setup.looks' : '';
}
