import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from calibration.maths import latency
from calibration.maths.flow import picture_motion
from station.errors import MeasurementPoor
from tests.calibration.rendering import looking_at, table_picture

S = 1_000_000_000
Floats = NDArray[np.float64]
Stamps = NDArray[np.int64]


def swing(t: Floats) -> Floats:
    """A joint that swings with changing speed, rad at t (s)."""
    return 0.4 * np.sin(2 * np.pi * 0.7 * t) + 0.15 * np.sin(2 * np.pi * 1.9 * t + 1.0)


def recording(
    lag_ms: float, fps: float, rate_hz: float = 100.0, seconds: float = 10.0, noise: float = 0.03, seed: int = 0
) -> tuple[Stamps, Floats, Stamps, Floats]:
    random = np.random.default_rng(seed)
    arm = np.sort(np.arange(0, seconds, 1 / rate_hz) + random.uniform(-0.0005, 0.0005, int(seconds * rate_hz)))
    stamps = np.arange(0.3, seconds - 0.3, 1 / fps) + random.uniform(0, 1 / fps)
    world = stamps - lag_ms / 1000  # a picture stamped t shows the world at t − lag
    motion = 12 * np.diff(swing(world))
    motion = motion + random.normal(0, noise * motion.std(), len(motion))
    return (arm * S).astype(np.int64), swing(arm), (stamps * S).astype(np.int64), motion


@settings(max_examples=12)
@given(lag=st.floats(-20.0, 180.0), fps=st.sampled_from([15.0, 30.0, 60.0]), seed=st.integers(0, 1000))
def test_a_cameras_lag_is_found_to_three_milliseconds(lag: float, fps: float, seed: int) -> None:
    found = latency.camera_lag(*recording(lag, fps, seed=seed))
    assert found.lag_ms == pytest.approx(lag, abs=3.0)
    assert found.correlation > 0.95


def test_forty_milliseconds_added_show_as_forty() -> None:
    before = latency.camera_lag(*recording(22.0, 30.0, seed=3))
    after = latency.camera_lag(*recording(62.0, 30.0, seed=4))
    assert after.lag_ms - before.lag_ms == pytest.approx(40.0, abs=3.0)
    assert after.uncertainty_ms < 5.0


def test_joints_that_swing_in_circles_hide_the_lag_which_is_told_not_made_up() -> None:
    """In one rhythm any lag is a sum of sine and cosine; what each part of the picture bends by decides, each its own way."""
    random = np.random.default_rng(8)
    arm_s, pictures_s = np.arange(0, 12, 0.01), np.arange(0.3, 11.7, 1 / 15)
    bent = random.normal(0, 0.4, (2, 30))

    def joints(t: Floats) -> Floats:
        return 0.1 * np.stack([np.sin(1.6 * t), np.cos(1.6 * t), np.sin(1.6 * t + 2.0)], axis=1)

    turned = joints(pictures_s - 0.08)
    seen = turned @ random.normal(0, 300, (3, 30)) * (1 + turned[:, :1] * bent[0] * 10 + turned[:, 1:2] * bent[1] * 10)
    with pytest.raises(MeasurementPoor, match="each joint in a rhythm of its own"):
        latency.camera_lag(
            (arm_s * S).astype(np.int64), joints(arm_s), (pictures_s * S).astype(np.int64), np.diff(seen, axis=0)
        )


def test_a_camera_that_sees_something_else_is_refused() -> None:
    arm_ns, joint, pictures_ns, motion = recording(20.0, 30.0)
    with pytest.raises(MeasurementPoor, match="does not follow"):
        latency.camera_lag(arm_ns, joint, pictures_ns, np.random.default_rng(1).uniform(0, 1, len(motion)))
    with pytest.raises(MeasurementPoor, match="let the arm swing"):
        latency.camera_lag(arm_ns, 0 * joint, pictures_ns, motion)


def test_parts_that_follow_nothing_or_are_seldom_seen_do_not_harm() -> None:
    """Somebody walks by in most of the picture, and the part that follows is out of view half of the time."""
    arm_ns, joint, pictures_ns, motion = recording(35.0, 15.0, seed=5)
    random = np.random.default_rng(6)
    parts = np.column_stack([motion, motion, *random.normal(0, 20, (12, len(motion)))])
    parts[random.uniform(size=len(motion)) < 0.5, 1] = np.nan
    parts[:, 2] = np.nan
    found = latency.camera_lag(arm_ns, joint, pictures_ns, parts)
    assert found.lag_ms == pytest.approx(35.0, abs=3.0)


def test_each_of_two_joints_is_found_though_one_part_sees_both() -> None:
    arm_ns, joint, pictures_ns, motion = recording(20.0, 30.0, seed=7)
    other = 0.3 * np.cos(2 * np.pi * 0.45 * arm_ns / S)
    seen = 0.3 * np.cos(2 * np.pi * 0.45 * (pictures_ns / S - 0.020))
    both = np.column_stack([motion - 20 * np.diff(seen), 20 * np.diff(seen)])
    found = latency.camera_lag(arm_ns, np.column_stack([joint, other]), pictures_ns, both)
    assert found.lag_ms == pytest.approx(20.0, abs=3.0)


def test_a_follower_that_moves_the_other_way_does_not_follow() -> None:
    t = np.arange(0, 8, 0.01)
    times, slow = (t * S).astype(np.int64), 0.4 * np.sin(2 * np.pi * 0.2 * t)
    assert latency.follower_lag(times, slow, times, -slow) is None


@settings(max_examples=12)
@given(lag=st.floats(5.0, 200.0), gain=st.floats(0.8, 1.1))
def test_a_followers_lag_per_joint(lag: float, gain: float) -> None:
    arm = np.arange(0, 8, 0.01)
    t_leader, t_follower = (arm * S).astype(np.int64), ((arm + 0.004) * S).astype(np.int64)
    found = latency.follower_lag(t_leader, swing(arm), t_follower, gain * swing(arm + 0.004 - lag / 1000) + 0.02)
    assert found is not None
    assert found.lag_ms == pytest.approx(lag, abs=1.5)


def test_a_joint_that_hardly_moved_has_no_lag() -> None:
    t = np.arange(0, 8, 0.01)
    times = (t * S).astype(np.int64)
    assert latency.follower_lag(times, 0.001 * swing(t), times, swing(t)) is None
    assert latency.follower_lag(times, swing(t), times, np.random.default_rng(0).normal(0, 1, len(t))) is None
    assert latency.follower_lag(times[:20], swing(t[:20]), times[:20], swing(t[:20])) is None


@pytest.mark.slow
def test_pictures_of_a_moving_scene_give_the_lag_end_to_end() -> None:
    """Rendered pictures, optical flow, correlation: the whole way, at 15 pictures a second."""
    fps, lag_s, seconds = 15.0, 0.07, 4.0
    stamps = np.arange(0.3, seconds, 1 / fps)
    pictures = [
        table_picture(looking_at((0.1 + 0.04 * at_rad, 0.0), 0.8, tilt_deg=(-20, 0)), seed=i)
        for i, at_rad in enumerate(swing(stamps - lag_s))
    ]
    motion = np.array([picture_motion(a, b) for a, b in itertools.pairwise(pictures)])
    arm = np.arange(0, seconds + 0.3, 0.01)
    found = latency.camera_lag((arm * S).astype(np.int64), swing(arm), (stamps * S).astype(np.int64), motion)
    assert found.lag_ms == pytest.approx(70.0, abs=3.0)
