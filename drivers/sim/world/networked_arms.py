"""What a simulated controller on the network and its gripper move: an arm in the physics of a scene. The physics thread calls `update`,
the controller's thread the rest.
"""

from collections.abc import Sequence

from drivers.sim.network.joints import Moved
from drivers.sim.world.pick_scene import PickScene
from drivers.sim.world.scene import JointState
from station.clock import NS_PER_S, Clock

_FINGERS_PER_S = 1.8
"""From end to end in 0.55 s at full speed."""


class SceneArm:
    """Its joints in the scene."""

    def __init__(self, scene: PickScene, side: str, clock: Clock, horizon_ns: int, effort_per_nm: float) -> None:
        """`horizon_ns`: how far past the last physics step a reading may be extrapolated; `effort_per_nm`: what its controller tells."""
        self._scene, self._side, self._clock, self._horizon_ns = scene, side, clock, horizon_ns
        self._effort_per_nm = effort_per_nm
        self._now: tuple[int, JointState, tuple[float, ...]] = clock(), scene.joints(side), scene.torques_nm(side)

    def update(self, time_ns: int) -> None:
        """Physics has come to `time_ns`."""
        self._now = time_ns, self._scene.joints(self._side), self._scene.torques_nm(self._side)

    def joints(self) -> Moved:
        """Just now: the physics goes in steps."""
        at_ns, state, torques_nm = self._now
        ahead_s = min(max(0, self._clock() - at_ns), self._horizon_ns) / NS_PER_S
        moving = zip(state.position_rad[:-1], state.velocity_rad_s[:-1], strict=True)
        return Moved(
            tuple(position + velocity * ahead_s for position, velocity in moving), state.velocity_rad_s[:-1],
            tuple(self._effort_per_nm * torque for torque in torques_nm),
        )  # fmt: skip

    def drive(self, target_rad: Sequence[float] | None, dt_s: float) -> None:  # noqa: ARG002
        """Its motors follow; with brakes on they stay at what they followed last."""
        for joint, target in enumerate(target_rad or ()):
            self._scene.set_goal(self._side, joint, target)

    def opening(self) -> float:
        """The gripper's, 0 closed to 1 open."""
        return self._now[1].position_rad[-1]


class SceneFingers:
    """The gripper on that arm."""

    def __init__(self, scene: PickScene, side: str, arm: SceneArm, cycle_s: float) -> None:
        """`cycle_s`: how often its controller drives it."""
        self._scene, self._side, self._arm, self._step = scene, side, arm, _FINGERS_PER_S * cycle_s
        self._asked, self.object_opening = 1.0, -1.0

    def opening(self) -> float:
        """Just now."""
        return min(1.0, max(0.0, self._arm.opening()))

    def drive(self, opening: float, speed: float, force: float) -> None:
        """A goal that moves no faster than asked; the physics decides whether the fingers can follow."""
        step = self._step * max(0.1, speed)
        self._asked += max(-step, min(step, max(opening, self.object_opening) - self._asked))
        self._scene.set_goal(self._side, -1, self._asked)
        self._scene.set_force(self._side, force)
