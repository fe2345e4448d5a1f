"""Forward kinematics without MuJoCo, held against MuJoCo's."""

import numpy as np

from drivers.dynamixel.models import VX300S
from station.bus.messages import Chain, Hinge
from station.kinematics.arm import Kinematics
from station.kinematics.chains import FRAME, fingertips, gripper_rotations
from station.kinematics.models import chain_model


def test_the_gripper_is_where_and_as_mujoco_has_it() -> None:
    turned = Hinge("waist", (0.1, 0.2, 0.3), (0.4, -0.5, 0.6), (0.6, 0.0, 0.8))
    assert VX300S.chain is not None
    chain = Chain((turned, *VX300S.chain.hinges[1:]), (0.1, 0.02, -0.03), (0.2, -0.7, 1.1))
    kinematics = Kinematics(chain_model(chain, (-3.0,) * 6, (3.0,) * 6), FRAME)
    joints = np.random.default_rng(5).uniform(-1.5, 1.5, (40, 6))
    theirs = [kinematics.forward(each) for each in joints]
    np.testing.assert_allclose(fingertips(chain, joints), [each.position_m for each in theirs], atol=1e-9)
    for rotation, each in zip(gripper_rotations(chain, joints), theirs, strict=True):
        w, *xyz = each.quaternion_wxyz
        x, y, z = xyz
        cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
        np.testing.assert_allclose(rotation, np.eye(3) + 2 * w * cross + 2 * cross @ cross, atol=1e-9)
