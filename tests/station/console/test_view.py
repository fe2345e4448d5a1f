"""What a page is shown of the rig, made of what nodes said."""

from pathlib import Path

import pytest

from station.bus.messages import Description
from station.console import view
from tests.station import mixed_arms
from tests.station.console.stage import DESCRIBED


@pytest.mark.parametrize(
    ("effort", "level"), [(0.0, "ok"), (-300.0, "ok"), (-1000.0, "bad"), (999.0, "warn"), (1500.0, "bad")]
)
def test_effort_stands_beside_what_switches_the_joint_off(effort: float, level: str) -> None:
    shown = view.efforts((effort, *(0.0,) * 5, 2000.0), DESCRIBED)
    assert (shown[0]["name"], shown[0]["effort"], shown[0]["unit"], shown[0]["overload"]) == (
        "waist",
        effort,
        "mA",
        1000.0,
    )
    assert shown[0]["level"] == level and shown[6]["level"] == "", "no limit is known of the gripper's"


def test_the_largest_of_a_second_is_told_and_another_arms_width_begins_anew() -> None:
    heard = view.Heard()
    for effort in ((1.0, -2.0), (-3.0, 1.0), (2.0, 0.5)):
        heard.exerted("follower_left", effort)
    assert heard.efforts == {"follower_left": (-3.0, -2.0)}
    heard.exerted("follower_left", (1.0,))
    assert heard.efforts == {"follower_left": (1.0,)}


def test_an_arm_that_has_not_said_what_it_is_or_says_another_width_shows_none() -> None:
    assert view.efforts((1.0,), None) == view.efforts((1.0,), DESCRIBED) == []


@pytest.mark.usefixtures("runtime")
@pytest.mark.parametrize(
    ("name", "widths"),
    [("two of seven joints", [8, 8]), ("seven joints beside six", [8, 7]), ("one alone, without a gripper", [6])],
)
def test_each_arms_share_of_the_vector_is_told_once_all_have_said_theirs(
    name: str, widths: list[int], tmp_path: Path
) -> None:
    heard, rig = view.Heard(), mixed_arms.rig_of(name, tmp_path)
    for follower, described in mixed_arms.followers(name).items():
        assert view.state(heard, rig, 0, "")["widths"] == []
        heard.descriptions[follower] = described
    assert view.state(heard, rig, 0, "")["widths"] == widths


@pytest.mark.parametrize(
    ("described", "unit"),
    [
        (mixed_arms.RIGS["a UR beside a ViperX"]["left"], "A"),
        (mixed_arms.RIGS["two of seven joints"]["left"], "N·m"),
        (DESCRIBED, "mA"),
    ],
)
def test_effort_is_told_in_the_unit_of_its_arm(described: Description, unit: str) -> None:
    dimensions = described.streams[0].dimensions
    shown = view.efforts((0.5,) * len(dimensions), described)
    assert {joint["unit"] for joint in shown[:-1]} == {unit}, "the gripper has none"
    assert [joint["name"] for joint in shown] == [one.name for one in dimensions]
