"""The controllers that a simulated world runs for its arms on the network, each at its own loopback address."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from drivers.sim.franka import stand_in as franka
from drivers.sim.network.joints import Arm, Fingers, FreeArm, FreeFingers, Logged
from drivers.sim.ur import alone as ur_alone
from drivers.sim.ur import stand_in as ur
from drivers.sim.world import stages
from drivers.sim.world.networked_arms import SceneArm, SceneFingers
from drivers.sim.world.requests import PressPendant
from drivers.sim.xarm import alone as xarm_alone
from drivers.sim.xarm import stand_in as xarm
from station.bus.requests import Done, Refused, Reply, SaveTruth
from station.clock import NS_PER_S, Clock
from station.errors import RigError
from station.rig.rig import Device, Rig


class Running(Protocol):
    """A controller that runs: one of ours (`StandIn`), or somebody else's."""

    def start(self) -> None:
        """Listen and run. OSError where the address is not to be had."""

    def stop(self) -> None:
        """Over."""

    def press(self, what: str, value: float, now_ns: int) -> str:
        """What people do beside it. "" or what is wrong with it."""

    def log(self, since_ns: int) -> list[Logged]:
        """What has happened to its arm since then, the oldest first. `q`: where the joints were."""


class Make(NamedTuple):
    """Whose controller it is."""

    controller: Callable[[Any, Arm, Fingers | None, Clock], Running]
    start_rad: tuple[float, ...]
    """Where an arm stands to which nothing has happened yet."""
    effort_per_nm: float
    """What it tells of a joint's torque: N·m, or what a motor takes for it. Real constants are the maker's; 0.1 A/N·m will do."""
    rate_hz: float


MAKES = {
    "ur5e": Make(lambda s, arm, fingers, clock: ur.UR(s.address, arm, fingers, clock), ur_alone.START_RAD, 0.1, ur.RATE_HZ),
    "xarm7": Make(
        lambda s, arm, fingers, clock: xarm.XArm(
            s.address, arm, fingers, clock, command_port=s.command_port, robotiq=s.gripper.kind.startswith("robotiq")
        ),
        xarm_alone.START_RAD[7], 1.0, xarm.RATE_HZ,
    ),
    "fr3": Make(lambda s, arm, fingers, _: franka.FrankySim(s.address, arm, fingers), franka.START_RAD, 1.0, franka.TOLD_HZ),
}  # fmt: skip
"""By the arm's model."""


class Bodies(Protocol):
    """What the controllers of a world move."""

    def of(self, device: Device, make: Make) -> tuple[Arm, Fingers | None]:
        """That follower's joints, and its gripper's fingers if it has one. Raises RigError for one that the world does not have."""


class SceneBodies:
    """Arms in the physics of a scene."""

    def __init__(self, rig: Rig, scene: Any, clock: Clock, horizon_ns: int) -> None:
        """`horizon_ns`: how far past the last physics step a reading may be extrapolated."""
        self._rig, self._scene, self._clock, self._horizon_ns = rig, scene, clock, horizon_ns
        self.arms: list[SceneArm] = []
        """All that were asked for."""

    def of(self, device: Device, make: Make) -> tuple[Arm, Fingers | None]:
        """See `Bodies`."""
        settings, robot = device.settings, getattr(self._scene, "robot", None)
        if robot is None or robot.name != settings.model or device.role != "follower":
            of = {scene: found.name for scene in stages.SCENES if (found := stages.robot(scene)) is not None}
            said = ", ".join(f"{scene} has one {name}" for scene, name in of.items())
            raise RigError(
                self._rig.file, f"arms.{device.side}.{device.role}.model", f"{settings.model}",
                f"its world's scene has it not: {said}, a follower",
            )  # fmt: skip
        arm = SceneArm(self._scene, device.side, self._clock, self._horizon_ns, make.effort_per_nm)
        self.arms.append(arm)
        gripped = settings.gripper.kind != "none"
        return arm, SceneFingers(self._scene, device.side, arm, 1 / make.rate_hz) if gripped else None


class FreeBodies:
    """Arms with nothing in their way, where their controllers switch them on."""

    def of(self, device: Device, make: Make) -> tuple[Arm, Fingers | None]:
        """See `Bodies`."""
        return FreeArm(make.start_rad), FreeFingers() if device.settings.gripper.kind != "none" else None


class Controllers:
    """By their arm's node."""

    def __init__(self, rig: Rig, bodies: Bodies, clock: Clock) -> None:
        self._rig, self._bodies, self._clock = rig, bodies, clock
        self._running: dict[str, Running] = {}

    @contextmanager
    def running(self) -> Iterator[None]:
        """From start to stop. Raises RigError for an arm that the world does not have, OSError where an address is not to be had."""
        try:
            for device in self._rig.devices:
                if device.is_arm and device.simulated and device.networked:
                    self._running[device.node] = self._made(device)
            if self._running:
                with ThreadPoolExecutor(len(self._running)) as pool:  # one that is a program of its own takes seconds
                    list(pool.map(lambda controller: controller.start(), self._running.values()))
            yield
        finally:
            for controller in self._running.values():
                controller.stop()

    def _made(self, device: Device) -> Running:
        make = MAKES.get(str(getattr(device.settings, "model", "")))
        if make is None or device.role != "follower":
            raise RigError(
                self._rig.file, f"arms.{device.side}.{device.role}.model", f"{device.settings.model}",
                f"a simulated world has controllers of {', '.join(MAKES)}, which follow",
            )  # fmt: skip
        arm, fingers = self._bodies.of(device, make)
        return make.controller(device.settings, arm, fingers, self._clock)

    def truth(self, since_ns: int) -> dict[str, NDArray[Any]]:
        """What the controllers' own logs say (`SaveTruth`)."""
        arrays: dict[str, NDArray[Any]] = {}
        for node, controller in self._running.items():
            log = controller.log(since_ns)
            track = [entry for entry in log if entry.what == "q"]
            events = [entry for entry in log if entry.what != "q"]
            arrays[f"{node}_t_ns"] = np.array([entry.at_ns for entry in track], np.int64)
            arrays[f"{node}_rad"] = np.array([entry.numbers for entry in track], np.float64)
            arrays[f"{node}_event_ns"] = np.array([entry.at_ns for entry in events], np.int64)
            arrays[f"{node}_event"] = np.array([entry.what for entry in events], np.str_)
        return arrays

    def save_truth(self, request: SaveTruth) -> Reply:
        """Write it."""
        truth = self.truth(self._clock() - round(request.seconds * NS_PER_S))
        try:
            with Path(request.path).open("wb") as file:
                np.savez(file, **truth)  # type: ignore[arg-type]
        except OSError as error:
            return Refused(f"{request.path} cannot be written: {error}")
        return Done(request.path)

    def press(self, request: PressPendant) -> Reply:
        """Do what somebody does at an arm's pendant."""
        controller = self._running.get(request.arm)
        if controller is None:
            return Refused(f"no arm {request.arm} on the network; there are {', '.join(self._running) or 'none'}")
        wrong = controller.press(request.what, request.value, self._clock())
        return Refused(wrong) if wrong else Done()
