// Calibrations and their wizards in the page's words. Pure: tested without a browser.

/** Days after which a calibration is worth a look: the check says whether it still holds. */
export const OLD_DAYS = 90;

/** The wizards, in the order in which they are of use, and what each may be told besides. */
export const WIZARDS = { arms: ['placings', 'pose', 'compare'], gello: [], grippers: ['seconds'], cameras: ['board', 'on'], latency: ['seconds'] };

/** Those that measure something of this rig, and of which devices. */
export function wizards(devices) {
  return Object.keys(WIZARDS).map((what) => ({ what, devices: devices.filter((device) => device.wizards.includes(what)).map(({ node }) => node) })).filter(({ devices: of }) => of.length);
}

/** How much to worry about a device's calibration. */
export function level(device) {
  if (device.trouble) return 'bad';
  return !device.heard || device.newer || !device.parts.length || device.parts.some(({ age_days: age }) => age > OLD_DAYS) ? 'warn' : 'ok';
}

/** What the form asks for, as the console takes it. What is of no use to this wizard is left out. */
export function asked(what, form) {
  const said = { type: 'calibrate', what, only: form.only ?? [] };
  for (const name of WIZARDS[what]) {
    if (name === 'board') said.board = Boolean(form.board);
    else if (name === 'pose' || name === 'on') said[name] = (form[name] ?? '').trim();
    else if (form[name]) said[name] = Number(form[name]);
  }
  return said;
}
