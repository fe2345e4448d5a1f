"""Virtual hands hand the cube over: headset poses through clutch, inverse kinematics and physics, on a clock of the test's own."""

import numpy as np
from msgspec import Raw
from msgspec.json import encode

from drivers.dynamixel.models import VX300S_CHAIN
from drivers.sim.operator.script import CubeStart, hand_over, kinematics
from drivers.sim.world.model import SIDES
from drivers.sim.world.scene import GRIPPER_CLOSED_RAD, GRIPPER_OPEN_RAD, START_RAD, Scene
from drivers.vr.wire import Controller, Pose
from drivers.vr.wire import hands as to_station
from station.bus.messages import ArmState, Description, Dimension, PilotState, StreamDescription
from station.control.vr_arms import VrArms
from station.control.vr_teleop import arm_hand
from station.rig.rig import find_rig, load_rig
from tests.system.vr_rig import FRAME_S, LIMITS, hands

CUBE = CubeStart(0.15, 0.5, 0.0)
DIMENSIONS = (
    *(Dimension(f"j{i}", "rad", low, high) for i, (low, high) in enumerate(zip(*LIMITS, strict=True))),
    Dimension("gripper", "1", 0, 1, GRIPPER_OPEN_RAD - GRIPPER_CLOSED_RAD, True),
)
ARM = Description(
    "vx300s", "1", "1", (StreamDescription("arm_state", 200.0, DIMENSIONS),), "position", chain=VX300S_CHAIN
)
RELEASED_S = 0.1


def apply(scene: Scene, side: str, goal: np.ndarray) -> None:
    for joint in range(6):
        scene.set_goal(side, joint, float(goal[joint]))
    scene.set_goal(side, 6, GRIPPER_CLOSED_RAD + float(goal[6]) * (GRIPPER_OPEN_RAD - GRIPPER_CLOSED_RAD))


def test_two_virtual_hands_hand_the_cube_over() -> None:
    rig = load_rig(find_rig("sim_vr"))
    scene = Scene()
    start = np.array([*START_RAD, 0.0])
    for side in SIDES:
        scene.set_current_limit(side, 538.0)
        apply(scene, side, start)
    scene.step(1000)
    scene.place_cube(*CUBE)
    arms = {}
    for found in rig.sides:
        arms[found.name] = arm_hand(rig, found, found.name, ARM)
        zeros = (0.0,) * 7
        arms[found.name].heard_state(ArmState(tuple(start), zeros, zeros, 0.0, 0.0, True))
    core = VrArms([arms[side] for side in SIDES], rig.teleop.scale)
    plan = hand_over(CUBE)
    times = np.arange(0, plan.seconds + 0.5, FRAME_S)
    frames = hands(rig, {side: [tuple(plan.at(t)[side]) for t in times] for side in SIDES})
    waiting = [frames[0]] * round(2 * RELEASED_S / FRAME_S)
    touched_right = False
    heights = []
    now_ns = 1_000_000_000
    for number, frame in enumerate([*waiting, *frames]):
        now_ns += round(FRAME_S * 1e9)
        core.heard_pilot(PilotState("engaged", "vr", "", ()))
        if number == 0:
            core.heard_pilot(PilotState("idle", "none", "", ()))
        grip = float(number * FRAME_S > RELEASED_S)
        both = {
            side: Raw(encode(Controller(
                tuple(frame[side]["p"]), tuple(frame[side]["q"]), grip, min(1.0, max(0.0, frame[side]["trigger"])),
                (0.0, 0.0), False, False, False,
            )))
            for side in SIDES
        }  # fmt: skip
        setpoint = core.sample(to_station(Pose(number, number, 1, (0, 0, 0, 1), **both)).pose, now_ns, now_ns)
        assert setpoint is not None
        assert not setpoint.hold
        for index, side in enumerate(SIDES):
            apply(scene, side, np.array(setpoint.goal[7 * index : 7 * index + 7]))
        scene.step(round(FRAME_S / 0.002))
        touched_right |= scene.truth().touches["right"]
        heights.append(scene.truth().position_m[2])
    assert core.state().state == "engaged"
    assert setpoint is not None
    assert touched_right
    assert max(heights) > 0.2
    assert scene.truth().done
    reached = kinematics("left").forward(np.array(setpoint.goal[:6])).position_m
    wanted = kinematics("left").forward(plan.at(plan.seconds)["left"][:6]).position_m
    assert np.linalg.norm(reached - wanted) < 2e-3
