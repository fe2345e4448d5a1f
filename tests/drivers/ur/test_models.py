"""The arms' tables: their chains against Denavit and Hartenberg's matrices, and what a rig file may say of them."""

from typing import get_args

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.sim.world.ur5e import UR5E
from drivers.ur.models import MODELS, START_RAD, ModelName
from drivers.ur.settings import URSettings
from station.kinematics.chains import fingertips

RIGHT = np.pi / 2


def denavit_hartenberg(model: str, joints: np.ndarray) -> np.ndarray:
    """Where the flange is, by the matrices that Universal Robots publishes."""
    (d1, d4, d5, d6), (a2, a3) = MODELS[model].d_m, MODELS[model].a_m  # type: ignore[index]
    rows = ((d1, 0, RIGHT), (0, -a2, 0), (0, -a3, 0), (d4, 0, RIGHT), (d5, 0, -RIGHT), (d6, 0, 0))
    pose = np.eye(4)
    for angle, (d, a, alpha) in zip(joints, rows, strict=True):
        c, s, ca, sa = np.cos(angle), np.sin(angle), np.cos(alpha), np.sin(alpha)
        pose = pose @ np.array([[c, -s * ca, s * sa, a * c], [s, c * ca, -c * sa, a * s], [0, sa, ca, d], [0, 0, 0, 1]])
    return pose[:3, 3]


@pytest.mark.parametrize("model", get_args(ModelName))
@given(joints=st.tuples(*[st.floats(-3, 3)] * 6))
def test_the_chain_ends_where_the_makers_matrices_do(model: ModelName, joints: tuple[float, ...]) -> None:
    angles = np.array(joints)
    found = fingertips(MODELS[model].chain(0.0), angles[None])[0]
    np.testing.assert_allclose(found, denavit_hartenberg(model, angles), atol=1e-9)


def test_the_simulated_arm_is_built_like_it() -> None:
    hinges = MODELS["ur5e"].chain(0.0).hinges
    assert tuple(hinge.name for hinge in hinges) == UR5E.joints
    for hinge, link in zip(hinges, UR5E.chain, strict=True):
        assert hinge.xyz_m == pytest.approx(link.offset_m)


def test_at_the_start_the_gripper_looks_down() -> None:
    flange, tip = (fingertips(MODELS["ur5e"].chain(length), np.array([START_RAD]))[0] for length in (0.0, 0.1))
    np.testing.assert_allclose(tip - flange, (0, 0, -0.1), atol=1e-6)


@pytest.mark.parametrize(
    ("keys", "wrong"),
    [
        ({"model": "ur4"}, "ur4"),
        ({"address": ""}, "address is empty"),
        ({"rate_hz": 130.0}, "none of this controller's: .*125"),
        ({"rate_hz": 500.0}, "none of this controller's"),
        ({"model": "ur5", "rate_hz": 250.0}, "none of this controller's: 125, 62.5"),
        ({"lookahead_s": 0.5}, "lookahead_s is 0.03 to 0.2"),
        ({"gain": 50.0}, "gain is 100 to 2000"),
        ({"gripper": {"kind": "robotiq_2f85", "open_count": 230, "closed_count": 3}}, "open_count is below"),
        ({"gripper": {"kind": "pincers"}}, "pincers"),
        ({"port": "/dev/x"}, "port"),
    ],
)
def test_what_a_rig_file_may_not_say_is_told(keys: dict[str, object], wrong: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=wrong):
        msgspec.convert({"model": "ur5e", "address": "10.0.0.1"} | keys, URSettings)


@pytest.mark.parametrize(
    "keys", [{}, {"rate_hz": 100.0}, {"model": "ur10", "rate_hz": 62.5}, {"gripper": {"kind": "robotiq_hande"}}]
)
def test_what_it_may_say(keys: dict[str, object]) -> None:
    assert msgspec.convert({"model": "ur5e", "address": "10.0.0.1"} | keys, URSettings).arm
