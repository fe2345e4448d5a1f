"""One hand's clutch: hold the grip to move, let go to stop. Pure; times are the samples' own.

A hand that is lost, or that jumps, lets go by itself, and moves again only after the operator has opened and squeezed
the grip anew: whatever the controller did meanwhile, the arm starts from where it is. Opened is what was seen open: a
controller that is not there, or whose place is not known, has not been let go of.
"""

from typing import NamedTuple

import mink
import numpy as np
from numpy.typing import NDArray

from station.bus.messages import Hand
from station.clock import NS_PER_MS
from station.kinematics.arm import Pose

Vector = NDArray[np.float64]

SQUEEZED, OPENED = 0.7, 0.3
"""The grip closes the clutch above the one and opens it below the other."""
JUMP_M, JUMP_RAD = 0.06, np.radians(25)
"""Between two samples of a tracked hand; more is a tracking error."""
WAKES_NS = 50 * NS_PER_MS
"""A controller that has just come (back) may not know its buttons yet: this long its open grip says nothing."""
ABSENT = "no controller"
"""Why: asleep, put down, or taken away by the system's menu."""
STALE_NS = 100 * NS_PER_MS
"""Samples further apart than this are not neighbours: the link was lost between them (the rig's `stale_ms`)."""


class Reference(NamedTuple):
    """Where hand and gripper were when the clutch closed, and the room's yaw that was forward then."""

    hand: Pose
    gripper: Pose
    forward_rad: float


def hand_pose(hand: Hand | None) -> Pose | None:
    """The hand's pose, if it is tracked."""
    if hand is None or hand.position_m is None or hand.quaternion_wxyz is None:
        return None
    return Pose(np.array(hand.position_m), np.array(hand.quaternion_wxyz))


def target(reference: Reference, hand: Pose, scale: float) -> Pose:
    """Where the gripper should be, in the rig frame.

    With A = Rz(−forward): p = p_gripper + scale · A (p_hand − p_hand₀), R = A (R_hand R_hand₀⁻¹) A⁻¹ R_gripper. Only
    the yaw of the room is taken off: a hand that was held askew when the clutch closed does not tilt the axes.
    """
    turn = mink.SO3.from_z_radians(-reference.forward_rad)
    position = reference.gripper.position_m + scale * turn.apply(hand.position_m - reference.hand.position_m)
    change = mink.SO3(hand.quaternion_wxyz).multiply(mink.SO3(reference.hand.quaternion_wxyz).inverse())
    rotation = turn.multiply(change).multiply(turn.inverse()).multiply(mink.SO3(reference.gripper.quaternion_wxyz))
    return Pose(position, rotation.wxyz)


def jumped(before: Pose, after: Pose) -> str:
    """What is impossible about the step between two neighbouring samples; "" if nothing is."""
    distance = float(np.linalg.norm(after.position_m - before.position_m))
    if distance > JUMP_M:
        return f"the hand jumped {distance * 100:.0f} cm"
    turn = mink.SO3(before.quaternion_wxyz).inverse().multiply(mink.SO3(after.quaternion_wxyz))
    angle = float(np.linalg.norm(turn.log()))
    if angle > JUMP_RAD:
        return f"the hand jumped {np.degrees(angle):.0f}°"
    return ""


class Clutch:
    """Decides from one hand's samples whether it may move its arm."""

    def __init__(self, stale_ns: int = STALE_NS) -> None:
        self._stale_ns = stale_ns
        self.closed = False
        self.why = ""
        """Why it opened by itself; "" once the operator has closed it again."""
        self._armed = False
        """The grip has been seen open since the clutch last opened."""
        self._last: tuple[Pose, int] | None = None
        self._since_ns = 0
        """The hand has been tracked without a gap since then."""

    def sample(self, hand: Hand | None, captured_at_ns: int) -> bool:
        """Take a sample; True if the clutch has just been closed."""
        pose = hand_pose(hand)
        trouble = self._trouble(hand, pose, captured_at_ns)
        if self._last is None or captured_at_ns - self._last[1] > self._stale_ns:
            self._since_ns, self._armed = captured_at_ns, False
        self._last = None if pose is None else (pose, captured_at_ns)
        if trouble:
            self.forget(trouble)  # an open grip that was seen elsewhere says nothing of the hand that is here now
        if hand is None or pose is None:
            return False
        if hand.grip < OPENED:
            self.closed = False
            self._armed |= captured_at_ns - self._since_ns >= WAKES_NS
        elif hand.grip > SQUEEZED and self._armed:
            self.closed, self._armed, self.why = True, False, ""
            return True
        return False

    def forget(self, why: str) -> None:
        """Nothing seen so far counts: open by itself, if it was closed, and see the grip open before it closes again."""
        self.let_go(why)
        self._armed = False

    def let_go(self, why: str) -> None:
        """Open by itself, if it was closed."""
        if self.closed:
            self.closed, self._armed, self.why = False, False, why

    def _trouble(self, hand: Hand | None, pose: Pose | None, captured_at_ns: int) -> str:
        if hand is None:
            return ABSENT
        if pose is None:
            return "the headset does not see the controller"
        if self._last is None:
            return ""
        before, before_ns = self._last
        if captured_at_ns - before_ns > self._stale_ns:
            return f"no sample for {(captured_at_ns - before_ns) / NS_PER_MS:.0f} ms"
        return jumped(before, pose)
