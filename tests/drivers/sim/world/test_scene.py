import numpy as np
import pytest

from drivers.sim.world.model import SIDES, scene_model
from drivers.sim.world.scene import GRIPPER_CLOSED_RAD, GRIPPER_OPEN_RAD, SLEEP_RAD, START_RAD, Scene


def follow(scene: Scene, pose: tuple[float, ...], gripper_rad: float) -> None:
    for side in SIDES:
        for joint, goal in enumerate((*pose, gripper_rad)):
            scene.set_goal(side, joint, goal)


def test_limp_followers_rest_in_the_sleep_pose_without_touching_anything_of_the_scene() -> None:
    scene = Scene()
    scene.step(1000)
    for side in SIDES:
        state = scene.joints(side)
        np.testing.assert_allclose(state.position_rad[:6], SLEEP_RAD, atol=0.01)
        assert state.position_rad[6] == pytest.approx(GRIPPER_CLOSED_RAD, abs=0.01)
        assert max(map(abs, state.velocity_rad_s)) < 0.01
        assert state.current_ma == (0.0,) * 7
    assert scene.truth().on_table


def test_joints_reach_their_goals_but_for_the_sag() -> None:
    scene = Scene()
    follow(scene, START_RAD, GRIPPER_OPEN_RAD)
    scene.step(1000)
    for side in SIDES:
        state = scene.joints(side)
        np.testing.assert_allclose(state.position_rad[:6], START_RAD, atol=0.01)
        assert state.position_rad[6] == pytest.approx(GRIPPER_OPEN_RAD, abs=0.05)
        assert 100 < abs(state.current_ma[2]) < 1500, "an elbow that carries the forearm draws current"


def test_an_arm_that_loses_torque_sinks_slowly_onto_its_rest() -> None:
    scene = Scene()
    follow(scene, START_RAD, GRIPPER_CLOSED_RAD)
    scene.step(1000)
    for joint in range(7):
        scene.set_goal("left", joint, None)
    fastest = 0.0
    for _ in range(400):
        scene.step(5)
        fastest = max(fastest, *map(abs, scene.joints("left").velocity_rad_s[:6]))
    assert fastest < 1.0
    np.testing.assert_allclose(scene.joints("left").position_rad[:6], SLEEP_RAD, atol=0.01)
    np.testing.assert_allclose(scene.joints("right").position_rad[:6], START_RAD, atol=0.01)


def test_the_current_limit_decides_how_hard_the_gripper_pushes() -> None:
    """Started from closed, a gripper that must open against a limit draws no more than it."""
    scene = Scene()
    follow(scene, START_RAD, GRIPPER_OPEN_RAD)
    scene.set_current_limit("left", 100.0)
    drawn = 0.0
    for _ in range(50):
        scene.step(1)
        drawn = max(drawn, abs(scene.joints("left").current_ma[6]))
    assert 50 < drawn < 115


def test_two_scenes_do_the_same_to_the_bit() -> None:
    scenes = Scene(), Scene()
    for scene in scenes:
        scene.place_cube(0.12, 0.48, 0.1)
        follow(scene, START_RAD, 0.0)
        scene.step(300)
    np.testing.assert_array_equal(scenes[0].qpos(), scenes[1].qpos())


def test_a_place_is_clear_unless_a_hand_is_there() -> None:
    scene = Scene()
    assert scene.clear_of(0.15, 0.5)
    assert not scene.clear_of(-0.29, 0.52), "the left hand sleeps above that place"


def test_a_board_that_nobody_shows_does_not_change_what_cameras_draw() -> None:
    """The near plane is a share of the scene's extent: a large one cuts the grippers out of the wrist cameras' pictures."""
    assert scene_model().stat.extent == pytest.approx(1.678, abs=0.01)
