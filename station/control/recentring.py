"""Was the operator's room set anew between two samples? Pure.

A headset re-centres by a button, after sleep, or when it finds itself again, and not every browser says so. Then head
and hands turn or shift together, farther than any body moves from one sample to the next, while a tracking error moves
one of them alone.
"""

from math import pi
from typing import NamedTuple

import mink
import numpy as np
from numpy.typing import NDArray

from station.bus.messages import HandPose
from station.clock import NS_PER_S
from station.control.clutch import JUMP_M, hand_pose
from station.kinematics.arm import Pose

TURN_RAD, TURN_RAD_S = np.radians(15), np.radians(600)
"""No head turns farther than this between two samples, nor faster."""
WAY_M_S = 3.0
"""Nor do both hands go the same way faster, or farther than `JUMP_M`."""
SAME_RAD, SAME_M = np.radians(20), 0.05
"""How alike are two moves of one room: head and hands also move by themselves meanwhile."""


class _Move(NamedTuple):
    before: Pose
    after: Pose

    @property
    def turn(self) -> mink.SO3:
        """In the room's axes."""
        return mink.SO3(self.after.quaternion_wxyz).multiply(mink.SO3(self.before.quaternion_wxyz).inverse())

    @property
    def yaw_rad(self) -> float:
        """How far about the room's vertical."""
        w, _, _, z = self.turn.wxyz
        return _wrapped(2 * float(np.arctan2(z, w)))

    def turned_by(self, yaw_rad: float) -> bool:
        """Is the turn this yaw, and nothing else worth naming?"""
        rest = mink.SO3.from_z_radians(-yaw_rad).multiply(self.turn)
        return bool(np.linalg.norm(rest.log()) < SAME_RAD)

    def shift_m(self, yaw_rad: float) -> NDArray[np.float64]:
        """(3,): what is left of the way when the room has turned by this yaw."""
        turned = mink.SO3.from_z_radians(yaw_rad).apply(self.before.position_m)
        return np.asarray(self.after.position_m - turned)

    @property
    def way_m(self) -> float:
        """How far the hand is from where it was."""
        return float(np.linalg.norm(self.after.position_m - self.before.position_m))


def set_anew(before: HandPose, after: HandPose, gap_ns: int) -> bool:
    """Did the room turn about its vertical, or shift, between two samples that are `gap_ns` apart?

    A head that jumped alone while a hand was seen to stay is a tracking error of the head; one that jumped while no hand
    was seen is believed, since nothing speaks against it. A hand that is lost in either sample says nothing.
    """
    gap_s = gap_ns / NS_PER_S
    most_rad = max(TURN_RAD, TURN_RAD_S * gap_s)
    hands = _moves(before, after)
    head_rad = _head_turn_rad(before, after)
    if head_rad is not None and abs(head_rad) > most_rad:
        return not hands or any(hand.turned_by(head_rad) for hand in hands)
    if len(hands) < 2:
        return False
    yaw_rad = hands[0].yaw_rad if head_rad is None else head_rad
    if not all(hand.turned_by(yaw_rad) for hand in hands):
        return False
    if np.linalg.norm(hands[0].shift_m(yaw_rad) - hands[1].shift_m(yaw_rad)) > SAME_M:
        return False
    return bool(abs(yaw_rad) > most_rad or min(hand.way_m for hand in hands) > max(JUMP_M, WAY_M_S * gap_s))


def _moves(before: HandPose, after: HandPose) -> list[_Move]:
    found = []
    for one, other in ((before.left, after.left), (before.right, after.right)):
        poses = hand_pose(one), hand_pose(other)
        if poses[0] is not None and poses[1] is not None:
            found.append(_Move(poses[0], poses[1]))
    return found


def _head_turn_rad(before: HandPose, after: HandPose) -> float | None:
    if before.head_yaw_rad is None or after.head_yaw_rad is None:
        return None
    return _wrapped(after.head_yaw_rad - before.head_yaw_rad)


def _wrapped(angle_rad: float) -> float:
    return (angle_rad + pi) % (2 * pi) - pi
