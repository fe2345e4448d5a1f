"""The controllers that a simulated world runs for its arms on the network, each at its own loopback address."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from drivers.sim.ur import pendant
from drivers.sim.ur.stand_in import StandIn
from drivers.sim.world.requests import PressPendant
from drivers.sim.world.ur_arms import SceneArm, SceneFingers
from station.bus.requests import Done, Refused, Reply
from station.clock import Clock
from station.errors import RigError
from station.rig.rig import Device, Rig


class Controllers:
    """By their arm's node."""

    def __init__(self, rig: Rig, scene: Any, sides: tuple[str, ...], clock: Clock, horizon_ns: int) -> None:
        """`horizon_ns`: how far past the last physics step a reading may be extrapolated."""
        self._rig, self._scene, self._sides, self._clock, self._horizon_ns = rig, scene, sides, clock, horizon_ns
        self._running: dict[str, StandIn] = {}
        self.arms: list[SceneArm] = []
        """What they move."""

    @contextmanager
    def running(self) -> Iterator[None]:
        """From start to stop. Raises RigError for an arm that the scene does not have, OSError where an address is not to be had."""
        try:
            for device in self._rig.devices:
                if device.is_arm and device.simulated and device.networked:
                    self._running[device.node] = self._started(device)
            yield
        finally:
            for controller in self._running.values():
                controller.stop()

    def _started(self, device: Device) -> StandIn:
        model, key = getattr(device.settings, "model", None), f"arms.{device.side}.{device.role}"
        if model != "ur5e" or device.role != "follower" or not hasattr(self._scene, "set_force"):
            raise RigError(
                self._rig.file,
                f"{key}.model",
                f"{model}",
                "the scene `pick` has one ur5e, a follower; no other has one",
            )
        arm = SceneArm(self._scene, device.side, self._clock, self._horizon_ns)
        self.arms.append(arm)
        fingers = SceneFingers(self._scene, arm) if device.settings.gripper.kind != "none" else None
        controller = StandIn(device.settings.address, arm, fingers, self._clock)
        controller.start()
        return controller

    def press(self, request: PressPendant) -> Reply:
        """Do what somebody does at an arm's pendant."""
        controller = self._running.get(request.arm)
        if controller is None:
            return Refused(f"no arm {request.arm} on the network; there are {', '.join(self._running) or 'none'}")
        wrong = pendant.press(controller, request.what, request.value, self._clock())
        return Refused(wrong) if wrong else Done()
