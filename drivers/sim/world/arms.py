"""What moves the shafts of ALOHA's arms in a simulated world: physics for followers, a hand for leaders."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from drivers.sim.servos.servo import ServoSpec
from drivers.sim.world.scene import JointState, Scene
from station.clock import NS_PER_S, Clock

JOINT_OF_SERVO = {1: 0, 2: 1, 4: 2, 6: 3, 7: 4, 8: 5, 9: 6}
"""Servo ID → index among the six joints and the gripper. Shadows (3, 5) share their primary's shaft."""

Hand = Callable[[int], Sequence[float]]
"""Where a hand wants a leader's seven shafts at a time (ns), in the joints' frame, rad."""

LEADER_GRIPPER_RAD = {"aloha1": (-0.6842, 0.3083), "mobile": (-1.65, -0.8), "aloha2": (-0.0552, 0.8298)}
"""ALOHA's leader gripper servo, closed and open, per generation (MASTER_GRIPPER_JOINT_CLOSE, _OPEN)."""

_SAME_INSTANT_NS = 300_000
_SPEED_RAD_S = 6.0
"""A hand, and a servo without a profile, are no faster."""


def horn_signs(servos: Sequence[ServoSpec]) -> dict[int, float]:
    """Horn angle per joint angle: the joint's frame is the servo's own, Drive Mode turns it round."""
    return {spec.id: -1.0 if spec.registers.get("Drive Mode", 0) & 1 else 1.0 for spec in servos}


class _Snapshot(NamedTuple):
    time_ns: int
    joints: JointState


class FollowerPlant:
    """A follower in the scene. The physics thread calls `update`, the bus thread the rest."""

    def __init__(self, scene: Scene, side: str, servos: Sequence[ServoSpec], clock: Clock, horizon_ns: int) -> None:
        """`horizon_ns`: how far past the last physics step a reading may be extrapolated."""
        self._scene, self._side, self._sign, self._clock, self._horizon_ns = (
            scene,
            side,
            horn_signs(servos),
            clock,
            horizon_ns,
        )
        self._now = _Snapshot(clock(), scene.joints(side))
        self._before = self._now

    def update(self, time_ns: int) -> None:
        """Physics has come to `time_ns`."""
        self._before, self._now = self._now, _Snapshot(time_ns, self._scene.joints(self._side))

    def present_rad(self, servo_id: int, at_ns: int | None = None) -> tuple[float, float, float]:
        """Position at that moment (the physics goes in steps), velocity, current."""
        at_ns, joint, sign = self._clock() if at_ns is None else at_ns, JOINT_OF_SERVO[servo_id], self._sign[servo_id]
        now, before = self._now, self._before
        snapshot = before if at_ns < now.time_ns else now
        velocity = snapshot.joints.velocity_rad_s[joint]
        ahead_s = min(max(0, at_ns - snapshot.time_ns), self._horizon_ns) / NS_PER_S
        return (
            sign * (snapshot.joints.position_rad[joint] + velocity * ahead_s),
            sign * velocity,
            sign * snapshot.joints.current_ma[joint],
        )

    def drive(self, servo_id: int, torque: bool, goal_rad: float | None, current_limit_ma: float | None) -> None:
        """Hand the goal to the physics."""
        joint = JOINT_OF_SERVO[servo_id]
        self._scene.set_goal(
            self._side, joint, None if goal_rad is None or not torque else self._sign[servo_id] * goal_rad
        )
        if joint == 6:
            self._scene.set_current_limit(self._side, current_limit_ma)


class LeaderPlant:
    """A leader: a hand moves its shafts while they are limp; with torque they go to their goals."""

    def __init__(
        self, servos: Sequence[ServoSpec], hand: Hand, clock: Clock, joint_of_servo: Mapping[int, int] = JOINT_OF_SERVO
    ) -> None:
        self._sign, self._hand, self._clock, self._joint = horn_signs(servos), hand, clock, joint_of_servo
        self._at_ns = clock()
        self._position = list(hand(self._at_ns))
        self._velocity = [0.0] * len(self._position)
        self._goal: list[float | None] = [None] * len(self._position)

    def present_rad(self, servo_id: int, at_ns: int | None = None) -> tuple[float, float, float]:
        """Where the hand (or the goal) had it then."""
        self._advance(at_ns)
        joint, sign = self._joint[servo_id], self._sign[servo_id]
        return sign * self._position[joint], sign * self._velocity[joint], 0.0

    def drive(self, servo_id: int, torque: bool, goal_rad: float | None, current_limit_ma: float | None) -> None:  # noqa: ARG002
        """With torque, the shaft goes where the servo asks."""
        self._advance()
        self._goal[self._joint[servo_id]] = None if goal_rad is None or not torque else self._sign[servo_id] * goal_rad

    def _advance(self, at_ns: int | None = None) -> None:
        now_ns = self._clock() if at_ns is None else at_ns
        elapsed_ns = now_ns - self._at_ns
        if elapsed_ns < _SAME_INSTANT_NS:  # one sync read asks servo by servo
            return
        self._at_ns = now_ns
        wanted = self._hand(now_ns)
        for joint, goal in enumerate(self._goal):
            most = _SPEED_RAD_S * elapsed_ns / NS_PER_S
            step = (wanted[joint] if goal is None else goal) - self._position[joint]
            step = min(most, max(-most, step))
            self._position[joint] += step
            self._velocity[joint] = step * NS_PER_S / elapsed_ns


def leader_shafts(setpoint: Sequence[float], generation: str) -> list[float]:
    """A hand's setpoint (six joints, gripper 0…1) as the leader's shafts, rad. (7,)"""
    closed, opened = LEADER_GRIPPER_RAD[generation]
    return [*setpoint[:6], closed + setpoint[6] * (opened - closed)]


def gello_shafts(
    setpoint: Sequence[float], offsets_rad: Sequence[float], signs: Sequence[int], trigger: tuple[float, float]
) -> list[float]:
    """A hand's setpoint as the shafts of a GELLO, rad: angle = offset + sign · joint; its `trigger` closed and open. (D,)

    A GELLO's angles count from tick 0, a shaft's from the middle of its turn.
    """
    *joints, gripper = setpoint
    closed, opened = trigger
    angles = [offset + sign * joint for joint, offset, sign in zip(joints, offsets_rad, signs, strict=True)]
    return [angle - math.pi for angle in (*angles, closed + gripper * (opened - closed))]
