"""A VR operator's hands ask for the arms' goals. Pure: samples and times in, asks out.

While the pilot follows somebody else, or nobody, the setpoint is where the arms are, so that engaging moves nothing. While
it aligns the setpoint stands still. While it is engaged each hand moves its arm through its own clutch; an arm whose hand
has let go keeps its last setpoint. When the link is gone there is nobody to ask for anything: the setpoint is to hold.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from station.bus.messages import Applied, ArmState, Dimension, Hand, HandPose, HandTeleop, PilotState, TeleopState
from station.clock import NS_PER_MS, NS_PER_S
from station.control.clutch import ABSENT, STALE_NS, Clutch, Reference, hand_pose, target
from station.control.recentring import set_anew
from station.kinematics.arm import Pose
from station.kinematics.reach import Reach, Reached
from station.safety import velocity_per_s

Vector = NDArray[np.float64]

LONGEST_STEP_NS = 50 * NS_PER_MS
"""The arms never get more motion out of one sample than this much time allows."""
SAG_RAD = 0.15
"""A goal this near to where the arm is, is what it holds; further off it is an old one."""
TAKE_OVER = 0.12
"""The trigger takes the gripper over once it is this near to the gripper's aperture."""
RECENTRED = "the headset's room was set anew: forward is where you face now"
AGAIN = "Next: open the grip and squeeze it again"


class RigSetpoint(NamedTuple):
    """The hands' setpoint for all arms together."""

    goal: tuple[float, ...]
    """In the rig's order; () with `hold`."""
    at_ns: int
    hold: bool = False
    why: str = ""


class ArmHand:
    """One arm and the hand that moves it."""

    def __init__(
        self,
        arm: str,
        side: str,
        dimensions: Sequence[Dimension],
        reach: Reach,
        velocity_rad_s: float,
        stale_ns: int = STALE_NS,
    ) -> None:
        """`side` is the hand: left or right. The last of `dimensions` is the gripper, where the arm has one."""
        self.arm, self.side = arm, side
        self.clutch = Clutch(stale_ns)
        self._reach, self._count = reach, len(dimensions)
        self._joints = sum(dimension.unit == "rad" for dimension in dimensions)
        self._gripper_per_s = velocity_per_s(dimensions[-1], velocity_rad_s) if self._joints < self._count else 0.0
        self._measured: Vector | None = None
        self._applied: Vector | None = None
        self.setpoint: Vector | None = None
        """(D,): joints (rad), then the gripper, 0 closed to 1 open."""
        self._reference: Reference | None = None
        self._takes_gripper = False
        self._reached: Reached | None = None

    def heard_state(self, state: ArmState) -> None:
        """Where the arm is; a limp one holds no goal."""
        self._measured = np.array(state.position)
        if not state.torque:
            self._applied = None

    def heard_applied(self, applied: Applied) -> None:
        """What its driver wrote last; a driver that has just opened, or lacks a servo, stands at no whole goal."""
        self._applied = np.array(applied.goal) if len(applied.goal) == self._count else None

    def rest(self) -> None:
        """Ask for what the arm holds anyway."""
        held = self._measured
        if held is not None and self._applied is not None and np.abs(self._applied - held).max() < SAG_RAD:
            held = self._applied
        if held is not None:
            self.setpoint = held.copy()
        self._reached = None

    def refer(self, hand: Hand, forward_rad: float) -> None:
        """Hand and gripper belong together from here."""
        pose = hand_pose(hand)
        if pose is not None and self.setpoint is not None:
            self._reference = Reference(
                pose, self._reach.kinematics.forward(self.setpoint[: self._joints]), forward_rad
            )
            self._takes_gripper = False

    def move(self, hand: Hand, scale: float, dt_s: float) -> None:
        """Follow the hand for `dt_s`; the clutch is closed."""
        pose = hand_pose(hand)
        if pose is None or self.setpoint is None or self._reference is None:
            return
        self._reached = self._reach.step(target(self._reference, pose, scale), self.setpoint[: self._joints], dt_s)
        grippers = [self._gripper(1.0 - hand.trigger, float(now), dt_s) for now in self.setpoint[self._joints :]]
        self.setpoint = np.array([*self._reached.joints_rad, *grippers])

    def _gripper(self, wanted: float, now: float, dt_s: float) -> float:
        """The trigger takes the gripper over where it stands: closing the clutch never drops or crushes anything."""
        self._takes_gripper |= abs(wanted - now) < TAKE_OVER
        if not self._takes_gripper:
            return now
        step = self._gripper_per_s * dt_s
        return now + min(step, max(-step, wanted - now))

    def pose(self) -> Pose | None:
        """Of the gripper that is asked for, in the rig frame."""
        return None if self.setpoint is None else self._reach.kinematics.forward(self.setpoint[: self._joints])

    def state(self) -> HandTeleop:
        """For people."""
        closed, why = self.clutch.closed, self.clutch.why
        if self._reached is None or not closed:
            return HandTeleop(self.arm, closed, why)
        reached = self._reached
        return HandTeleop(
            self.arm, closed, why, reached.position_error_m, reached.rotation_error_rad, reached.damped
        )  # fmt: skip


class VrArms:
    """All arms and both hands."""

    def __init__(self, hands: Sequence[ArmHand], scale: float, stale_ns: int = STALE_NS) -> None:
        """`hands` in the rig's order; `scale`: the gripper's way per the hand's; `stale_ns`: after this the link is lost."""
        self._hands, self._scale, self._stale_ns = tuple(hands), scale, stale_ns
        self._pilot = "idle"
        self._why = ""
        self._forward_rad: float | None = None
        self._pose: HandPose | None = None
        """The sample before."""
        self._new_room = False
        """The room was set anew while the hands commanded, and none has moved an arm since."""
        self._last_ns: int | None = None
        self._link = ""
        """Why there is no link; "" while there is."""
        self._cut_off = False
        """The link was lost while the hands commanded, and they do not command again yet."""
        self.wants_to_go_on = False
        """A grip was squeezed after the link's loss had put the pilot in hold: it should align again."""

    def heard_pilot(self, state: PilotState) -> None:
        """Who commands."""
        ours = state.source == "vr"
        before, self._pilot = self._pilot, state.state if ours or state.state == "hold" else "idle"
        self._why = state.why if self._pilot == "hold" else ""
        if self._pilot == "engaged":
            self._cut_off = False
        else:
            for hand in self._hands:
                hand.clutch.let_go(f"the pilot holds: {state.why}" if before == "engaged" else "")

    def sample(self, pose: HandPose, captured_at_ns: int, now_ns: int) -> RigSetpoint | None:
        """Take a sample of the hands; the setpoint it makes, None while an arm, or every arm, is unknown."""
        if now_ns - captured_at_ns > self._stale_ns:
            return self._lose(f"the link is {(now_ns - captured_at_ns) / NS_PER_MS:.0f} ms behind", now_ns)
        gap_ns = captured_at_ns - (self._last_ns or captured_at_ns)
        self._last_ns, self._link = captured_at_ns, ""
        self._orient(pose, gap_ns)
        self.wants_to_go_on = False
        if self._pilot in ("idle", "hold"):
            for hand in self._hands:
                hand.rest()
        for hand in self._hands:
            self._move(hand, _of(pose, hand), captured_at_ns, min(gap_ns, LONGEST_STEP_NS) / NS_PER_S)
        return self._setpoint(captured_at_ns)

    def check(self, now_ns: int) -> RigSetpoint | None:
        """Call often: a setpoint to hold when the link has just been lost."""
        if self._link or self._last_ns is None or now_ns - self._last_ns <= self._stale_ns:
            return None
        return self._lose(f"no hand pose for {(now_ns - self._last_ns) / NS_PER_MS:.0f} ms", now_ns)

    def state(self) -> TeleopState:
        """For people."""
        hands = tuple(hand.state() for hand in self._hands)
        forward_rad = self._forward_rad or 0.0
        if self._pilot == "hold" or self._link:
            return TeleopState("hold", self._link or self._why, hands, forward_rad)
        if self._pilot != "engaged":
            return TeleopState("idle", "", hands, forward_rad)
        lost = self._lost()
        if lost:
            return TeleopState("hold", f"{lost}. {AGAIN}", hands, forward_rad)
        return TeleopState("engaged", "", hands, forward_rad)

    def _lost(self) -> str:
        """What has let go by itself, or is not there to be squeezed; "" for nothing."""
        if self._new_room:
            return RECENTRED
        pose = self._pose
        if pose is not None and self._hands and all(_of(pose, hand) is None for hand in self._hands):
            return f"{ABSENT}s (asleep, or the system's menu is open)" if len(self._hands) > 1 else ABSENT
        return "; ".join(f"{hand.side} hand: {hand.clutch.why}" for hand in self._hands if hand.clutch.why)

    def _orient(self, pose: HandPose, gap_ns: int) -> None:
        """Forward is where the operator faces at the first sample of a room, and whenever a thumbstick is pressed."""
        before, self._pose = self._pose, pose
        if before is not None and self._is_new(before, pose, gap_ns):
            for hand in self._hands:
                hand.clutch.forget(RECENTRED)
            self._forward_rad = None
            self._new_room = self._pilot == "engaged"
        pressed = _stick_pressed(pose) and not (before is not None and _stick_pressed(before))
        if pose.head_yaw_rad is not None and (self._forward_rad is None or pressed):
            self._forward_rad = pose.head_yaw_rad
            for hand in self._hands:
                sample = _of(pose, hand)
                if hand.clutch.closed and sample is not None:
                    hand.refer(sample, self._forward_rad)

    def _is_new(self, before: HandPose, pose: HandPose, gap_ns: int) -> bool:
        """Says the headset so, or do head and hands?"""
        return pose.space != before.space or (gap_ns <= self._stale_ns and set_anew(before, pose, gap_ns))

    def _move(self, hand: ArmHand, sample: Hand | None, captured_at_ns: int, dt_s: float) -> None:
        closed = hand.clutch.sample(sample, captured_at_ns)
        if sample is None or not hand.clutch.closed:
            return
        if self._pilot != "engaged" or self._forward_rad is None:
            self.wants_to_go_on |= closed and self._pilot == "hold" and self._cut_off
            hand.clutch.let_go("")
            return
        if closed:
            self._new_room = False
            hand.refer(sample, self._forward_rad)
        hand.move(sample, self._scale, dt_s)

    def _setpoint(self, at_ns: int) -> RigSetpoint | None:
        goal: list[float] = []
        for hand in self._hands:
            if hand.setpoint is None:
                return None
            goal += hand.setpoint.tolist()
        return RigSetpoint(tuple(goal), at_ns) if goal else None

    def _lose(self, why: str, now_ns: int) -> RigSetpoint | None:
        for hand in self._hands:
            hand.clutch.let_go(why)
        if self._link:
            return None
        self._link = why
        self._cut_off |= self._pilot == "engaged"
        return RigSetpoint((), now_ns, hold=True, why=why)


def _of(pose: HandPose, hand: ArmHand) -> Hand | None:
    """The sample of the hand that moves this arm."""
    return pose.left if hand.side == "left" else pose.right


def _stick_pressed(pose: HandPose) -> bool:
    return any(hand is not None and hand.stick_pressed for hand in (pose.left, pose.right))
