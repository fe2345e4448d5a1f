"""From what was heard to findings: cameras that were swapped, changed, late, slow, or carried elsewhere by their arm."""

import base64
import datetime
from collections.abc import Sequence
from functools import cache
from typing import Any

import cv2
import msgspec
import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from calibration.arms.motion import Motion, camera_lag
from calibration.arms.wrist import carrier, on_rest
from calibration.cameras import sighting
from calibration.cameras.board import Board, View
from calibration.checks import cameras as checks_cameras
from calibration.checks.cameras import Picture
from calibration.checks.survey import ArmSeen, CameraSeen, Survey
from calibration.maths import quality
from calibration.maths.latency import Lag
from calibration.maths.poses import from_vectors
from station.bus.messages import Description, Dimension, Health, StreamDescription
from station.clock import NS_PER_MS, NS_PER_S
from station.errors import MeasurementPoor
from station.files.calibration_files import (
    ArmCalibration,
    Calibration,
    CheckReference,
    Extrinsics,
    Intrinsics,
    Latency,
    Made,
)
from station.files.check_results import Finding
from station.rig.rig import Rig, find_rig, load_rig
from tests.calibration.rendering import BOARD, LENS, looking_at
from tests.pictures import Pixels, gray

TODAY = datetime.date(2026, 1, 12)
MADE = Made("2026-01-02T03:04:05+00:00", "ada", "test", 1)
REST = (0.0, -1.8, 1.6, 0.1, 0.6, 0.0)
JOINTS = ("waist", "shoulder", "elbow", "forearm_roll", "wrist_angle", "wrist_rotate")


@cache
def scene(seed: int) -> bytes:
    """A table with things on it, as JPEG."""
    random = np.random.default_rng(seed)
    picture = np.full((240, 320), 120, np.uint8)
    for _ in range(160):
        x, y = (int(v) for v in random.integers(0, (320, 240)))
        w, h = (int(v) for v in random.integers(5, 30, 2))
        cv2.rectangle(picture, (x, y), (x + w, y + h), int(random.integers(20, 235)), -1)
    return bytes(cv2.imencode(".jpg", cv2.GaussianBlur(picture, (0, 0), 1.0))[1])


@pytest.fixture
def rig(runtime: str) -> Rig:
    return load_rig(find_rig("sim"))


def camera(
    node: str, picture: bytes, notes: tuple[str, ...] = (), error: str = "", period_ms: float = 1000 / 15
) -> CameraSeen:
    seen = CameraSeen(size=(320, 240))
    seen.description = Description(
        "webcam", f"serial {node}", "", (StreamDescription("frame", 15.0, width=320, height=240),)
    )
    seen.at_ns = [round(n * period_ms * NS_PER_MS) for n in range(40)]
    seen.digests = [bytes([n]) for n in range(40)]
    seen.pictures.extend([picture] * 3)
    seen.last = Health(node, "ok", error, notes=notes)
    return seen


def known(node: str, picture: bytes, **parts: Any) -> Calibration:
    seen = gray(picture)
    reference = CheckReference(MADE, base64.b64encode(picture).decode(), float(seen.mean()), quality.sharpness(seen))
    return Calibration(f"serial {node}", node, "webcam", reference=reference, **parts)


def arm(node: str, joints: Sequence[float] = REST) -> ArmSeen:
    dimensions = tuple(Dimension(name, "rad", -3, 3) for name in JOINTS)
    description = Description("vx300s", f"serial {node}", "46", (StreamDescription("arm_state", 100.0, dimensions),))
    return ArmSeen(list(range(30)), [tuple(joints)] * 30, description=description)


def checked(
    rig: Rig,
    cameras: dict[str, CameraSeen],
    calibrations: list[Calibration],
    lags: dict[str, Lag | str] | None = None,
    joints: Sequence[float] = REST,
) -> tuple[dict[tuple[str, str], Finding], list[Picture]]:
    followers = {node: arm(node, joints) for node in rig.followers}
    files = {calibration.serial: calibration for calibration in calibrations}
    for node in followers:
        zeros = ArmCalibration(MADE, JOINTS, (0.0,) * 6, (1,) * 6, (0.0,) * 6, rest_rad=REST)
        files[f"serial {node}"] = Calibration(f"serial {node}", node, "vx300s", arm=zeros)
    found, pictures = checks_cameras.check(rig, Survey(followers, cameras), files, Board(), lags or {}, TODAY)
    return {(finding.device, finding.name): finding for finding in found}, pictures


def opened_with(seen: CameraSeen, calibration: Calibration | None) -> CameraSeen:
    """The driver was opened with that file."""
    assert seen.description is not None
    seen.description = msgspec.structs.replace(seen.description, calibration=calibration)
    return seen


def test_what_is_as_it_was_passes_but_for_a_latency_nobody_ever_measured(rig: Rig) -> None:
    found, pictures = checked(rig, {"cam_high": camera("cam_high", scene(1))}, [known("cam_high", scene(1))])
    assert {name for (_, name), f in found.items() if f.verdict != "pass"} == {"latency"}
    assert found["cam_high", "latency"].verdict == "unchecked"
    assert "calibrate latency" in found["cam_high", "latency"].next
    assert len(pictures) == 1


@pytest.mark.parametrize(
    ("date", "in_force", "verdict", "told"),
    [
        ("2026-01-02", True, "pass", "41.5 ms taken off, measured 10 days ago"),
        ("2025-09-02", True, "unchecked", "132 days ago"),
        ("2026-01-02", False, "unchecked", "not in force"),
    ],
)
def test_a_latency_measured_lately_and_taken_off_holds_though_nobody_swings(
    rig: Rig, date: str, in_force: bool, verdict: str, told: str
) -> None:
    made = Made(f"{date}T03:04:05+00:00", "ada", "motion of the followers", 180)
    file = known("cam_high", scene(1), latency=Latency(made, 41.5, 0.6))
    seen = camera("cam_high", scene(1))
    found, _ = checked(rig, {"cam_high": opened_with(seen, file if in_force else None)}, [file])
    assert found["cam_high", "latency"].verdict == verdict
    assert told in str(found["cam_high", "latency"].value)
    assert {f.verdict for (_, name), f in found.items() if name != "latency"} == {"pass"}


@pytest.mark.parametrize("by_serial", [False, True])
def test_two_swapped_cameras_are_named_and_their_places_are_not_judged(rig: Rig, by_serial: bool) -> None:
    files = [known("cam_high", scene(1)), known("cam_low", scene(2))]
    if by_serial:  # the cables are swapped: the serials are at the other nodes, and so are the pictures
        seen = {"cam_high": camera("cam_low", scene(2)), "cam_low": camera("cam_high", scene(1))}
    else:  # somebody swapped the cameras on their mounts
        seen = {"cam_high": camera("cam_high", scene(2)), "cam_low": camera("cam_low", scene(1))}
    found, pictures = checked(rig, seen, files)
    assert {key for key, f in found.items() if f.verdict == "fail"} == {
        ("cam_high", "identity"),
        ("cam_low", "identity"),
    }
    assert found["cam_high", "identity"].value == "cam_low"
    assert "swap the cables" in found["cam_high", "identity"].next
    assert not any(name.startswith("place") for _, name in found)
    assert len(pictures) == 2


def test_a_camera_at_half_its_rate(rig: Rig) -> None:
    slow = {"cam_high": camera("cam_high", scene(1), period_ms=2000 / 15)}
    found, _ = checked(rig, slow, [known("cam_high", scene(1))])
    assert found["cam_high", "frame rate"].verdict == "fail"
    assert found["cam_high", "frame rate"].value == pytest.approx(50, abs=1)


def test_controls_that_did_not_take_or_were_changed_are_told_and_other_notes_are_not(rig: Rig) -> None:
    notes = (
        "MJPG passed through",
        "41.5 ms latency taken off, measured 2026-01-02",
        "exposure did not take 120: it reads 250",
    )
    changed = "focus is 40, 5 was set: something changed it"
    seen = {"cam_high": camera("cam_high", scene(1), notes, f"{changed}; frame comes 9 times a second instead of 15")}
    found, _ = checked(rig, seen, [known("cam_high", scene(1))])
    assert found["cam_high", "controls"].verdict == "warn"
    assert found["cam_high", "controls"].value == changed
    assert str(found["cam_high", "state"].value).startswith("frame comes 9")
    seen = {"cam_high": camera("cam_high", scene(1), notes)}
    found, _ = checked(rig, seen, [known("cam_high", scene(1))])
    assert found["cam_high", "controls"].value == notes[2]


@pytest.mark.parametrize(("ms", "verdict"), [(2.0, "pass"), (-20.0, "warn"), (41.0, "fail")])
def test_latency_is_judged_where_the_arms_were_swung(rig: Rig, ms: float, verdict: str) -> None:
    seen = {"cam_high": camera("cam_high", scene(1)), "cam_low": camera("cam_low", scene(2))}
    lags: dict[str, Lag | str] = {
        "cam_high": Lag(ms, 0.5, 0.95),
        "cam_low": "the pictures' motion does not follow the arm's",
    }
    found, _ = checked(rig, seen, [known("cam_high", scene(1)), known("cam_low", scene(2))], lags)
    assert found["cam_high", "latency"].verdict == verdict
    assert found["cam_high", "latency"].value == abs(ms)
    assert found["cam_low", "latency"].verdict == "unchecked"


def shifted(picture: Pixels) -> Pixels:
    matrix = np.array([[1, 0, 5.0], [0, 1, 0]])
    return np.asarray(cv2.warpAffine(picture, matrix, (320, 240), borderMode=cv2.BORDER_REFLECT), np.uint8)


def test_a_shift_told_without_a_board_says_how_exact_it_is(rig: Rig) -> None:
    picture = gray(scene(1))
    moved = shifted(picture)
    seen = {"cam_high": camera("cam_high", bytes(cv2.imencode(".jpg", moved)[1]))}
    found, _ = checked(rig, seen, [known("cam_high", scene(1))])
    assert found["cam_high", "place, if it shifted"].verdict == "fail"
    assert found["cam_high", "place, if it shifted"].next.startswith("(± 20 %: from pictures, without a board)")


def test_a_wrist_camera_is_only_compared_where_its_arm_rests(rig: Rig) -> None:
    seen, files = {"cam_left_wrist": camera("cam_left_wrist", scene(1))}, [known("cam_left_wrist", scene(1))]
    found, _ = checked(rig, seen, files)
    assert found["cam_left_wrist", "identity"].verdict == "pass"
    lifted = (*REST[:4], REST[4] + 0.1, REST[5])
    found, _ = checked(rig, seen, files, joints=lifted)
    told = found["cam_left_wrist", checks_cameras._COMPARED]
    assert told.verdict == "unchecked"
    assert "follower_left is not on its rest stops" in str(told.value)
    assert ("cam_left_wrist", "identity") not in found


def test_which_arm_carries_a_camera(rig: Rig) -> None:
    assert carrier(rig, "cam_left_wrist") == "follower_left"
    assert carrier(rig, "cam_high") == ""
    measured = Calibration(
        "1", "cam_odd", "webcam", extrinsics=Extrinsics(MADE, "follower_right", (0, 0, 0), (1, 0, 0, 0), 0.3)
    )
    assert carrier(rig, "cam_odd", measured) == "follower_right"
    assert not on_rest(arm("follower_left"), None)


@pytest.mark.parametrize("moved", ["the board", "the camera"])
def test_a_board_off_its_mark_is_no_camera_that_moved(rig: Rig, monkeypatch: pytest.MonkeyPatch, moved: str) -> None:
    stood = looking_at((0.1, 0.08), 0.6, tilt_deg=(-30, 8))
    pose = stood.inverse()
    lens = Intrinsics(MADE, 320, 240, 533.0, 531.0, 322.5, 236.5, tuple(LENS.distortion.tolist()))
    place = Extrinsics(MADE, "board", tuple(pose.translation_m.tolist()), pose.quaternion_wxyz(), 0.6)
    now = from_vectors(np.zeros(3), np.array([0.005, 0, 0])) @ stood
    picture = gray(scene(1))
    if moved == "the camera":
        picture = shifted(picture)
    corners = LENS.project(BOARD.corners_m @ now.rotation.T + now.translation_m)
    monkeypatch.setattr(sighting, "find", lambda *_: View(corners, np.arange(len(corners)), 320, 240))
    seen = {"cam_high": camera("cam_high", bytes(cv2.imencode(".jpg", picture)[1]))}
    found, _ = checked(rig, seen, [known("cam_high", scene(1), intrinsics=lens, extrinsics=place)])
    if moved == "the camera":
        assert found["cam_high", "place, by the board"].value == pytest.approx(5.0, abs=0.1)
        assert found["cam_high", "place, by the board"].verdict == "fail"
    else:
        assert found["cam_high", "board"].verdict == "warn"
        assert "5.0 mm" in str(found["cam_high", "board"].value)
        assert found["cam_high", "place, if it shifted"].verdict == "pass"
        assert {f.verdict for f in found.values()} == {"pass", "warn", "unchecked"}


def swinging(lag_ms: float, weights: dict[str, float], noise: float = 0.03) -> tuple[dict[str, ArmSeen], Motion]:
    """Two followers that swing, and a camera that sees so much of each."""
    random = np.random.default_rng(3)
    times = np.arange(0, 12 * NS_PER_S, 10 * NS_PER_MS)
    phases = {"follower_left": 0.0, "follower_right": 1.7}

    def path(t_ns: ArrayLike, node: str) -> NDArray[np.float64]:
        t_s = np.asarray(t_ns) / NS_PER_S
        return np.asarray(0.4 * np.sin(2 * np.pi * (0.3 + 0.02 * t_s) * t_s + phases[node]))

    arms = {}
    for node in phases:
        joints = np.zeros((len(times), 6))
        joints[:, 0] = path(times, node)
        arms[node] = arm(node)
        arms[node].at_ns, arms[node].positions = times.tolist(), [tuple(row) for row in joints]
    stamps = np.arange(NS_PER_S, 11 * NS_PER_S, 66_666_667)
    moved = np.sum(
        [weight * np.diff(path(stamps - lag_ms * NS_PER_MS, node)) for node, weight in weights.items()], axis=0
    )
    px = 30 * moved * (1 + random.normal(0, noise, len(moved)))
    return arms, Motion(stamps.tolist(), list(px[:, None]))


@pytest.mark.parametrize("lag_ms", [0.0, 40.0, 95.0])
@pytest.mark.parametrize("sees", ["follower_left", "follower_right"])
def test_a_camera_s_lag_is_found_against_the_arm_it_sees(lag_ms: float, sees: str) -> None:
    found = camera_lag(*swinging(lag_ms, {sees: 1.0}))
    assert found.lag_ms == pytest.approx(lag_ms, abs=3.0)


def test_a_camera_s_lag_is_found_against_both_arms_together() -> None:
    found = camera_lag(*swinging(40.0, {"follower_left": 1.0, "follower_right": 1.0}))
    assert found.lag_ms == pytest.approx(40.0, abs=3.0)


def test_without_motion_there_is_no_lag() -> None:
    arms, motion = swinging(40.0, {"follower_left": 1.0})
    with pytest.raises(MeasurementPoor):
        camera_lag(arms, Motion(motion.at_ns, list(np.random.default_rng(1).normal(0, 1, (len(motion.px), 1)))))
    with pytest.raises(MeasurementPoor, match="no follower"):
        camera_lag({}, motion)


@pytest.mark.parametrize(("lossy", "verdict"), [(0, "pass"), (1, "warn"), (3, "fail")])
def test_pictures_that_have_lost_data_in_their_middle_do_not_pass(rig: Rig, lossy: int, verdict: str) -> None:
    jpeg = scene(1)
    torn = jpeg[: len(jpeg) // 2] + jpeg[len(jpeg) // 2 + 256 :]
    seen = camera("cam_high", jpeg)
    for number in range(lossy):
        seen.pictures[number] = torn
    found, _ = checked(rig, {"cam_high": seen}, [known("cam_high", jpeg)])
    assert found["cam_high", "content"].verdict == verdict
    assert (f"{lossy} of 3" in str(found["cam_high", "content"].value)) == (lossy > 0)


def test_two_cameras_of_one_serial_number_fail(rig: Rig) -> None:
    cameras = {
        node: camera(node, scene(number)) for number, node in enumerate(("cam_high", "cam_low", "cam_left_wrist"))
    }
    cameras["cam_low"].description = cameras["cam_high"].description
    found, _ = checked(rig, cameras, [known("cam_high", scene(0))])
    assert {node for node, name in found if name == "serial number"} == {"cam_high", "cam_low"}
    assert found["cam_low", "serial number"].verdict == "fail"
    assert "cam_high has the same" in str(found["cam_low", "serial number"].value)
