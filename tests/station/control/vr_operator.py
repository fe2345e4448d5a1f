"""An operator with a headset: both hands, a clock, and the pilot as a test sets it."""

from math import cos, sin
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from drivers.dynamixel.models import VX300S_CHAIN
from station.bus.messages import ArmPilot, ArmState, Dimension, Hand, HandPose, PilotState, SourceName
from station.control.states import State
from station.control.vr_arms import ArmHand, RigSetpoint, VrArms
from station.kinematics.arm import Pose
from station.kinematics.chains import FRAME
from station.kinematics.models import chain_model
from station.kinematics.reach import Reach, Workspace

LOWER = (-3.14158, -1.85005, -1.76278, -3.14158, -1.8675, -3.14158)


UPPER = (3.14158, 1.25664, 1.6057, 3.14158, 2.23402, 3.14158)


DIMENSIONS = (
    *(Dimension(f"j{i}", "rad", low, high) for i, (low, high) in enumerate(zip(LOWER, UPPER, strict=True))),
    Dimension("gripper", "1", 0, 1, 2.11, True),
)


BENT = (0.0, -0.5, 0.8, 0.0, 0.4, 0.0, 0.5)


FRAME_NS = 14_000_000


LEVEL = (1.0, 0.0, 0.0, 0.0)


def yawed(yaw: float) -> tuple[float, float, float, float]:
    return (cos(yaw / 2), 0.0, 0.0, sin(yaw / 2))


class Operator:
    """Both hands, a clock, and the pilot as the test sets it."""

    def __init__(
        self, sides: tuple[str, ...] = ("left", "right"), scale: float = 1.0, start: tuple[float, ...] = BENT
    ) -> None:
        self.now_ns = 1_000_000_000
        self.arms = {}
        for side in sides:
            reach = Reach(
                chain_model(VX300S_CHAIN, LOWER, UPPER), FRAME, [3.14] * 6, Workspace((-2, -2, -2), (2, 2, 2))
            )
            self.arms[side] = ArmHand(f"follower_{side}", side, DIMENSIONS, reach, 3.14)
            zeros = (0.0,) * 7
            self.arms[side].heard_state(ArmState(start, zeros, zeros, 0.5, 0.0, True))
        self.core = VrArms(list(self.arms.values()), scale)
        self.hand: dict[str, Hand | None] = {
            side: Hand((0.2, 0.2, 1.2), LEVEL, trigger=0.5) for side in ("left", "right")
        }
        self.yaw: float | None = 0.0
        self.space = 0

    def pilot(self, state: State, source: SourceName = "vr", why: str = "") -> None:
        self.core.heard_pilot(PilotState(state, source, why, (ArmPilot("follower_left", True),)))

    def seen(self, side: str = "left") -> Hand:
        hand = self.hand[side]
        assert hand is not None
        return hand

    def place(self, side: str = "left") -> NDArray[np.float64]:
        """(3,) m."""
        position_m = self.seen(side).position_m
        assert position_m is not None
        return np.array(position_m)

    def set(self, side: str = "left", **changes: Any) -> None:
        self.hand[side] = msgspec.structs.replace(self.seen(side), **changes)

    def send(self, times: int = 1, late_ns: int = 0) -> RigSetpoint:
        for _ in range(times):
            self.now_ns += FRAME_NS
            pose = HandPose(self.hand["left"], self.hand["right"], self.yaw, self.space)
            setpoint = self.core.sample(pose, self.now_ns - late_ns, self.now_ns)
            assert setpoint is not None, "every arm was heard"
            self.setpoint = setpoint
        return self.setpoint

    def engaged(self) -> "Operator":
        self.pilot("idle", "none")
        self.send(2)
        self.pilot("aligning")
        self.send()
        self.pilot("engaged")
        self.send()
        return self

    def squeeze(self, side: str = "left") -> None:
        self.set(side, grip=0.0)
        self.send()
        self.set(side, grip=1.0)
        self.send()

    def move(self, by: tuple[float, float, float], side: str = "left", steps: int = 30) -> None:
        begin = self.place(side)
        for fraction in np.linspace(0, 1, steps + 1)[1:]:
            self.set(side, position_m=tuple(begin + fraction * np.array(by)))
            self.send()
        self.send(10)

    def gripper(self, side: str = "left") -> Pose:
        pose = self.arms[side].pose()
        assert pose is not None
        return pose
