// The operator in front of the emulated headset: hands that are moved, squeezed, lost and found by the tests.
{
  const device = new IWER.XRDevice(IWER[DEVICE]);
  device.installRuntime({ forceInstall: true });
  device.position.set(0, 1.6, 0);
  const hand = (side) => device.controllers[side];
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  const frames = async (count) => { for (let i = 0; i < count; i++) await frame(); };

  let last = performance.now();
  let longest = 0;
  const watch = () => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
    requestAnimationFrame(watch);
  };
  watch();

  window.operator = {
    /** The longest time between two frames since this was last asked, ms. */
    longest() {
      const found = longest;
      longest = 0;
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
      const space = hand(side).inputSource.gripSpace;
      for (const symbol of Object.getOwnPropertySymbols(space)) {
        if (space[symbol] && 'emulated' in space[symbol]) space[symbol].emulated = !yes;
      }
    },
    put(side, { p, q, trigger, grip }) {
      if (p) hand(side).position.set(...p);
      if (q) hand(side).quaternion.set(...q);
      if (trigger !== undefined) hand(side).updateButtonValue('trigger', trigger);
      if (grip !== undefined) hand(side).updateButtonValue('squeeze', grip);
    },
    where(side) {
      return hand(side).position.toArray ? [...hand(side).position.toArray()] : [...hand(side).position.vec3];
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
      const begin = this.where(side);
      const count = Math.ceil(Math.hypot(...by) / step);
      for (let i = 1; i <= count; i++) {
        this.put(side, { p: begin.map((value, axis) => value + (by[axis] * i) / count) });
        await frame();
      }
      await frames(10);
    },
    /** Play both hands' poses, one a frame, while the board says engaged; opens and squeezes again after a hold. */
    async play(poses) {
      const engaged = () => document.documentElement.dataset.state === 'engaged';
      for (let i = this.at ?? 0; i < poses.length; i++) {
        this.at = i;
        if (!engaged()) return i;
        this.put('left', poses[i].left);
        this.put('right', poses[i].right);
        await frame();
      }
      this.at = 0;
      return poses.length;
    },
  };
}
