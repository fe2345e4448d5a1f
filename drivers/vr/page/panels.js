// Camera panels: each its own canvas with the newest picture, the camera's name and how old the picture is.

const STALE_MS = 500;
const BAR = 28;

export class Panels {
  #link;
  #panels = new Map();

  constructor(link) {
    this.#link = link;
    link.addEventListener('picture', (event) => this.#take(event.detail));
    setInterval(() => this.#panels.forEach((panel) => this.#draw(panel)), 250);
  }

  /** {name, canvas, version} of each panel, by name; the version rises when the canvas changes. */
  get all() {
    return [...this.#panels.values()];
  }

  async #take({ panel: name, t, jpeg }) {
    const panel = this.#panels.get(name) ?? this.#add(name);
    try {
      const bitmap = await createImageBitmap(jpeg);
      panel.bitmap?.close();
      Object.assign(panel, { bitmap, t });
      this.#draw(panel);
    } catch {
      // a picture that cannot be decoded is not shown; the age of the one before says so
    }
    this.#link.displayed(name);
  }

  #add(name) {
    const canvas = document.createElement('canvas');
    canvas.dataset.panel = name;
    const panel = { name, canvas, version: 0, bitmap: null, t: null };
    const sorted = [...this.#panels.values(), panel].sort((one, other) => (one.name < other.name ? -1 : 1));
    this.#panels = new Map(sorted.map((each) => [each.name, each]));
    document.getElementById('panels').replaceChildren(...sorted.map((each) => each.canvas));
    return panel;
  }

  #draw(panel) {
    const { canvas, bitmap, name, t } = panel;
    if (!bitmap) return;
    if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) {
      canvas.width = bitmap.width;
      canvas.height = bitmap.height;
    }
    const age = t === null ? null : Math.max(0, performance.now() - t);
    const stale = age === null || age > STALE_MS;
    const c = canvas.getContext('2d');
    c.drawImage(bitmap, 0, 0);
    c.fillStyle = stale ? '#b3261ee0' : '#14171ac0';
    c.fillRect(0, canvas.height - BAR, canvas.width, BAR);
    c.fillStyle = '#e8eaed';
    c.font = '20px sans-serif';
    c.fillText(`${name}   ${words(age)}`, 8, canvas.height - 8);
    canvas.dataset.ageMs = age === null ? '' : String(Math.round(age));
    panel.version++;
  }
}

function words(age) {
  if (age === null) return 'age unknown';
  return age < 1000 ? `${Math.round(age / 10) * 10} ms old` : `${(age / 1000).toFixed(1)} s old`;
}
