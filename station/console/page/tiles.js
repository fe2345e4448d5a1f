// Cameras: the newest picture of each on its canvas; an older one that is still being decoded never overtakes it.

export class Tiles {
  constructor() {
    this.pictures = new Map(); // camera's place → {ageMs, at, number}
    this.canvases = new Map();
    this.number = 0;
  }

  /** lit-html's ref, without its directive: called with the canvas when it is there. */
  attach(place, canvas) {
    this.canvases.set(place, canvas);
  }

  async take(place, ageMs, blob) {
    const number = ++this.number, at = performance.now();
    let bitmap;
    try {
      bitmap = await createImageBitmap(blob);
    } catch {
      return; // no picture: the tile's age goes on rising, and says so
    }
    const last = this.pictures.get(place), canvas = this.canvases.get(place);
    if (!canvas || (last && last.number > number)) return bitmap.close();
    this.pictures.set(place, { ageMs, at, number });
    if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) {
      canvas.width = bitmap.width;
      canvas.height = bitmap.height;
    }
    canvas.getContext('2d').drawImage(bitmap, 0, 0);
    bitmap.close();
  }
}
