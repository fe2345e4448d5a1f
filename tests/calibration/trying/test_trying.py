"""`station rig try` with an operator who does as asked: what is plugged in, counted or named wrongly is found, and nothing else is."""

from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from calibration import measuring
from calibration.measuring import Measuring
from calibration.trying.command import as_lines, tried
from station.client import Station
from station.errors import MeasurementPoor, UsageError
from station.files.check_results import CheckResult, Finding
from station.rig.rig import find_rig, load_rig
from tests.calibration.made_up_rig import ARMS, JOINTS
from tests.calibration.trying.hands import Hands


@pytest.fixture
def hands(monkeypatch: pytest.MonkeyPatch, runtime: str) -> Hands:
    made = Hands(load_rig(find_rig("sim")))
    monkeypatch.setattr(measuring, "Listener", lambda _station: made)
    return made


@pytest.fixture
def rig(hands: Hands) -> Iterator[Measuring]:
    rig = load_rig(find_rig("sim"))
    with Measuring(rig, "ada", hands, False, lambda: hands.now_ns, Station) as ready:
        yield ready


def wrong(result: CheckResult) -> dict[tuple[str, str], Finding]:
    """(device, name) → finding, of what does not pass."""
    return {(found.device, found.name): found for found in result.findings if found.verdict != "pass"}


@pytest.mark.slow
def test_a_rig_that_is_right_passes_and_every_joint_and_camera_of_it_was_asked_for_once(
    hands: Hands, rig: Measuring
) -> None:
    result = tried(rig, [])
    assert result.verdict == "pass", as_lines(result)
    assert wrong(result) == {}
    for node in ARMS:
        named = [found.name for found in result.findings if found.device == node]
        assert set(named) >= {*JOINTS, "gripper", "present"}
        assert sum(f"{node}: move its" in prompt for prompt in hands.asked) == 7
    for node in rig.rig.cameras:
        assert sum(prompt.startswith(f"{node}: hold your hand") for prompt in hands.asked) == 1
    assert "I see leader_left waist +17°: right" in hands.said
    assert all(len(prompt) <= 160 for prompt in hands.asked)


@pytest.mark.slow
def test_the_cables_of_two_leaders_are_swapped(hands: Hands, rig: Measuring) -> None:
    hands.swap("leader_left", "leader_right")
    result = tried(rig, [])
    found = wrong(result)
    assert result.verdict == "fail"
    assert set(found) == {("leader_left", "side"), ("leader_right", "side")}
    told = found["leader_left", "side"]
    assert told.value == "it was moved, leader_right was read"
    one, other = (rig.rig.device(node).port for node in ("leader_left", "leader_right"))
    assert f"exchange {one} and {other} in {rig.rig.file}" in told.next
    assert "then `station rig try`" in told.next
    # the joints were tried all the same, on what reads them
    assert sum(found.verdict == "pass" and found.name in JOINTS for found in result.findings) == 24


@pytest.mark.parametrize("joint", JOINTS)
def test_a_joint_whose_sign_is_reversed(hands: Hands, rig: Measuring, joint: str) -> None:
    hands.signs["follower_right", joint] = -1
    found = wrong(tried(rig, ["follower_right"]))
    assert set(found) == {("follower_right", joint)}
    told = found["follower_right", joint]
    assert told.verdict == "fail"
    assert isinstance(told.value, float) and abs(told.value) == pytest.approx(17.2, abs=0.1)
    assert "sign" in told.next


def test_two_joints_are_in_the_wrong_order(hands: Hands, rig: Measuring) -> None:
    hands.order |= {("leader_left", "shoulder"): "elbow", ("leader_left", "elbow"): "shoulder"}
    found = wrong(tried(rig, ["leader_left"]))
    assert set(found) == {("leader_left", "shoulder"), ("leader_left", "elbow")}
    assert "elbow was read" in found["leader_left", "shoulder"].next


def test_a_joint_that_does_not_follow_the_hand(hands: Hands, rig: Measuring) -> None:
    hands.dead.add(("leader_right", "wrist_angle"))
    found = wrong(tried(rig, ["leader_right"]))
    assert set(found) == {("leader_right", "wrist_angle")}
    assert "I see nothing move that far" in next(prompt for prompt in hands.asked if "I see" in prompt)


def test_who_turned_the_other_way_says_so_and_nothing_is_wrong(hands: Hands, rig: Measuring) -> None:
    hands.wrong_way.add(("leader_left", "waist"))
    hands.answers = ["other way"]
    assert wrong(tried(rig, ["leader_left"])) == {}


def test_a_joint_is_asked_for_again(hands: Hands, rig: Measuring) -> None:
    hands.wrong_way.add(("leader_left", "waist"))
    hands.answers = ["again"]
    assert wrong(tried(rig, ["leader_left"])) == {}
    assert sum("leader_left: move its waist" in prompt for prompt in hands.asked) == 2


def test_what_is_skipped_is_not_tried_and_no_pass(hands: Hands, rig: Measuring) -> None:
    hands.answers = ["skip"] * 2
    result = tried(rig, ["leader_left"])
    assert result.verdict == "warn"
    assert {found.verdict for found in wrong(result).values()} == {"unchecked"}
    assert len(wrong(result)) == 2


def test_what_moved_before_the_prompt_is_nobodys_answer(hands: Hands, rig: Measuring) -> None:
    """An arm that was put down elsewhere while the first prompt waited, and nobody's hand on the joint that was asked for."""
    hands.dead.add(("leader_left", "waist"))
    done: list[bool] = []

    def bumped() -> None:
        if not done:
            done.append(True)
            hands.real["leader_left"][0] += 0.4

    hands.meanwhile = bumped
    hands.answers = ["skip"]
    assert set(wrong(tried(rig, ["leader_left"]))) == {("leader_left", "waist")}


def test_two_cameras_are_swapped(hands: Hands, rig: Measuring) -> None:
    hands.swap("cam_high", "cam_low")
    found = wrong(tried(rig, list(rig.rig.cameras)))
    assert set(found) == {("cam_high", "told apart"), ("cam_low", "told apart")}
    assert found["cam_high", "told apart"].value == "it was covered, cam_low went dark"
    assert "exchange" in found["cam_high", "told apart"].next


def test_a_camera_whose_picture_stands_still(hands: Hands, rig: Measuring) -> None:
    hands.frozen = "cam_low"
    found = wrong(tried(rig, list(rig.rig.cameras)))
    assert set(found) == {("cam_low", "told apart")}
    assert "did not change" in str(found["cam_low", "told apart"].value)


def test_torque_that_comes_on_meanwhile_ends_it(hands: Hands, rig: Measuring) -> None:
    hands.meanwhile = lambda: setattr(hands, "torque", True)
    with pytest.raises(MeasurementPoor, match=r"has torque on.*park --release"):
        tried(rig, ["leader_left"])


def test_an_arm_that_says_nothing_is_told_and_the_others_are_tried(hands: Hands, rig: Measuring) -> None:
    hands.seen.arms["leader_left"].description = None
    result = tried(rig, [])
    assert set(wrong(result)) == {("leader_left", "present")}
    assert not any("leader_left: move" in prompt for prompt in hands.asked)
    assert any("leader_right: move" in prompt for prompt in hands.asked)


def test_a_device_that_is_not_there_is_the_callers_mistake(hands: Hands, rig: Measuring) -> None:
    with pytest.raises(UsageError, match="cam_top is no arm or camera of this rig"):
        tried(rig, ["cam_top"])
    assert hands.asked == []


def test_where_the_light_has_changed_the_cameras_are_looked_at_anew(hands: Hands, rig: Measuring) -> None:
    brighter = [True]

    def light() -> None:
        if brighter and hands.covering:
            brighter.clear()
            hands.scenes = {
                node: np.asarray(cv2.convertScaleAbs(scene, alpha=1.0, beta=60), np.uint8)
                for node, scene in hands.scenes.items()
            }

    hands.meanwhile = light
    hands.answers = ["again"]
    assert wrong(tried(rig, list(rig.rig.cameras))) == {}
    assert sum(prompt.startswith("cameras: leave every view free") for prompt in hands.asked) == 2
