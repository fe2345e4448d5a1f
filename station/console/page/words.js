// Every word of the page, in one place: another language is another table with the same keys.
// What the session says of itself (why, next, an action's label) comes from the station and stays as it is.

/** @type {Record<string, string>} */
const en = {
  'phase.opening': 'ALIGNING', 'phase.ready': 'READY', 'phase.starting': 'STARTING', 'phase.recording': 'RECORDING', 'phase.running': 'RUNNING',
  'phase.saving': 'SAVING', 'phase.reset': 'RESET', 'phase.hold': 'HOLD', 'phase.ended': 'NO SITTING', 'phase.paused': 'PAUSED',
  'phase.silent': 'NOT LIVE',
  'do.opening': 'The followers move to the leaders’ pose: hold the leaders still.',
  'do.ready': 'Everything is ready.',
  'do.starting': 'The recording is being opened: wait a moment.',
  'do.recording': 'Recording.',
  'do.running': 'The policy runs; nothing of it is recorded.',
  'do.saving': 'Saving: wait a moment.',
  'do.reset': 'Put the scene back, then start the next one.',
  'do.hold': 'The arms hold. Clear the cause, hold the leaders still, then go on.',
  'do.ended': 'Say what is to be recorded, then begin.',
  'do.paused': 'Paused. Hold the leaders still, then go on.',
  'live': 'live',
  'stale': 'last word {s} s ago',
  'notlive': 'NOT LIVE for {s} s: the arms may be moving. What you see is old.',
  'link.lost': 'No link to the console: trying again.',
  'link.station': 'The station says nothing. Next: `station up --rig {rig}` on its computer.',
  'hold.arms': 'HOLD ARMS',
  'hold.says': 'software stop: the red button cuts the power',
  'control.take': 'take control', 'control.leave': 'give control away', 'control.keep': 'keep control', 'control.give': 'give it',
  'control.none': 'no page holds control', 'control.here': 'this page holds control', 'control.there': '{who} holds control',
  'control.wanted': '{who} asks for control. It passes in {s} s.',
  'control.waiting': 'You ask for control: {who} has {s} s to say no.',
  'control.viewer': 'you may look, and hold',
  'motion.asks': '{who} asks: {what}. Allow it within {s} s?',
  'motion.mine': 'Waiting for somebody at the rig to allow it ({s} s): {what}.',
  'motion.moves': 'Arms move in {s} s: {what}.',
  'motion.allow': 'let the arms move', 'motion.deny': 'no',
  'asked': 'asked: {what} …', 'done': 'done: {what}', 'refused': 'not done: {why}',
  'sound.on': 'sound on', 'sound.off': 'sound off', 'keys': 'keys', 'park': 'park arms',
  'streams': 'Streams', 'stream.frozen': 'FROZEN {s} s', 'stream.none': 'no picture yet', 'no.cameras': 'This rig has no cameras.',
  'counts.unrecorded': 'rollout {n} · {early} early · nothing is recorded', 'counts': '{saved} saved · {discarded} discarded · {early} early', 'counts.wanted': '{saved} of {wanted} saved · {discarded} discarded · {early} early',
  'disk': 'disk: room for {min} min', 'disk.unknown': 'disk not known yet', 'late': 'ticks late {late} · samples lost {lost}',
  'building': '{n} being built', 'last': 'Last', 'last.none': 'Nothing was saved in this sitting yet.',
  'episode': 'episode {n}', 'begin.task': 'task', 'begin.operator': 'operator', 'begin.instruction': 'instruction', 'begin.scene': 'scene',
  'begin.episodes': 'episodes', 'begin.seconds': 'seconds each', 'begin.reset': 'reset, s', 'begin.button': 'begin', 'begin.override': 'reason to record although the check failed',
  'begin.optional': 'open', 'begin.hint': '0: as many as come, as long as they take',
  'before': 'Before you can start', 'before.check': 'Check: {why}.', 'before.disk': 'The disk holds {min} minutes more.',
  'note.label': 'note', 'note.keep': 'keep it', 'note.drop': 'drop it', 'yes': 'yes', 'no': 'no', 'close': 'close',
  'pair.title': 'This browser is not paired', 'pair.how': 'Ask for a link at the rig’s terminal: `station console link`. Or type its code here.', 'pair.code': 'code', 'pair.button': 'pair',
  'full.title': 'Enough pages look already', 'gone.title': 'This window was opened anew in another tab',
  'joints': '{side} joints, rad, 10 s', 'joints.none': 'Joints appear once the synchronizer runs.',
  'arm.apart': '{rad} from its leader ({joint})', 'commands': '{source} commands', 'nobody': 'nobody commands',
  'version': 'The console was updated. Reload this page when nothing is being recorded.',
  'reset.in': 'the next one starts in {s} s', 'title.rec': '● REC', 'asks': '(asks)',
};

const tables = { en };

/** A word with what is put into it. A key that is not there shows itself: a test finds it. */
export function t(key, values = {}) {
  const text = tables.en[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ''));
}

export const languages = tables;
