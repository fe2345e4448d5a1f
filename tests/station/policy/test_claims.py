"""What something says of itself, held against a rig: refused by name before anything moves."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.bus.messages import Description, Dimension, StreamDescription
from station.errors import PolicyError
from station.policy.claims import (
    Claim,
    Span,
    Vector,
    live,
    of_policy,
    points,
    points_unseen,
    refuse,
    refuse_anywhere,
    refuse_unseen,
    resampled,
    rig_vector,
)
from station.policy.folder import SHIPPED, load_policy
from station.rig.rig import find_rig, load_rig

JOINTS = ("waist", "shoulder", "elbow", "forearm_roll", "wrist_angle", "wrist_rotate")
LOW = np.array([-6.28, -1.85, -1.76, -6.28, -1.87, -6.28, 0.0] * 2)
HIGH = np.array([6.28, 1.26, 1.61, 6.28, 2.23, 6.28, 1.0] * 2)
NAMES = tuple(f"{side}_{name}" for side in ("left", "right") for name in (*JOINTS, "gripper"))
UNITS = ("rad",) * 6 + ("1",)
ALOHA = Vector("aloha", NAMES, UNITS * 2, Span(LOW, HIGH), ("cam_high",), 50.0)
MEAN = np.array([0.0, -0.96, 1.16, 0.0, -0.3, 0.0, 0.5] * 2)
STD = np.array([0.3, 0.4, 0.4, 0.2, 0.3, 0.5, 0.3] * 2)
JOINT = np.array([unit == "rad" for unit in UNITS * 2])
RIG = load_rig(find_rig("aloha"))


def claim(low: np.ndarray, high: np.ndarray, **changes: Any) -> Claim:
    return Claim("policy.yaml", {"action_dim": len(low)}, spans={"normalization.action": Span(low, high)})._replace(
        **changes
    )


def converted(scale: float, offset: float = 0.0, gripper: float = 1.0) -> Claim:
    """An ALOHA policy's mean ± std with its joints in another unit."""
    factor, shift = np.where(JOINT, scale, gripper), np.where(JOINT, offset, 0.0)
    return claim((MEAN - STD) * factor + shift, (MEAN + STD) * factor + shift)


def test_the_stations_own_units_pass() -> None:
    refuse(converted(1.0), ALOHA)
    refuse_unseen(converted(1.0)._replace(names=NAMES, units=UNITS * 2), RIG)
    policy = load_policy(SHIPPED / "handover")
    refuse(of_policy(policy, "x")._replace(cameras=()), ALOHA)
    refuse_unseen(of_policy(policy, "x"), load_rig(find_rig("sim")))


@pytest.mark.parametrize(
    ("said", "unit"),
    [
        (converted(180 / np.pi), "degrees"),
        (converted(180 / np.pi, gripper=100), "degrees"),
        (converted(4096 / (2 * np.pi), 2048), "servo ticks"),
        (converted(1000), "milliradians"),
        (converted(1.0, gripper=100), "percent"),
        (claim(np.full(14, -100.0), np.full(14, 100.0)), "LeRobot's −100…100"),
        (claim(np.full(14, -1.0), np.full(14, 1.0)), "−1…1"),
        (claim(np.full(14, -0.98), np.full(14, 0.97)), "normalised, −1…1"),
        (claim(np.full(14, -95.0), np.full(14, -25.0)), "degrees, or LeRobot's"),
    ],
)
def test_another_unit_is_refused_and_named(said: Claim, unit: str) -> None:
    with pytest.raises(PolicyError) as caught:
        refuse(said, ALOHA)
    assert caught.value.key == "normalization.action"
    assert unit in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("scale", [180 / np.pi, 1000, 4096 / (2 * np.pi)])
def test_the_same_without_a_rig(scale: float) -> None:
    with pytest.raises(PolicyError, match=r"on any rig .*: these look like"):
        refuse_anywhere(converted(scale))
    with pytest.raises(PolicyError, match=r"these look like"):
        refuse_unseen(converted(scale)._replace(names=NAMES), RIG)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=14, max_size=14))
def test_whatever_lies_within_the_limits_passes_and_in_degrees_does_not(ends: list[tuple[float, float]]) -> None:
    at = np.sort(np.array(ends), axis=1) * (HIGH - LOW)[:, None] + LOW[:, None]
    inside = claim(at[:, 0], at[:, 1])
    refuse(inside, ALOHA)
    degrees = claim(*(np.where(JOINT, side * 180 / np.pi, side) for side in at.T))
    if np.abs(at[JOINT]).max() > 0.3 and np.abs(degrees.spans["normalization.action"].low[JOINT]).max() > 8:
        with pytest.raises(PolicyError):
            refuse(degrees, ALOHA)


def test_statistics_of_a_graph_that_normalises_by_itself_say_nothing(tmp_path: Path) -> None:
    from tests.station.policy import policies

    none = {"state": {"mean": [0] * 3, "std": [1] * 3}, "action": {"mean": [0] * 3, "std": [1] * 3}}
    assert of_policy(load_policy(policies.write(tmp_path, normalization=none)), "x").spans == {}


@pytest.mark.parametrize(
    ("changes", "key", "says"),
    [
        ({"widths": {"/action": 7}}, "/action", "7, but the vector of rig aloha has 14"),
        ({"names": NAMES[7:] + NAMES[:7]}, "dim_names[0]", "right_waist"),
        ({"names": (NAMES[1], NAMES[0], *NAMES[2:])}, "dim_names[0]", "left_shoulder"),
        ({"units": ("deg",) * 6 + ("1",) + UNITS}, "units[0]", "left_waist was in deg"),
        ({"units": UNITS + ("rad",) * 5 + ("°", "1")}, "units[12]", "right_wrist_rotate was in °"),
        ({"units": ("rad",) * 6 + ("%",) + UNITS}, "units[6]", "was in %"),
        ({"units": ("m", *UNITS[1:], *UNITS)}, "units[0]", "was in m"),
        ({"cameras": ("cam_top",)}, "cameras", "sees cam_top"),
    ],
)
def test_what_differs_is_refused_by_name(changes: dict[str, Any], key: str, says: str) -> None:
    with pytest.raises(PolicyError) as caught:
        refuse(converted(1.0)._replace(**changes), ALOHA)
    assert caught.value.key == key and says in str(caught.value)


def test_all_that_differs_is_told_at_once_and_what_fits_beside_it() -> None:
    said = converted(180 / np.pi)._replace(names=(NAMES[1], NAMES[0], *NAMES[2:]), cameras=("cam_high", "cam_top"))
    found = list(points(said, ALOHA))
    assert [point.key for point in found if point.found][:3] == ["cameras", "dim_names[0]", "dim_names[1]"]
    assert {point.key for point in found if point.found} == {
        "cameras",
        "dim_names[0]",
        "dim_names[1]",
        "normalization.action",
    }
    fits = {point.key: (point.says, point.has) for point in found if not point.found}
    assert fits["cameras"] == ("cam_high", "cam_high") and fits["action_dim"] == ("14", "14")
    assert fits["dim_names[2]"] == (NAMES[2], NAMES[2])
    with pytest.raises(PolicyError) as caught:
        refuse(said, ALOHA)
    first = next(point for point in found if point.found)
    assert (caught.value.key, first.found in str(caught.value), first.fix in str(caught.value)) == (
        first.key,
        True,
        True,
    )
    assert all(point.found == "" for point in points_unseen(converted(1.0)._replace(names=NAMES), RIG))


def test_words_for_the_same_unit_are_the_same() -> None:
    refuse(converted(1.0)._replace(units=(("radians",) * 6 + ("",)) * 2), ALOHA)


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (NAMES[:7], "sides left "),
        (NAMES[7:] + NAMES[:7], "sides right, left "),
        (("arm_waist",) * 14, "of none of rig aloha's"),
    ],
)
def test_sides_are_held_against_the_rig_file_before_anything_starts(names: tuple[str, ...], says: str) -> None:
    with pytest.raises(PolicyError, match=says):
        refuse_unseen(Claim("e", {"/action": len(names)}, names), RIG)


def test_the_rigs_vector_is_what_its_followers_describe() -> None:
    dims = (Dimension("waist", "rad", -1, 2), Dimension("gripper", "1", 0, 1))
    described = Description("m", "1", "1", (StreamDescription("arm_state", 200, dims),), "position")
    found = rig_vector(RIG, {"follower_left": described, "follower_right": described})
    assert found.names == ("left_waist", "left_gripper", "right_waist", "right_gripper")
    assert found.units == ("rad", "1", "rad", "1") and found.limits.high.tolist() == [2, 1, 2, 1]


def test_live_numbers_of_another_unit_are_told() -> None:
    assert live("asked for", np.stack([MEAN, MEAN + STD]), ALOHA) == ""
    said = live("asked for", np.where(JOINT, np.stack([MEAN, MEAN + STD]) * 180 / np.pi, 0.5), ALOHA)
    assert "left_waist = 17.19, whose limits are -6.28 to 6.28 rad: these look like degrees" in said
    assert "left_gripper = 1.7, whose limits are 0 to 1" in live("asked for", np.where(JOINT, MEAN, 1.7), ALOHA)


def test_unlimited_joints_have_a_bound_too() -> None:
    free = ALOHA._replace(limits=Span(np.full(14, -np.inf), np.full(14, np.inf)))
    with pytest.raises(PolicyError, match="degrees"):
        refuse(converted(180 / np.pi), free)


@pytest.mark.parametrize(("from_hz", "to_hz"), [(10, 50), (50, 10), (30, 50), (50, 50), (60, 50)])
def test_resampled_rows_lie_on_the_recorded_line_and_take_as_long(from_hz: float, to_hz: float) -> None:
    at = np.arange(31) / from_hz
    rows = resampled(np.stack([at, -2 * at], axis=1), from_hz, to_hz)
    times = np.arange(len(rows)) / to_hz
    np.testing.assert_allclose(rows, np.stack([times, -2 * times], axis=1), atol=1e-5)
    assert at[-1] - 1 / to_hz < times[-1] <= at[-1] + 1e-6
