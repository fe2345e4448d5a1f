"""The physics state as each camera of the rig gets it, and the faults that can be put on a camera."""

from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drivers.sim.world.requests import CameraFault, SetCameraFault, ShowBoard
from drivers.sim.world.state_file import StateWriter
from station.clock import NS_PER_MS, NS_PER_S
from station.errors import RequestRefused
from station.rig.rig import Rig

OPTICS: dict[CameraFault, int] = {"move": 0, "turn": 1, "blur": 2, "dark": 3, "swap": 4, "focus": 5}
"""Numbers that follow the physics state: mm to the right, degrees about the vertical, σ px, times the light, the view
shown instead of its own (counted from 1), and what another program has set the focus to (below 0: nobody has).
"""
WELL = (0.0, 0.0, 0.0, 1.0, 0.0, -1.0)
"""Nothing ails the camera."""
NO_BOARD = (0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0)
"""Numbers that follow these: a board's x y z (m), quaternion w x y z, and a square's side (m), 0 where there is none."""
EXTRAS = len(WELL) + len(NO_BOARD)


class _Share:
    """One camera's state file."""

    def __init__(self, path: Path, count: int, scene: str) -> None:
        self._path, self._count, self._scene = path, count + EXTRAS, scene
        self._optics = np.array(WELL)
        self._late_ns = 0
        self._held: deque[tuple[int, NDArray[np.float64]]] = deque()
        self._what: CameraFault = "none"
        self._period_ns = self._written_ns = 0
        path.parent.mkdir(parents=True, exist_ok=True)
        self._writer: StateWriter | None = StateWriter(path, self._count, scene)

    def write(self, now_ns: int, qpos: NDArray[np.float64], board: NDArray[np.float64]) -> None:
        if self._writer is None or self._what == "freeze" or now_ns - self._written_ns < self._period_ns:
            return
        self._written_ns = now_ns
        self._held.append((now_ns, qpos.copy()))
        while len(self._held) > 1 and self._held[1][0] <= now_ns - self._late_ns:
            self._held.popleft()
        self._writer.write(now_ns, np.concatenate((self._held[0][1], self._optics, board)))

    def set_fault(self, what: CameraFault, value: float) -> None:
        self._period_ns = round(NS_PER_S / value) if what == "slow" else 0
        if what in ("drop", "refuse"):
            self.close()
        if what != "refuse" and self._writer is None:
            self._writer = StateWriter(
                self._path, self._count, self._scene
            )  # a new file: who maps the old one sees it stand still
        self._late_ns = round(value * NS_PER_MS) if what == "late" else 0
        self._optics = np.array(WELL)
        if what in OPTICS:
            self._optics[OPTICS[what]] = value
        self._what = what

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None


class Shares:
    """One state file per simulated camera, at the path its rig entry names as `source`."""

    def __init__(self, rig: Rig, count: int, views: Sequence[str], scene: str = "handover") -> None:
        """`count`: numbers in the physics state of that `scene`. `views`: the scene's cameras, in its order."""
        self._rig, self._views = rig, tuple(views)
        self._board = np.array(NO_BOARD)
        self._shares = {
            node: _Share(Path(_settings(rig, node).source), count, scene)
            for node in rig.cameras
            if hasattr(_settings(rig, node), "view")
        }

    def write(self, now_ns: int, qpos: NDArray[np.float64]) -> None:
        """Share the state at `now_ns`. (nq,)"""
        for share in self._shares.values():
            share.write(now_ns, qpos, self._board)

    def set_fault(self, request: SetCameraFault) -> None:
        """Do it. Raises RequestRefused for a camera that does not exist, or a rate of 0."""
        share = self._shares.get(request.camera)
        if share is None:
            raise RequestRefused(f"no camera {request.camera}; there are {', '.join(self._shares)}")
        if request.what == "slow" and not request.value > 0:
            raise RequestRefused("slow needs a value: pictures a second, above 0")
        share.set_fault(request.what, self._view_of(request.other) if request.what == "swap" else request.value)

    def show_board(self, request: ShowBoard) -> None:
        """To every camera, from now on."""
        self._board = np.array((*request.xyz_m, *request.quaternion_wxyz, request.square_m))

    def _view_of(self, camera: str) -> float:
        if camera not in self._shares:
            raise RequestRefused(f"swap needs the other camera; there are {', '.join(self._shares)}")
        return 1.0 + self._views.index(_settings(self._rig, camera).view)

    def close(self) -> None:
        """Take all files away."""
        for share in self._shares.values():
            share.close()


def _settings(rig: Rig, node: str) -> Any:
    return rig.device(node).settings
