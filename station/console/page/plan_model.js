// A collection plan in the page's words. Pure: tested without a browser.

/** What is to be staged now, as the session says it; null where nothing is: something is recorded, or no plan is followed. */
export function staged(session) {
  const staging = session?.staging;
  if (!staging || staging.why || (!staging.scene && !staging.object)) return null;
  return ['ready', 'reset', 'hold', 'opening'].includes(session.phase) ? staging : null;
}

/** Where the object goes in one camera's picture: [{x, y, scene}], shares of its width and height. */
export function marks(staging, camera) {
  const place = staging?.places?.[camera];
  return place ? [{ x: place[0], y: place[1], scene: staging.scene }] : [];
}

/** Every scene's place in one camera's picture, for whoever edits the plan. */
export function places(plan, camera) {
  return Object.entries(plan?.places ?? {}).filter(([, of]) => of[camera]).map(([scene, of]) => ({ x: of[camera][0], y: of[camera][1], scene }));
}

const lines = (text) => text.split('\n').map((line) => line.trim()).filter(Boolean);

/** A plan as a form has it: lists are lines. */
export function formOf(plan) {
  const text = (words) => (words ?? []).join('\n');
  return {
    each: String(plan?.each ?? 5), scenes: text(plan?.scenes), objects: text(plan?.objects), operators: text(plan?.operators), seed: String(plan?.seed ?? 0),
    instruction: plan?.instruction ?? '', places: structuredClone(plan?.places ?? {}),
  };
}

/** What the form says, as the console takes it. Places of scenes that are no more are left out. */
export function planOf(form) {
  const scenes = lines(form.scenes), known = Object.entries(form.places).filter(([scene, of]) => scenes.includes(scene) && Object.keys(of).length);
  return {
    each: Number(form.each), scenes, objects: lines(form.objects), operators: lines(form.operators), seed: Number(form.seed), instruction: form.instruction.trim(), places: Object.fromEntries(known),
  };
}

/** How many episodes that would be. */
export function wanted(form) {
  const { each, scenes, objects, operators } = planOf(form);
  return each * [scenes, objects, operators].reduce((product, words) => product * (words.length || 1), 1);
}

/** A place that was clicked: shares of the picture's width and height, as exact as a picture needs. */
export function placed(form, scene, camera, x, y) {
  const share = (value) => Math.round(Math.min(1, Math.max(0, value)) * 1000) / 1000;
  return { ...form, places: { ...form.places, [scene]: { ...form.places[scene], [camera]: [share(x), share(y)] } } };
}

/** Where in a picture that was, which lies whole in the middle of its box: shares of its width and height. */
export function inPicture(box, ratio, x, y) {
  const width = Math.min(box.width, box.height / ratio), height = width * ratio;
  return [(x - box.left - (box.width - width) / 2) / width, (y - box.top - (box.height - height) / 2) / height];
}

/** Is this row what is staged next? */
export function isNext(row, next) {
  return next.some(({ staged }) => staged && staged.scene === row.scene && staged.object === row.object && staged.operator === row.operator);
}
