// Draws the panels and the board as flat pictures in space, with the least WebGL that does it.

const VERTEX = `
attribute vec2 corner; uniform mat4 projection, view, model; varying vec2 uv;
void main() { uv = vec2(corner.x + .5, .5 - corner.y); gl_Position = projection * view * model * vec4(corner, 0., 1.); }`;
const FRAGMENT = `
precision mediump float; uniform sampler2D picture; varying vec2 uv;
void main() { gl_FragColor = texture2D(picture, uv); }`;

const DISTANCE_M = 1.3;
const PANEL_M = 0.72;

export class Scene {
  #gl;
  #program;
  #places = {};
  #textures = new Map();
  #origin = { x: 0, y: 1.4, z: 0, yaw: 0 };

  constructor(gl) {
    this.#gl = gl;
    this.#program = this.#compile();
    for (const name of ['projection', 'view', 'model']) this.#places[name] = gl.getUniformLocation(this.#program, name);
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([-0.5, -0.5, 0.5, -0.5, -0.5, 0.5, 0.5, 0.5]), gl.STATIC_DRAW);
    const corner = gl.getAttribLocation(this.#program, 'corner');
    gl.enableVertexAttribArray(corner);
    gl.vertexAttribPointer(corner, 2, gl.FLOAT, false, 0, 0);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA);
  }

  /** Put the panels where the operator faces now. */
  place({ position, orientation: q }) {
    const yaw = Math.atan2(2 * (q.w * q.y + q.x * q.z), 1 - 2 * (q.x * q.x + q.y * q.y));
    this.#origin = { x: position.x, y: position.y, z: position.z, yaw };
  }

  draw(layer, pose, board, panels) {
    const gl = this.#gl;
    gl.bindFramebuffer(gl.FRAMEBUFFER, layer.framebuffer);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.useProgram(this.#program);
    const at = places(panels);
    const pictures = [...panels.map((panel, index) => [panel, ...at[index]]), [board, 0, -0.42, 0.85]];
    for (const [picture] of pictures) this.#upload(picture);
    for (const view of pose.views) {
      const { x, y, width, height } = layer.getViewport(view);
      gl.viewport(x, y, width, height);
      gl.uniformMatrix4fv(this.#places.projection, false, view.projectionMatrix);
      gl.uniformMatrix4fv(this.#places.view, false, view.transform.inverse.matrix);
      for (const [picture, turn, up, width] of pictures) {
        gl.bindTexture(gl.TEXTURE_2D, this.#textures.get(picture.canvas).texture);
        gl.uniformMatrix4fv(this.#places.model, false, this.#model(turn, up, width, picture.canvas));
        gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
      }
    }
  }

  #model(turn, up, width, canvas) {
    const { x, y, z, yaw } = this.#origin;
    const angle = yaw + turn;
    const [s, c] = [Math.sin(angle), Math.cos(angle)];
    const height = (width * canvas.height) / canvas.width;
    return new Float32Array([
      width * c, 0, -width * s, 0,
      0, height, 0, 0,
      s, 0, c, 0,
      x - DISTANCE_M * s, y + up, z - DISTANCE_M * c, 1,
    ]);
  }

  #upload(picture) {
    const gl = this.#gl;
    let known = this.#textures.get(picture.canvas);
    if (!known) {
      known = { texture: gl.createTexture(), version: -1 };
      this.#textures.set(picture.canvas, known);
      gl.bindTexture(gl.TEXTURE_2D, known.texture);
      for (const side of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, side, gl.CLAMP_TO_EDGE);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
    }
    if (known.version === picture.version) return;
    known.version = picture.version;
    gl.bindTexture(gl.TEXTURE_2D, known.texture);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, picture.canvas);
  }

  #compile() {
    const gl = this.#gl;
    const program = gl.createProgram();
    for (const [kind, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program));
    return program;
  }
}

/** [turn, up, width] of each panel: left ones to the left, right ones to the right, the others ahead, one above the other. */
function places(panels) {
  const count = { left: 0, right: 0, ahead: 0 };
  return panels.map(({ name }) => {
    const side = ['left', 'right'].find((each) => name.includes(each)) ?? 'ahead';
    const nth = count[side]++;
    if (side === 'ahead') return [0, 0.1 + 0.56 * nth, PANEL_M];
    return [(side === 'left' ? 1 : -1) * (0.62 + 0.58 * nth), 0.1, PANEL_M];
  });
}
