// The operator in front of the emulated headset: hands that are moved, squeezed, lost and found by the tests.
{
  const device = new IWER.XRDevice(IWER[DEVICE]);
  device.installRuntime({ forceInstall: true });
  device.position.set(0, 1.6, 0);
  const hand = (side) => device.controllers[side];
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  const frames = async (count) => { for (let i = 0; i < count; i++) await frame(); };
  const inside = (space) => Object.getOwnPropertySymbols(space).map((symbol) => space[symbol]).find((each) => each?.offsetMatrix);

  // A hand is where it grips. The runtime is told the ray it points along, from which the grip is off by a constant.
  const held = { left: { p: [-0.25, 1.5, -0.4], q: [0, 0, 0, 1] }, right: { p: [0.25, 1.5, -0.4], q: [0, 0, 0, 1] } };
  for (const side of ['left', 'right']) {
    const { gripSpace, targetRaySpace } = hand(side).inputSource;
    const fromGrip = new DOMMatrix([...inside(gripSpace).offsetMatrix]).inverse();
    hand(side).updateTargetRaySpace = () => {
      inside(targetRaySpace).offsetMatrix.set(rigid(held[side]).multiply(fromGrip).toFloat32Array());
    };
  }

  function rigid({ p, q: [x, y, z, w] }) {
    return new DOMMatrix([
      1 - 2 * (y * y + z * z), 2 * (x * y + z * w), 2 * (x * z - y * w), 0,
      2 * (x * y - z * w), 1 - 2 * (x * x + z * z), 2 * (y * z + x * w), 0,
      2 * (x * z + y * w), 2 * (y * z - x * w), 1 - 2 * (x * x + y * y), 0,
      ...p, 1,
    ]);
  }

  // Everywhere a hand has ever been put, and what the hand was called by its trigger: no sample may say anything else.
  let put = { left: [held.left.p], right: [held.right.p] };
  /** So long, and for as many frames as the headset needs to notice, however slowly it draws. */
  const lasting = (ms) => Promise.all([new Promise((resolve) => setTimeout(resolve, ms)), frames(3)]);
  const controllers = () => Object.values(device.controllers);

  /** The room turns about its vertical and shifts: everything in it is somewhere else from one frame to the next. */
  function room(yaw, [x, z], says) {
    const [s, c] = [Math.sin(yaw), Math.cos(yaw)];
    for (const side of ['left', 'right']) {
      const { p, q } = held[side];
      const [tx, ty, tz, tw] = [0, Math.sin(yaw / 2), 0, Math.cos(yaw / 2)];
      operator.put(side, {
        p: [c * p[0] + s * p[2] + x, p[1], c * p[2] - s * p[0] + z],
        q: [
          tw * q[0] + tx * q[3] + ty * q[2] - tz * q[1], tw * q[1] + ty * q[3] + tz * q[0] - tx * q[2],
          tw * q[2] + tz * q[3] + tx * q[1] - ty * q[0], tw * q[3] - tx * q[0] - ty * q[1] - tz * q[2],
        ],
      });
    }
    operator.look(operator.yaw + yaw);
    if (says) inside_device().pendingReferenceSpaceReset = true;
  }
  const inside_device = () => Object.getOwnPropertySymbols(device).map((each) => device[each])
    .find((each) => each && typeof each === 'object' && 'pendingReferenceSpaceReset' in each);

  // What happens to headsets, grips held all the while. Each resolves when everything is back.
  const faults = {
    'controllers asleep': async (ms) => {
      for (const each of controllers()) each.connected = false;
      await lasting(ms);
      for (const each of controllers()) each.connected = true;
    },
    'one controller asleep': async (ms) => {
      hand('right').connected = false;
      await lasting(ms);
      hand('right').connected = true;
    },
    'controllers wake with their buttons up': async (ms) => {
      for (const each of controllers()) each.connected = false;
      await lasting(ms);
      for (const side of ['left', 'right']) operator.put(side, { grip: 0 });
      for (const each of controllers()) each.connected = true;
      await frame();
      for (const side of ['left', 'right']) operator.put(side, { grip: 1 });
    },
    'bare hands instead': async (ms) => {
      device.primaryInputMode = 'hand';
      await lasting(ms);
      device.primaryInputMode = 'controller';
    },
    'system menu': async (ms) => {
      device.updateVisibilityState('visible-blurred');
      await lasting(ms);
      device.updateVisibilityState('visible');
    },
    'hidden': async (ms) => {
      device.updateVisibilityState('hidden');
      await lasting(ms);
      device.updateVisibilityState('visible');
    },
    'out of sight': async (ms) => {
      for (const side of ['left', 'right']) operator.see(side, false);
      await lasting(ms);
      for (const side of ['left', 'right']) operator.see(side, true);
    },
    'controllers swapped': async () => {
      const [left, right] = [{ ...held.left }, { ...held.right }];
      operator.put('left', right);
      operator.put('right', left);
    },
    're-centred, told': async () => room(Math.PI / 2, [0, 0], true),
    're-centred, not told': async () => room(Math.PI / 2, [0, 0], false),
    'turned and shifted, not told': async () => room(-Math.PI / 3, [0.4, -0.3], false),
    'shifted, not told': async () => room(0, [0.5, 0.3], false),
    're-centred in the menu, not told': async (ms) => {
      device.updateVisibilityState('visible-blurred');
      await lasting(ms);
      room(Math.PI / 2, [0, 0], false);
      await lasting(ms / 2);
      device.updateVisibilityState('visible');
    },
  };

  let last = performance.now();
  let gaps = [];
  const watch = () => {
    gaps.push(performance.now() - last);
    last = performance.now();
    requestAnimationFrame(watch);
  };
  watch();

  window.operator = {
    /** The times between frames since this was last asked, ms. */
    gaps() {
      const found = gaps;
      gaps = [];
      return found;
    },
    device,
    /** Is the headset worn and are both hands there? Also makes their poses real ones. */
    ready() {
      if (!device.activeSession) return false;
      this.see('left', true);
      this.see('right', true);
      return true;
    },
    /** In sight or occluded: then the runtime makes the position up (emulatedPosition). */
    see(side, yes) {
      inside(hand(side).inputSource.gripSpace).emulated = !yes;
    },
    put(side, { p, q, trigger, grip }) {
      if (p) {
        held[side].p = p;
        put[side].push(p);
      }
      if (q) held[side].q = q;
      if (trigger !== undefined) hand(side).updateButtonValue('trigger', trigger);
      if (grip !== undefined) hand(side).updateButtonValue('squeeze', grip);
    },
    yaw: 0,
    faults: Object.keys(faults),
    /** Let one of the faults happen, movements end; resolves when it is over. */
    async fault(name, ms) {
      this.halted = true;
      await faults[name](ms);
      await frames(3);
    },
    /** Everywhere the hands were put since this was last asked; where they are now stays. */
    places() {
      const found = put;
      put = { left: [held.left.p], right: [held.right.p] };
      return found;
    },
    look(yaw) {
      this.yaw = yaw;
      device.quaternion.set(0, Math.sin(yaw / 2), 0, Math.cos(yaw / 2));
    },
    async press(side, key) {
      hand(side).updateButtonValue(key, 1);
      await frames(4);
      hand(side).updateButtonValue(key, 0);
      await frames(4);
    },
    async squeeze(side) {
      this.put(side, { grip: 0 });
      await frames(4);
      this.put(side, { grip: 1 });
      await frames(4);
    },
    /** Move by a vector, at most `step` metres a frame. */
    async glide(side, by, step = 0.006) {
      const begin = held[side].p;
      const count = Math.ceil(Math.hypot(...by) / step);
      for (let i = 1; i <= count; i++) {
        this.put(side, { p: begin.map((value, axis) => value + (by[axis] * i) / count) });
        await frame();
      }
      await frames(10);
    },
    /** Play both hands' poses, one a frame, while the board says engaged; `played` is then how many there were. */
    async play(poses) {
      this.played = null;
      this.halted = false;
      let i = 0;
      for (; i < poses.length && !this.halted && document.documentElement.dataset.state === 'engaged'; i++) {
        this.put('left', poses[i].left);
        this.put('right', poses[i].right);
        await frame();
      }
      this.played = i;
    },
    /** Is this button on the board? */
    offers: (name) => Boolean(document.querySelector(`#buttons [data-name=${name}]`)),
  };
}
