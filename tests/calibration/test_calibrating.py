"""What `station calibrate` does with an operator and a rig: a listener of made-up readings stands where the bus would."""

import datetime
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from calibration import calibrate_latency, measuring
from calibration.arms import calibrate as calibrate_arms
from calibration.arms.motion import Motion
from calibration.cameras import calibrate as calibrate_cameras
from calibration.cameras import sighting
from calibration.cameras.board import View
from calibration.checks import arms as checks_arms
from calibration.checks.survey import CameraSeen
from calibration.maths.poses import angle_deg, distance_mm, from_quaternion, from_vectors
from calibration.measuring import Measuring
from drivers.dynamixel.settings import DynamixelSettings, Gripper
from station.client import Station
from station.clock import NS_PER_MS, NS_PER_S
from station.errors import MeasurementPoor
from station.files import calibration_files
from station.files.calibration_files import ArmCalibration, Calibration, GripperRange, Intrinsics, Latency
from station.files.check_results import Finding
from station.rig.rig import find_rig, load_rig
from tests.calibration.made_up_rig import JOINTS, MADE, REST, World, arm_description
from tests.calibration.rendering import BOARD, HEIGHT, LENS, WIDTH, looking_at


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runtime: str) -> World:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    made = World(load_rig(find_rig("sim")))
    monkeypatch.setattr(measuring, "Listener", lambda _rig: made)
    return made


@pytest.fixture
def bench(world: World) -> Iterator[Measuring]:
    rig = load_rig(find_rig("sim"))
    with Measuring(rig, "ada", world, False, lambda: world.now_ns, Station) as ready:
        yield ready


def in_force(world: World, node: str, **parts: Any) -> None:
    """The device was opened with this file."""
    known = Calibration(f"serial {node}", node, "vx300s", **parts)
    calibration_files.save(known)
    seen = world.seen.arms.get(node) or world.seen.cameras[node]
    assert seen.description is not None
    seen.description = msgspec.structs.replace(seen.description, calibration=known)


def zeros(offsets: Sequence[float] = (0.0,) * 6, **parts: Any) -> ArmCalibration:
    return ArmCalibration(MADE, JOINTS, tuple(offsets), (1,) * 6, (0.0,) * 6, **parts)


def stored(node: str) -> Calibration:
    found = calibration_files.load(f"serial {node}")
    assert found is not None
    return found


def stored_arm(node: str) -> ArmCalibration:
    arm = stored(node).arm
    assert arm is not None
    return arm


def travel(arm: ArmCalibration) -> GripperRange:
    assert arm.gripper is not None
    return arm.gripper


def test_where_an_arm_rests_is_kept_and_its_zeros_stay(world: World, bench: Measuring) -> None:
    def place_again(by: float) -> None:
        world.joints["follower_left"] = REST + by

    world.acts = [partial(place_again, by) for by in (0.0, 0.002, -0.002)]
    assert "repeatable to 0.11°; zeros as before" in calibrate_arms.zero(bench, "follower_left", 3, None)
    kept = stored_arm("follower_left")
    assert kept.rest_rad == pytest.approx(REST, abs=1e-6)
    assert kept.offsets_rad == (0.0,) * 6
    assert (kept.made.operator, kept.made.method) == ("ada", "rest stops")
    assert len(world.told) == 3


def test_a_jig_moves_the_zeros_and_what_the_driver_has_in_force_is_undone_first(world: World, bench: Measuring) -> None:
    in_force(world, "follower_left", arm=zeros((0.3, 0, 0, 0, 0, 0)))
    true = REST + np.array([0.02, 0, 0, 0, -0.01, 0])  # the driver reads REST there
    told = calibrate_arms.zero(bench, "follower_left", 1, np.degrees(true).tolist())
    assert "waist -1.15°" in told
    assert "wrist_angle +0.57°" in told
    assert stored_arm("follower_left").offsets_rad == pytest.approx((0.28, 0, 0, 0, 0.01, 0), abs=1e-6)
    assert stored_arm("follower_left").rest_rad == pytest.approx(true, abs=1e-6)


def test_a_file_that_is_not_yet_in_force_is_built_upon(world: World, bench: Measuring) -> None:
    in_force(world, "follower_left", arm=zeros((0.3, 0, 0, 0, 0, 0)))
    calibration_files.save(
        Calibration("serial follower_left", "follower_left", "vx300s", arm=zeros((0.5, 0, 0, 0, 0, 0)))
    )
    calibrate_arms.zero(bench, "follower_left", 1, None)
    assert stored_arm("follower_left").offsets_rad[0] == 0.5
    rest_rad = stored_arm("follower_left").rest_rad
    assert rest_rad is not None and rest_rad[0] == pytest.approx(-0.2, abs=1e-6)


def test_an_arm_with_torque_is_not_zeroed(world: World, bench: Measuring) -> None:
    world.torque = True
    bench.listen(0.1)
    with pytest.raises(MeasurementPoor, match=r"torque on.*park --release"):
        calibrate_arms.zero(bench, "follower_left", 1, None)
    with pytest.raises(MeasurementPoor, match="torque on"):
        list(calibrate_arms.compare(bench, "leader_left", "follower_left", 3))


def compared(bench: Measuring) -> tuple[dict[str, str], str]:
    """Joint → what is said of it, and the refusal at the end."""
    lines = {}
    with pytest.raises(MeasurementPoor) as refusal:
        for line in calibrate_arms.compare(bench, "leader_left", "follower_left", 5):
            lines[line.split(": ")[1].split()[0]] = line
    return lines, str(refusal.value)


def test_leader_and_follower_are_compared_pose_by_pose(world: World, bench: Measuring) -> None:
    random = np.random.default_rng(4)

    def pose() -> None:
        both = random.uniform(-1, 1, 6)
        world.joints["follower_left"] = both
        world.joints["leader_left"] = np.array([*(both + np.radians([0, 0, 2.0, 0, 0, 0]))[:5], -both[5]])

    world.acts = [pose] * 5
    lines, refusal = compared(bench)
    assert set(lines) == set(JOINTS)
    assert "disagree in elbow, wrist_rotate" in refusal
    assert "elbow +2.00°" in lines["elbow"]
    assert "one of the two zeros is off" in lines["elbow"]
    assert "that is no zero, but a sign" in lines["wrist_rotate"]
    assert lines["waist"].endswith("within 0.00°")


def ranges(bench: Measuring, kept: ArmCalibration, known: dict[str, Calibration], days: int = 0) -> dict[str, Finding]:
    """Device → what the check says of its gripper's range, so many days after `kept` was measured."""
    assert kept.gripper_made is not None
    today = datetime.date.fromisoformat(kept.gripper_made.date[:10]) + datetime.timedelta(days)
    found = checks_arms.check(bench.rig, bench.seen, known, today)
    return {finding.device: finding for finding in found if finding.name == "gripper range"}


@pytest.mark.parametrize("measured_before", [False, True])
def test_a_gripper_that_opens_a_tenth_too_little_is_measured_stored_and_found_by_the_check(
    world: World, bench: Measuring, measured_before: bool
) -> None:
    full, short = GripperRange(1.4910, -0.6213, 0.058, 0.01844), 1.4910 - 0.1 * (1.4910 + 0.6213)
    normal = full
    if measured_before:  # the driver then normalises by that
        normal = GripperRange(1.40, -0.60, 0.056, 0.019)
        in_force(world, "follower_left", arm=zeros(gripper=normal))

    def aperture(t_s: float) -> float:
        rad = full.close_rad + (short - full.close_rad) * (0.5 - 0.5 * np.cos(2 * np.pi * t_s / 2))
        return float((rad - normal.close_rad) / (normal.open_rad - normal.close_rad))

    world.gripper = aperture
    assert "opens +10." in calibrate_arms.gripper(bench, "follower_left", 6.0)
    kept = stored_arm("follower_left")
    assert travel(kept).open_rad == pytest.approx(short, abs=0.01)
    known = {"serial follower_left": stored("follower_left")}
    found = ranges(bench, kept, known)
    mine = found.pop("follower_left")
    assert mine.verdict == "fail"
    assert mine.value == pytest.approx(10.0, abs=0.5)
    assert {other.verdict for other in found.values()} == {"unchecked"}
    forgotten = msgspec.structs.replace(kept, gripper_made=None)
    undated = {s: msgspec.structs.replace(c, arm=forgotten) for s, c in known.items()}
    assert ranges(bench, kept, undated)["follower_left"].value == "nobody noted when its travel was measured"
    old = ranges(bench, kept, known, days=91)["follower_left"]
    assert (old.verdict, old.value) == ("unchecked", "its travel was measured 91 days ago")


@pytest.mark.parametrize(("open_rad", "close_rad"), [(3.5, 2.8), (2.8, 3.5)])
def test_a_travel_of_the_rig_files_own_is_compared_with_that(
    world: World, bench: Measuring, open_rad: float, close_rad: float
) -> None:
    settings = DynamixelSettings(
        "gello", "/dev/x", rate_hz=30, gripper=Gripper(open_rad, close_rad), offsets_rad=(0.0,) * 6
    )
    world.seen.arms["leader_left"].description = arm_description("leader_left", settings)
    world.gripper = lambda t_s: 0.94 * (0.5 - 0.5 * np.cos(np.pi * t_s))
    assert "travel 93." in calibrate_arms.gripper(bench, "leader_left", 6.0)
    kept = stored_arm("leader_left")
    assert (travel(kept).open_m, travel(kept).close_m) == pytest.approx((0.94, 0.0), abs=0.004)
    known = {"serial leader_left": stored("leader_left")}
    mine = ranges(bench, kept, known)["leader_left"]
    assert mine.verdict == "warn"
    assert mine.value == pytest.approx(6.0, abs=0.5)


def test_a_wrist_camera_is_placed_by_hand_eye_within_a_millimetre_and_a_fifth_of_a_degree(
    world: World, bench: Measuring, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera, arm = "cam_left_wrist", "follower_left"
    lens = Intrinsics(MADE, WIDTH, HEIGHT, 533.0, 531.0, 322.5, 236.5, tuple(LENS.distortion.tolist()))
    calibration_files.save(Calibration(f"serial {camera}", camera, "webcam", intrinsics=lens))
    true = from_vectors(np.array([-1.8, 0.1, -1.5]), np.array([-0.07, 0.02, 0.06]))
    gripper_at, random = calibrate_cameras.GripperPose(bench, arm), np.random.default_rng(2)
    middle = np.array([0.0, -0.6, 0.8, 0.0, 0.6, 0.0])
    board = gripper_at(middle) @ true @ looking_at((0.1, 0.07), 0.4)
    world.acts = [lambda: None]
    truth = middle.copy()

    def corners(joints: NDArray[np.float64]) -> NDArray[np.float64]:
        seen = (gripper_at(joints) @ true).inverse() @ board
        return LENS.project(BOARD.corners_m @ seen.rotation.T + seen.translation_m)

    def hold(joints: NDArray[np.float64]) -> None:  # the servos read half a tick off
        world.joints[arm] = joints + random.normal(0, 0.0008, 6)
        truth[:] = joints

    while len(world.acts) <= calibrate_cameras.STOPS:
        joints = middle + random.uniform(-0.35, 0.35, 6)
        px = corners(joints)
        if px.min() > 0 and px[:, 0].max() < WIDTH and px[:, 1].max() < HEIGHT:
            world.acts.append(partial(hold, joints))

    def find(_gray: object, _board: object) -> View:
        px = corners(truth)
        return View(px + random.normal(0, 0.03, px.shape), np.arange(len(px)), WIDTH, HEIGHT)

    monkeypatch.setattr(sighting, "find", find)
    monkeypatch.setattr(CameraSeen, "grays", lambda *_: [np.zeros((HEIGHT, WIDTH), np.uint8)])
    told = calibrate_cameras.wrist(bench, camera, arm, BOARD)
    kept = stored(camera).extrinsics
    assert kept is not None
    found = from_quaternion(kept.quaternion_wxyz, kept.xyz_m)
    assert kept.parent == arm
    assert distance_mm(found, true) < 1.0
    assert angle_deg(found, true) < 0.2
    assert 0 < kept.made.residuals["held_out_mm"] < 2.5
    assert f"{kept.made.residuals['held_out_mm']:.2f} mm" in told
    assert kept.depth_m == pytest.approx(0.4, abs=0.1)


@pytest.mark.slow
def test_a_wrist_camera_without_a_lens_or_with_too_few_stops_is_refused(
    world: World, bench: Measuring, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(MeasurementPoor, match="no measured lens"):
        calibrate_cameras.wrist(bench, "cam_left_wrist", "follower_left", BOARD)
    lens = Intrinsics(MADE, WIDTH, HEIGHT, 533.0, 531.0, 322.5, 236.5, (0.0,) * 5)
    calibration_files.save(Calibration("serial cam_left_wrist", "cam_left_wrist", "webcam", intrinsics=lens))
    monkeypatch.setattr(sighting, "find", lambda *_: None)
    monkeypatch.setattr(CameraSeen, "grays", lambda *_: [np.zeros((HEIGHT, WIDTH), np.uint8)])
    with pytest.raises(MeasurementPoor, match="0 stops, 8 are needed"):
        calibrate_cameras.wrist(bench, "cam_left_wrist", "follower_left", BOARD)
    assert sum("this stop is left out" in told for told in world.told) == calibrate_cameras.STOPS


def test_a_measured_latency_adds_to_the_one_in_force_and_lags_are_kept(
    world: World, bench: Measuring, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_force(world, "cam_high", latency=Latency(MADE, 30.0, 1.0))
    late_ns = 12 * NS_PER_MS  # what is left

    def pose(t_ns: float) -> NDArray[np.float64]:
        t_s = t_ns / NS_PER_S
        return np.asarray(
            REST + 0.5 * np.sin(2 * np.pi * 0.35 * t_s * (1 + 0.05 * t_s)) * np.array([1, 0, 0.5, 0, 0, 0])
        )

    def watch(_nodes: object, seconds: float) -> dict[str, Motion]:
        times = np.arange(10**9, 10**9 + int(seconds * NS_PER_S), 10 * NS_PER_MS)
        for node, arm in world.seen.arms.items():
            lag_ns = 80 * NS_PER_MS if node.startswith("follower") else 0
            arm.at_ns[:] = times.tolist()
            arm.positions[:] = [(*pose(t - lag_ns), 0.0) for t in times.tolist()]
        stamps = np.arange(10**9 + NS_PER_S, 10**9 + int((seconds - 1) * NS_PER_S), 66_666_667)
        seen = [pose(t - 80 * NS_PER_MS - late_ns)[0] for t in stamps.tolist()]
        return {"cam_high": Motion(stamps.tolist(), list(40 * np.diff(seen)[:, None]))}

    monkeypatch.setattr(bench, "watch_motion", watch)
    lines = list(calibrate_latency.latencies(bench, ["cam_high"], 12.0))
    latency = stored("cam_high").latency
    assert latency is not None and latency.latency_ms == pytest.approx(42.0, abs=3.0)
    assert "ms in all" in lines[0]
    lags = stored_arm("follower_left").lag_ms
    assert set(lags) == {"waist", "elbow"}
    assert lags["waist"] == pytest.approx(80.0, abs=1.5)
    assert stored_arm("follower_left").offsets_rad == (0.0,) * 6


def test_devices_that_would_share_a_calibration_file_are_refused_before_anything_is_asked(
    world: World, bench: Measuring
) -> None:
    world.seen.cameras["cam_low"].description = world.seen.cameras["cam_high"].description
    with pytest.raises(MeasurementPoor, match=r"cam_high says it has serial serial cam_high, and so does cam_low"):
        bench.chosen(["cam_high", "cam_low"], ["cam_high"])
    assert bench.chosen(["cam_left_wrist"], None) == ["cam_left_wrist"]


QUARTERS_DEG = (0, -90, 90, -90, -90, 0)


def test_a_gello_is_held_as_its_follower_begins_and_its_offsets_are_found_in_that_pose(
    world: World, bench: Measuring
) -> None:
    follower = world.seen.arms["follower_left"]
    assert follower.description is not None
    (arm, *_), starts = follower.description.streams, (*np.radians(QUARTERS_DEG), 0.0)
    begins = [msgspec.structs.replace(d, start=start) for d, start in zip(arm.dimensions, starts, strict=True)]
    streams = (msgspec.structs.replace(arm, dimensions=tuple(begins)),)
    follower.description = msgspec.structs.replace(follower.description, streams=streams)
    held = np.radians([3.0, -90, 90, -90 + 180, -90, 90 - 2])

    def turn(number: int) -> None:
        world.joints["leader_left"] = lambda t_s: np.eye(6)[number] * 0.3 * (t_s - 1)

    world.acts.extend([*(partial(turn, number) for number in range(6)), lambda: world.joints.update(leader_left=held)])
    calibrate_arms.gello(bench, "leader_left")
    assert "0°, -90°, 90°, -90°, -90°, 0°" in world.told[-1]
    kept = calibration_files.load("serial leader_left")
    assert kept is not None and kept.arm is not None
    turned = np.degrees(np.abs(np.array(kept.arm.offsets_rad)))
    assert turned == pytest.approx([0, 0, 0, 180, 0, 90], abs=1e-6)
