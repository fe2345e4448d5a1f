// A phone has no controllers: the phone itself is the hand, its screen the grip and the trigger.

export class Phone {
  #held = false;
  #aims = false;
  side = 'right';
  touched = false;

  constructor(leave) {
    const move = document.getElementById('move');
    const set = (held) => (event) => { event.preventDefault(); this.#held = held; this.touched = true; };
    move.onpointerdown = set(true);
    for (const name of ['onpointerup', 'onpointercancel', 'onpointerleave']) move[name] = set(false);
    document.getElementById('aim').onclick = () => { this.#aims = true; };
    document.getElementById('side').onclick = (event) => {
      this.#held = false;
      this.side = this.side === 'right' ? 'left' : 'right';
      event.target.textContent = this.side;
    };
    document.getElementById('leave').onclick = leave;
    // a touch on a control must not also be a touch in the world
    document.getElementById('overlay').addEventListener('beforexrselect', (event) => event.preventDefault());
  }

  /** The hand, given the phone's own {p, q}. */
  hand(pose) {
    const pressed = this.#aims;
    this.#aims = false;
    const trigger = Number(document.getElementById('trigger').value);
    return { ...pose, grip: Number(this.#held), trigger, stick: [0, 0], pressed, a: false, b: false };
  }
}
