"""The arms' tables: their chains against the poses that UFACTORY's manuals print, and what a rig file may say of them."""

import math
from typing import get_args

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.sim.world.xarm7 import START_RAD, XARM7
from drivers.xarm.models import MODELS, ModelName
from drivers.xarm.settings import XArmSettings
from drivers.xarm.tip_speed import TipSpeed
from station.kinematics.chains import fingertips, gripper_rotations
from station.kinematics.models import rpy_to_wxyz

AT_ZERO_M = {
    "xarm5": (0.207, 0, 0.112), "xarm6": (0.207, 0, 0.112), "xarm7": (0.206, 0, 0.1205), "uf850": (0.15, 0, 0.238),
    "lite6": (0.087, 0, 0.1535),
}  # fmt: skip
"""Where the flange is with every joint at 0."""
JOINTS = st.tuples(*[st.floats(-2, 2)] * 7)


@pytest.mark.parametrize("model", get_args(ModelName))
def test_the_flange_is_where_the_manual_says_and_looks_down(model: ModelName) -> None:
    arm = MODELS[model]
    zeros = np.zeros((1, len(arm.places)))
    np.testing.assert_allclose(fingertips(arm.chain(0.0), zeros)[0], AT_ZERO_M[model], atol=2e-4)
    for pose in (zeros, np.array([arm.start_rad])):
        looks = gripper_rotations(arm.chain(0.1), pose)[0]
        np.testing.assert_allclose(looks[:, 0], (0, 0, -1), atol=1e-4)
        np.testing.assert_allclose(looks[:, 2], (1, 0, 0), atol=1e-4)
    assert all(low <= start <= high for start, (low, high) in zip(arm.start_rad, arm.reach_rad, strict=True))


def test_the_simulated_arm_is_built_like_it() -> None:
    arm = MODELS["xarm7"]
    assert arm.joints == XARM7.joints
    assert arm.start_rad == START_RAD
    for (offset, turn), link in zip(arm.places, XARM7.chain, strict=True):
        assert offset == pytest.approx(link.offset_m)
        assert rpy_to_wxyz(turn) == pytest.approx(link.turn, abs=1e-6)


@given(here=JOINTS, there=JOINTS, model=st.sampled_from(get_args(ModelName)), most=st.floats(0.05, 1))
def test_the_fingertips_are_never_faster_than_they_may(
    here: tuple[float, ...], there: tuple[float, ...], model: ModelName, most: float
) -> None:
    chain, count, dt_s = MODELS[model].chain(0.172), len(MODELS[model].places), 0.005
    near = [a + 0.02 * (b - a) for a, b in zip(here, there, strict=True)][:count]
    limit = TipSpeed(chain, most)
    np.testing.assert_allclose(limit.tip(near), fingertips(chain, np.array([near]))[0], atol=1e-9)
    share = limit.share(here[:count], near, dt_s)
    assert 0 < share <= 1
    kept = [a + share * (b - a) for a, b in zip(here, near, strict=False)]
    assert math.dist(limit.tip(here[:count]), limit.tip(kept)) <= most * dt_s * 1.1 + 1e-9, (
        "a short way is nearly straight"
    )


@pytest.mark.parametrize(
    ("keys", "wrong"),
    [
        ({"model": "xarm8"}, "xarm8"),
        ({"address": ""}, "address is empty"),
        ({"rate_hz": 130.0}, "none of this controller's: 200"),
        ({"rate_hz": 400.0}, "none of this controller's"),
        ({"tip_m_s": 1.5}, "tip_m_s is 0.05 to 1"),
        ({"stream": "fast"}, "stream"),
        ({"gripper": {"kind": "xarm", "open_pulse": 0}}, "closed_pulse is below open_pulse"),
        ({"gripper": {"kind": "xarm", "speed": 9}}, "speed is 350 to 5000"),
        ({"gripper": {"kind": "robotiq_hande"}}, "robotiq_hande"),
        ({"gripper": {"kind": "robotiq_2f85", "open_count": 230}}, "open_count is below closed_count"),
        ({"gripper": {"kind": "robotiq_2f85", "force": 2}}, "force is 0 to 1"),
        ({"lookahead_s": 0.1}, "lookahead_s"),
    ],
)
def test_a_wrong_key_is_told(keys: dict[str, object], wrong: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=wrong):
        msgspec.convert({"model": "xarm7", "address": "192.168.1.11"} | keys, XArmSettings)
