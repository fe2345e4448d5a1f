"""Drawing the scene into memory by EGL, on the processor where there is no GPU.

MuJoCo's `Renderer` picks its platform from the environment when `mujoco` is first imported; this asks for EGL outright,
so it draws without a display whoever imported MuJoCo before. Shadows, reflections, sky and multisampling are off.
"""

import os
from typing import Any

os.environ.setdefault("LP_NUM_THREADS", "0")  # llvmpipe in the calling thread: four cameras share few cores as it is

import cv2
import mujoco
import mujoco.egl
import numpy as np
from numpy.typing import NDArray
from OpenGL import EGL

from drivers.sim.world import board, stages
from drivers.sim.world.shares import NO_BOARD, WELL

_OFF = (mujoco.mjtRndFlag.mjRND_SHADOW, mujoco.mjtRndFlag.mjRND_REFLECTION, mujoco.mjtRndFlag.mjRND_SKYBOX)
_QUALITY = 90
_CELL_M = 0.004
"""Mesh detail below this is left out: without a GPU a picture's cost is its 60 000 triangles."""


class View:
    """One picture size. Bound to no thread: the context is let go of after every call."""

    def __init__(self, width: int, height: int, scene: str = "handover") -> None:
        self._model = stages.model(scene)
        _coarsen(self._model)
        self._model.vis.global_.offwidth, self._model.vis.global_.offheight = width, height
        self._data = mujoco.MjData(self._model)
        self._scene = mujoco.MjvScene(self._model, maxgeom=200)
        for flag in _OFF:
            self._scene.flags[flag] = False
        self._option, self._camera = mujoco.MjvOption(), mujoco.MjvCamera()
        self._camera.type = mujoco.mjtCamera.mjCAMERA_FIXED
        self._rectangle = mujoco.MjrRect(0, 0, width, height)
        self._rgb = np.empty((height, width, 3), np.uint8)
        self._gl: Any = mujoco.egl.GLContext(width, height)
        self._gl.make_current()
        self._context = mujoco.MjrContext(self._model, mujoco.mjtFontScale.mjFONTSCALE_100)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._context)
        self._release()
        self.names: tuple[str, ...] = tuple(self._model.camera(i).name for i in range(self._model.ncam))

    def extras(self, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
        """What follows the positions (nq,) in a share: what ails the camera (`shares.OPTICS`), a board (`shares.NO_BOARD`)."""
        return numbers[self._model.nq :] if len(numbers) > self._model.nq else np.array((*WELL, *NO_BOARD))

    def draw(self, name: str, numbers: NDArray[np.float64], defocus_px: float = 0.0) -> bytes:
        """The scene from camera `name`, as JPEG: positions (nq,), then optionally the extras. `defocus_px`: σ of its lens."""
        self._data.qpos[:] = numbers[: self._model.nq]
        extras = self.extras(numbers)
        optics = extras[: len(WELL)]
        board.show(self._model, self._data, extras[len(WELL) :])
        mujoco.mj_kinematics(self._model, self._data)
        mujoco.mj_camlight(self._model, self._data)
        self._camera.fixedcamid = int(optics[4]) - 1 if optics[4] else self.names.index(name)
        self._misplace(self._camera.fixedcamid, optics[0] / 1000, np.radians(optics[1]))
        mujoco.mjv_updateScene(
            self._model, self._data, self._option, None, self._camera, mujoco.mjtCatBit.mjCAT_ALL, self._scene
        )
        self._gl.make_current()
        try:
            mujoco.mjr_render(self._rectangle, self._scene, self._context)
            mujoco.mjr_readPixels(self._rgb, None, self._rectangle, self._context)
        finally:
            self._release()
        upright = cv2.flip(cv2.cvtColor(self._rgb, cv2.COLOR_RGB2BGR), 0)  # OpenGL counts rows from below
        if blur_px := float(np.hypot(optics[2], defocus_px)):
            upright = cv2.GaussianBlur(upright, (0, 0), blur_px)
        if optics[3] != 1.0:
            upright = cv2.convertScaleAbs(upright, alpha=optics[3])
        return cv2.imencode(".jpg", upright, (cv2.IMWRITE_JPEG_QUALITY, _QUALITY))[1].tobytes()

    def _misplace(self, camera: int, right_m: float, turn_rad: float) -> None:
        """Put a camera beside its place, to its own right, and turn it about its own vertical."""
        looks = self._data.cam_xmat[camera].reshape(3, 3).copy()
        cosine, sine = np.cos(turn_rad), np.sin(turn_rad)
        turn = np.array([[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]])
        self._data.cam_xpos[camera] += right_m * looks[:, 0]
        self._data.cam_xmat[camera] = (looks @ turn).ravel()

    def close(self) -> None:
        """Free the context."""
        if self._gl is None:
            return
        self._gl.make_current()
        self._context.free()
        self._release()
        self._gl.free()
        self._gl = None

    def _release(self) -> None:
        EGL.eglMakeCurrent(mujoco.egl.EGL_DISPLAY, EGL.EGL_NO_SURFACE, EGL.EGL_NO_SURFACE, EGL.EGL_NO_CONTEXT)


def _coarsen(model: Any) -> None:
    """Merge mesh vertices that share a cell, in place, and drop triangles that vanish. Hulls are left as they are."""
    for mesh in range(model.nmesh):
        begin, count = model.mesh_faceadr[mesh], model.mesh_facenum[mesh]
        first, vertices = model.mesh_vertadr[mesh], model.mesh_vertnum[mesh]
        cells = np.round(model.mesh_vert[first : first + vertices] / _CELL_M).astype(np.int64)
        _, chosen, cell = np.unique(cells, axis=0, return_index=True, return_inverse=True)
        faces = chosen[cell.ravel()][model.mesh_face[begin : begin + count]]
        a, b, c = faces.T
        kept = np.flatnonzero((a != b) & (b != c) & (a != c))
        if len(kept):
            model.mesh_face[begin : begin + len(kept)] = faces[kept]
            model.mesh_facenormal[begin : begin + len(kept)] = model.mesh_facenormal[begin + kept]
            model.mesh_facenum[mesh] = len(kept)
