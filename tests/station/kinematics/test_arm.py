import mujoco
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from station.kinematics.arm import Kinematics, Pose

PLANAR = """
<mujoco><compiler angle="radian"/><worldbody>
  <body><joint name="a" axis="0 0 1" range="-2 2"/><geom size=".01"/>
    <body pos="1 0 0"><joint name="b" axis="0 0 1" range="-2 2"/><geom size=".01"/>
      <site name="tip" pos="0.5 0 0"/></body>
  </body>
</worldbody></mujoco>"""

SIX = """
<mujoco><compiler angle="radian"/><worldbody>
  <body><joint name="waist" axis="0 0 1" range="-3 3"/><geom size=".01"/>
    <body pos="0 0 .1"><joint name="shoulder" axis="0 1 0" range="-1.8 1.2"/><geom size=".01"/>
      <body pos=".06 0 .3"><joint name="elbow" axis="0 1 0" range="-1.7 1.6"/><geom size=".01"/>
        <body pos=".2 0 0"><joint name="roll" axis="1 0 0" range="-3 3"/><geom size=".01"/>
          <body pos=".1 0 0"><joint name="wrist" axis="0 1 0" range="-1.8 2.2"/><geom size=".01"/>
            <body pos=".07 0 0"><joint name="turn" axis="1 0 0" range="-3 3"/><geom size=".01"/>
              <site name="tip" pos=".1 0 0"/></body>
          </body></body></body></body></body>
</worldbody></mujoco>"""
HOME = np.array([0.0, -0.6, 0.9, 0.0, 0.3, 0.0])
six = Kinematics(mujoco.MjModel.from_xml_string(SIX), "tip")


def test_forward_of_a_planar_arm_is_trigonometry() -> None:
    arm = Kinematics(mujoco.MjModel.from_xml_string(PLANAR), "tip")
    pose = arm.forward([np.pi / 6, np.pi / 3])
    np.testing.assert_allclose(pose.position_m, [np.cos(np.pi / 6), np.sin(np.pi / 6) + 0.5, 0], atol=1e-9)
    np.testing.assert_allclose(np.abs(pose.quaternion_wxyz), [np.cos(np.pi / 4), 0, 0, np.sin(np.pi / 4)], atol=1e-9)
    assert arm.joints == ("a", "b")


@settings(max_examples=60)
@given(st.lists(st.floats(-0.4, 0.4), min_size=6, max_size=6))
@example([-0.3984375, -0.390625, 0.125, 0.0, -0.3984375, -0.3984375])  # past a straight wrist
def test_inverse_undoes_forward(offsets: list[float]) -> None:
    target = six.forward(HOME + offsets)
    solution = six.inverse(target, HOME)
    assert solution.reached()
    again = six.forward(solution.joints_rad)
    np.testing.assert_allclose(again.position_m, target.position_m, atol=1e-3)
    assert abs(float(again.quaternion_wxyz @ target.quaternion_wxyz)) > 0.9999


@settings(max_examples=30)
@given(st.tuples(st.floats(-3, 3), st.floats(-3, 3), st.floats(-3, 3)))
def test_any_target_stays_within_limits_and_says_how_far_off_it_is(position: tuple[float, float, float]) -> None:
    solution = six.inverse(Pose(np.array(position), np.array([1.0, 0, 0, 0])), HOME, iterations=20)
    assert np.all(solution.joints_rad >= six.lower_rad - 1e-12)
    assert np.all(solution.joints_rad <= six.upper_rad + 1e-12)
    away = np.linalg.norm(six.forward(solution.joints_rad).position_m - position)
    assert solution.position_error_m >= away - 1e-6
    if away > 0.01:
        assert not solution.reached()


def test_a_model_with_more_than_the_arm_is_refused() -> None:
    cube = SIX.replace("</worldbody>", '<body><freejoint/><geom size=".01"/></body></worldbody>')
    with pytest.raises(ValueError, match="hinge"):
        Kinematics(mujoco.MjModel.from_xml_string(cube), "tip")
    with pytest.raises(ValueError, match="no site 'thumb'"):
        Kinematics(mujoco.MjModel.from_xml_string(SIX), "thumb")
