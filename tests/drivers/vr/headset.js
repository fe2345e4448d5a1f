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
      if (p) held[side].p = p;
      if (q) held[side].q = q;
      if (trigger !== undefined) hand(side).updateButtonValue('trigger', trigger);
      if (grip !== undefined) hand(side).updateButtonValue('squeeze', grip);
    },
    look(yaw) {
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
      let i = 0;
      for (; i < poses.length && document.documentElement.dataset.state === 'engaged'; i++) {
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
