"""A VR operator's hand moves arms of any make: by the chain, the limits and the start pose that their own drivers describe."""

import math
from pathlib import Path

import numpy as np
import pytest

from station.bus.messages import ArmPilot, ArmState, Hand, HandPose, PilotState
from station.control.vr_arms import VrArms
from station.control.vr_teleop import arm_hand
from tests.station import mixed_arms

FRAME_NS = 14_000_000
MOVED_M = np.array([-0.06, 0.05, 0.08])
TURNED_RAD = 0.3


@pytest.mark.usefixtures("runtime")
@pytest.mark.parametrize("name", ["an FR3 alone", "two of seven joints", "a UR beside a ViperX"])
def test_the_gripper_goes_as_the_hand_does_within_every_joints_limits(name: str, tmp_path: Path) -> None:
    rig, descriptions = mixed_arms.rig_of(name, tmp_path), mixed_arms.followers(name)
    side = rig.sides[0]
    about = descriptions[str(side.follower)]
    dimensions = about.streams[0].dimensions
    joints = [one for one in dimensions if one.unit == "rad"]
    start = tuple(one.start if one.start is not None else 0.5 for one in dimensions)
    arm = arm_hand(rig, side, "right", about)
    still = (0.0,) * len(dimensions)
    arm.heard_state(ArmState(start, still, still, 0.5, 0.0, True))
    core, now_ns = VrArms([arm], 1.0), 1_000_000_000
    place, track = np.array([0.2, -0.2, 1.2]), []

    def send(grip: float, moved: float = 0.0) -> None:
        nonlocal now_ns
        now_ns += FRAME_NS
        half = moved * TURNED_RAD / 2
        orientation = (math.cos(half), 0.0, 0.0, math.sin(half))
        hand = Hand(tuple((place + moved * MOVED_M).tolist()), orientation, trigger=0.5, grip=grip)
        setpoint = core.sample(HandPose(None, hand, 0.0, 0), now_ns, now_ns)
        assert setpoint is not None
        track.append(setpoint.goal)

    def pilot(state: str) -> None:
        core.heard_pilot(PilotState(state, "vr", "", (ArmPilot(str(side.follower), True),)))  # type: ignore[arg-type]

    pilot("idle")
    for _ in range(30):  # seen for a while with its grip open
        send(0.0)
    pilot("aligning")
    send(0.0)
    pilot("engaged")
    send(0.0)
    send(1.0)
    begun = arm.pose()
    for fraction in np.linspace(0, 1, 80):
        send(1.0, float(fraction))
    for _ in range(80):
        send(1.0, 1.0)
    ended = arm.pose()
    assert begun is not None and ended is not None
    np.testing.assert_allclose(ended.position_m - begun.position_m, MOVED_M, atol=2e-3)
    goals = np.array(track)
    assert goals.shape[1] == len(dimensions)
    for place_in_vector, one in enumerate(joints):
        assert (goals[:, place_in_vector] >= one.lower).all() and (goals[:, place_in_vector] <= one.upper).all(), (
            one.name
        )
    most = min(rig.safety.velocity_rad_s, *(one.velocity_limit or math.inf for one in joints))
    assert np.abs(np.diff(goals[:, : len(joints)], axis=0)).max() * 1e9 / FRAME_NS <= most * 1.01
