// The immersive session: reads the controllers at the headset's rate, sends them, draws the panels.

import { Scene } from './scene.js';

const KEYS = { left: { 4: 'x', 5: 'y' }, right: { 4: 'a', 5: 'b' } };
const [TRIGGER, GRIP, STICK] = [0, 1, 3];
const SIDES = ['left', 'right'];
// Another page's rooms have other numbers: forward is aimed anew after a reload, not after a link that came back.
let spaces = 256 * Math.floor(65536 * Math.random());

/** 'immersive-vr', 'immersive-ar', or '' where the browser has neither. */
export async function mode() {
  for (const name of ['immersive-vr', 'immersive-ar']) {
    if (await navigator.xr?.isSessionSupported(name).catch(() => false)) return name;
  }
  return '';
}

export class Immersion {
  #link;
  #board;
  #panels;
  #phone;
  #session = null;
  #space = null;
  #scene = null;
  #number = 0;
  #pressed = new Set();
  #placed = false;
  #mode = '';
  #sources = { left: null, right: null };
  #headset = false; // a controller was seen: this head is no phone
  /** Called when the session has ended, by whomever. */
  ended = () => {};

  constructor(link, board, panels, phone) {
    [this.#link, this.#board, this.#panels, this.#phone] = [link, board, panels, phone];
    board.sources = () => this.#session?.inputSources ?? [];
  }

  /** Start; to be called from a click. `rate` in Hz is asked of the headset. */
  async enter(mode, rate) {
    const session = await navigator.xr.requestSession(mode, {
      requiredFeatures: ['local-floor'],
      optionalFeatures: ['dom-overlay'],
      domOverlay: { root: document.getElementById('overlay') },
    });
    this.#session = session;
    this.#mode = mode;
    this.#sources = { left: null, right: null };
    session.onend = () => { this.#session = null; this.ended(); };
    if (session.supportedFrameRates?.includes(rate)) session.updateTargetFrameRate(rate).catch(() => {});
    const gl = document.createElement('canvas').getContext('webgl', { xrCompatible: true });
    await gl.makeXRCompatible();
    session.updateRenderState({ baseLayer: new XRWebGLLayer(session, gl) });
    this.#scene = new Scene(gl);
    this.#space = await session.requestReferenceSpace('local-floor');
    this.#number = ++spaces;
    this.#space.onreset = () => { this.#number = ++spaces; this.#placed = false; };
    this.#placed = false;
    session.requestAnimationFrame((time, frame) => this.#frame(frame));
  }

  leave() {
    this.#session?.end();
  }

  #frame(frame) {
    const session = frame.session;
    session.requestAnimationFrame((time, next) => this.#frame(next));
    const t = performance.now();
    const viewer = frame.getViewerPose(this.#space);
    const seen = session.visibilityState === 'visible';
    const sources = seen ? controllers(session.inputSources) : {};
    const hands = { left: null, right: null };
    for (const side of SIDES) {
      const source = sources[side] ?? null;
      if (source && source === this.#sources[side]) {
        hands[side] = this.#hand(source, frame.getPose(source.gripSpace, this.#space));
      } else if (source) {
        this.#meet(source); // another one, or one that comes back: in between there was no hand
      }
      this.#sources[side] = source;
    }
    if (viewer && seen && this.#handheld(session)) hands[this.#phone.side] = this.#phone.hand(tracked(viewer));
    const head = viewer && turned(viewer.transform.orientation);
    this.#link.pose({ t, space: this.#number, head, ...hands });
    if (viewer) this.#draw(viewer);
  }

  /** Is the device itself the hand: a phone. A head never is, whatever its controllers do. */
  #handheld(session) {
    if (this.#mode !== 'immersive-ar' || this.#headset) return false;
    // an old browser does not say; then a touch on the screen does
    return session.interactionMode === 'screen-space' || this.#phone.touched;
  }

  /** Keys that are down when a controller appears were not pressed for us (one of them woke it). */
  #meet(source) {
    this.#headset = true;
    const { buttons } = source.gamepad;
    const keys = { ...KEYS[source.handedness], [STICK]: `${source.handedness} stick` };
    for (const [index, key] of Object.entries(keys)) if (buttons[index]?.pressed) this.#pressed.add(key);
  }

  #hand(source, pose) {
    const { buttons, axes } = source.gamepad;
    for (const [index, key] of Object.entries(KEYS[source.handedness])) this.#edge(key, buttons[index]?.pressed);
    const pressed = Boolean(buttons[STICK]?.pressed);
    if (this.#edge(`${source.handedness} stick`, pressed)) this.#placed = false;
    return {
      ...tracked(pose),
      grip: unit(buttons[GRIP].value),
      trigger: unit(buttons[TRIGGER].value),
      stick: [signed(axes[2]), signed(axes[3])],
      pressed,
      a: Boolean(buttons[4]?.pressed),
      b: Boolean(buttons[5]?.pressed),
    };
  }

  #edge(key, down) {
    if (!down) return this.#pressed.delete(key) && false;
    if (this.#pressed.has(key)) return false;
    this.#pressed.add(key);
    this.#board.key(key);
    return true;
  }

  #draw(viewer) {
    if (!this.#placed) {
      this.#scene.place(viewer.transform);
      this.#placed = true;
    }
    this.#scene.draw(this.#session.renderState.baseLayer, viewer, this.#board, this.#panels.all);
  }
}

/** The controller in each hand. What has no grip button to be seen open is none: a bare hand, or one still waking. */
function controllers(sources) {
  const found = {};
  for (const source of sources) {
    const { gamepad, gripSpace, handedness, hand, targetRayMode } = source;
    if (!gripSpace || hand || targetRayMode !== 'tracked-pointer' || !SIDES.includes(handedness)) continue;
    if (!gamepad) continue;
    if (![GRIP, TRIGGER].every((index) => Number.isFinite(gamepad.buttons[index]?.value))) continue;
    found[handedness] ??= source;
  }
  return found;
}

/** A pose the device made up (occluded, out of sight) is none. */
function tracked(pose) {
  if (!pose || pose.emulatedPosition) return { p: null, q: null };
  const { position } = pose.transform;
  return { p: [position.x, position.y, position.z], q: turned(pose.transform.orientation) };
}

const turned = (q) => [q.x, q.y, q.z, q.w];
const unit = (value) => Math.min(1, Math.max(0, value));
const signed = (value) => (Number.isFinite(value) ? Math.min(1, Math.max(-1, value)) : 0);
