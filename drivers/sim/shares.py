"""The physics state as each camera of the rig gets it, and the faults that can be put on a camera."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drivers.sim.requests import CameraFault, SetCameraFault
from drivers.sim.state_file import StateWriter
from station.clock import NS_PER_S
from station.errors import RequestRefused
from station.rig import Rig


class _Share:
    """One camera's state file."""

    def __init__(self, path: Path, count: int) -> None:
        self._path, self._count = path, count
        self._what: CameraFault = "none"
        self._period_ns = self._written_ns = 0
        path.parent.mkdir(parents=True, exist_ok=True)
        self._writer: StateWriter | None = StateWriter(path, count)

    def write(self, now_ns: int, qpos: NDArray[np.float64]) -> None:
        if self._writer is None or self._what == "freeze" or now_ns - self._written_ns < self._period_ns:
            return
        self._written_ns = now_ns
        self._writer.write(now_ns, qpos)

    def set_fault(self, what: CameraFault, value: float) -> None:
        self._period_ns = round(NS_PER_S / value) if what == "slow" else 0
        if what in ("drop", "refuse"):
            self.close()
        if what != "refuse" and self._writer is None:
            self._writer = StateWriter(self._path, self._count)  # a new file: who maps the old one sees it stand still
        self._what = what

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None


class Shares:
    """One state file per simulated camera, at the path its rig entry names as `source`."""

    def __init__(self, rig: Rig, count: int) -> None:
        self._shares = {
            node: _Share(Path(_settings(rig, node).source), count)
            for node in rig.cameras
            if hasattr(_settings(rig, node), "view")
        }

    def write(self, now_ns: int, qpos: NDArray[np.float64]) -> None:
        """Share the state at `now_ns`. (nq,)"""
        for share in self._shares.values():
            share.write(now_ns, qpos)

    def set_fault(self, request: SetCameraFault) -> None:
        """Do it. Raises RequestRefused for a camera that does not exist, or a rate of 0."""
        share = self._shares.get(request.camera)
        if share is None:
            raise RequestRefused(f"no camera {request.camera}; there are {', '.join(self._shares)}")
        if request.what == "slow" and not request.value > 0:
            raise RequestRefused("slow needs a value: pictures a second, above 0")
        share.set_fault(request.what, request.value)

    def close(self) -> None:
        """Take all files away."""
        for share in self._shares.values():
            share.close()


def _settings(rig: Rig, node: str) -> Any:
    return rig.device(node).settings
