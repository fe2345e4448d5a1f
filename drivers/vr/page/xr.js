// The immersive session: reads the controllers at the headset's rate, sends them, draws the panels.

import { Scene } from './scene.js';

const KEYS = { left: { 4: 'x', 5: 'y' }, right: { 4: 'a', 5: 'b' } };
const [TRIGGER, GRIP, STICK] = [0, 1, 3];
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
    const hands = { left: null, right: null };
    for (const source of session.inputSources) {
      if (source.gripSpace && source.gamepad && source.handedness in hands) {
        hands[source.handedness] = this.#hand(source, seen ? frame.getPose(source.gripSpace, this.#space) : null);
      }
    }
    if (!hands.left && !hands.right && viewer) hands[this.#phone.side] = this.#phone.hand(tracked(viewer, seen));
    const head = viewer && turned(viewer.transform.orientation);
    this.#link.pose({ t, space: this.#number, head, ...hands });
    if (viewer) this.#draw(viewer);
  }

  #hand(source, pose) {
    const { buttons, axes } = source.gamepad;
    for (const [index, key] of Object.entries(KEYS[source.handedness])) this.#edge(key, buttons[index]?.pressed);
    const pressed = Boolean(buttons[STICK]?.pressed);
    if (this.#edge(`${source.handedness} stick`, pressed)) this.#placed = false;
    return {
      ...tracked(pose, true),
      grip: unit(buttons[GRIP]?.value),
      trigger: unit(buttons[TRIGGER]?.value),
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

/** A pose the device made up (occluded, out of sight) is none. */
function tracked(pose, seen) {
  if (!pose || !seen || pose.emulatedPosition) return { p: null, q: null };
  const { position } = pose.transform;
  return { p: [position.x, position.y, position.z], q: turned(pose.transform.orientation) };
}

const turned = (q) => [q.x, q.y, q.z, q.w];
const unit = (value) => Math.min(1, Math.max(0, value ?? 0));
const signed = (value) => Math.min(1, Math.max(-1, value ?? 0));
