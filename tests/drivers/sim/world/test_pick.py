"""The scenes `pick…`: the script's hand takes the cube in physics, and cameras know which scene they draw."""

from pathlib import Path

import numpy as np
import pytest

from drivers.sim.operator.pick import cube_start, kinematics, pick, start
from drivers.sim.operator.scripted_operator import Operator
from drivers.sim.world import stages
from drivers.sim.world.links import Robot
from drivers.sim.world.pick_scene import PickScene
from drivers.sim.world.state_file import StateReader, StateWriter

EPISODES = 8
PICKS = [name for name in stages.SCENES if stages.robot(name) is not None]
FORCE = 0.2
SPEED_RAD_S, FINGERS_PER_S = 3.14, 1.8


def play(robot: Robot, episode: int, delay_s: float) -> tuple[PickScene, int, float]:
    """The plan asked of the scene `delay_s` late; the scene, how often the cube was held high, and how fast the plan was."""
    scene, cube = PickScene(robot), cube_start(0, episode)
    plan, rests = pick(robot, cube), start(robot)["right"]
    scene.place_cube(*cube)
    scene.set_force("right", FORCE)
    asked, fastest, done, last = [rests] * (round(delay_s * 100) + 1), 0.0, 0, rests
    for tick in range(round((plan.seconds + 0.5) * 100)):
        here = plan.at(tick / 100)["right"]
        fastest, last = max(fastest, float(np.abs(here - last).max()) * 100), here
        asked.append(here)
        for joint, goal in enumerate(asked[-1 - round(delay_s * 100)]):
            scene.set_goal("right", joint, float(goal))
        scene.step(5)
        done += scene.truth().done
    return scene, done, fastest


@pytest.mark.parametrize("scene_name", PICKS)
@pytest.mark.parametrize("episode", range(EPISODES))
def test_the_cube_is_picked_and_put_down(episode: int, scene_name: str) -> None:
    robot = stages.robot(scene_name)
    scene, done, fastest = play(robot, episode, delay_s=0.1)
    truth = scene.truth()
    assert done > 50, "it was not held above the table"
    assert truth.on_table
    assert truth.position_m[:2] == pytest.approx((0.02, 0.82), abs=0.03)
    assert scene.joints("right").position_rad[:-1] == pytest.approx(robot.start_rad, abs=0.05)
    assert fastest < SPEED_RAD_S


@pytest.mark.parametrize("scene_name", PICKS)
def test_nothing_is_done_while_the_cube_lies(scene_name: str) -> None:
    robot = stages.robot(scene_name)
    scene = PickScene(robot)
    scene.step(50)
    assert (scene.truth().on_table, scene.truth().done) == (True, False)
    assert scene.clear_of(0.15, 0.65)
    assert scene.setpoint("right") == pytest.approx([*robot.start_rad, 1.0], abs=0.01)


@pytest.mark.parametrize("scene_name", PICKS)
def test_the_hand_begins_where_the_arm_stands(scene_name: str) -> None:
    robot = stages.robot(scene_name)
    operator = Operator(0, 0, stages.script(scene_name))
    assert operator.at("right", 0) == pytest.approx([*robot.start_rad, 1.0])
    assert kinematics(robot).forward(robot.start_rad).position_m[2] > 0.2


def test_a_camera_learns_from_the_state_which_scene_it_is_of(tmp_path: Path) -> None:
    writer = StateWriter(tmp_path / "state", 3, "pick")
    reader = StateReader(tmp_path / "state")
    assert reader.scene == "pick"
    writer.write(5, np.ones(3))
    assert reader.read() is not None
    reader.close()
    writer.close()


@pytest.mark.parametrize("scene", stages.SCENES)
def test_every_scene_has_a_model_physics_and_a_script(scene: str) -> None:
    physics, script = stages.physics(scene), stages.script(scene)
    assert stages.model(scene).nq == len(physics.qpos())
    for side in script.sides:
        assert len(physics.setpoint(side)) == len(script.start[side])
