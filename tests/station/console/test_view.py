"""What a page is shown of the rig, made of what nodes said."""

import pytest

from station.console import view
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
