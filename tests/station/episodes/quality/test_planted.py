"""Every finding is planted into a recording that has none, built as any episode is, and must be found: alone, where it is."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import h5py
import msgspec
import numpy as np
import pytest

from station.episodes import naming
from station.episodes.quality.card import Card, Finding
from station.episodes.quality.findings import LIMITS, of_stream
from station.episodes.quality.store import card, card_in
from station.episodes.verify import verify
from station.files.calibration_files import ArmCalibration, Calibration, Made
from station.files.check_results import SessionCheck
from tests.station.episodes.quality.scene import HZ, WALL_S, Scene, Vector, clean_picture, jpeg, moving, scenery
from tests.station.episodes.recording import JOINTS, arm_description

pytestmark = pytest.mark.slow


def between(start_s: float, end_s: float) -> Callable[[float], bool]:
    return lambda at_s: start_s <= at_s < end_s


def spoilt(change: Callable[[Any], Any], start_s: float, end_s: float, camera: str = "cam_low") -> Scene:
    """One camera's pictures, changed for a while."""
    changed: dict[int, bytes] = {}

    def picture(name: str, moment: int, at_s: float) -> bytes:
        if name != camera or not start_s <= at_s < end_s:
            return clean_picture(name, moment)
        return changed.setdefault(moment, jpeg(change(scenery(name)), moment))

    return Scene(picture=picture)


def frozen_picture(name: str, moment: int, at_s: float) -> bytes:
    return clean_picture(name, 95 if name == "cam_high" and 3.2 <= at_s < 4.2 else moment)


def bumped(joint: int, by: float, start_s: float, end_s: float) -> Callable[[float, Vector], Vector]:
    def change(at_s: float, pose: Vector) -> Vector:
        changed = pose.copy()
        changed[joint] += by * (start_s <= at_s < end_s)
        return changed

    return change


def pushed_away(at_s: float, pose: Vector) -> Vector:
    return bumped(8, 0.5 * np.sin(np.pi * (at_s - 2.0) / 2.0) ** 2, 2.0, 4.0)(at_s, pose)


def tremor(at_s: float) -> Vector:
    pose = moving(at_s)
    pose[9] += 0.04 * np.sin(2 * np.pi * 6 * at_s)
    return pose


def resting(start_s: float, end_s: float) -> Callable[[float], Vector]:
    """The same path, on which time stands still for a while."""
    return lambda at_s: moving(at_s if at_s < start_s else start_s if at_s < end_s else at_s - (end_s - start_s))


def gripper_still(at_s: float) -> Vector:
    pose = moving(at_s)
    pose[13] = 0.9
    return pose


def at_the_limit(at_s: float) -> Vector:
    pose = moving(at_s)
    pose[2] = min(pose[2], 0.3)
    return pose


def frozen_arm(at_s: float, pose: Vector) -> Vector:
    return np.concatenate([moving(2.0)[:7], pose[7:]]) if 2.0 <= at_s < 2.7 else pose


def of(lower: float, upper: float) -> Any:
    about = arm_description(200)
    [stream] = about.streams
    dimensions = tuple(
        msgspec.structs.replace(each, lower=lower, upper=upper) if each.name == "elbow" else each
        for each in stream.dimensions
    )
    return msgspec.structs.replace(about, streams=(msgspec.structs.replace(stream, dimensions=dimensions),))


def calibrated(days: int) -> Any:
    date = (datetime.fromtimestamp(WALL_S, UTC) - timedelta(days=days, hours=1)).isoformat()
    made = Made(date, "ann", "by hand", 5)
    arm = ArmCalibration(made, JOINTS[:6], (0.0,) * 6, (1,) * 6, (0.0,) * 6)
    return msgspec.structs.replace(
        arm_description(200), calibration=Calibration("FT0", "follower_left", "vx300s", arm=arm)
    )


def scattered(stream: str, at_s: float) -> float:
    return at_s + (0.012 if stream == "cam_high" and round(at_s * 30) % 2 else 0.0)


def slow(stream: str, at_s: float) -> bool:
    return stream == "cam_low" and round(at_s * 30) % 3 == 0


PLANTED: dict[str, tuple[Scene, str, float, float]] = {
    # name: the scene, on what, the second in which it begins or is worst (−1: none), the value (about)
    "rate": (Scene(drop=slow), "cam_low", -1, 20),
    "gap": (Scene(drop=lambda stream, at_s: stream == "cam_high" and 2.0 < at_s < 2.3), "cam_high", 2.0, 333),
    "jitter": (Scene(stamp=scattered), "cam_high", -1, 24),
    "lost": (Scene(lose=lambda stream, at_s: stream == "leader_left" and 2.0 < at_s < 2.02), "leader_left", -1, 4),
    "frozen": (Scene(picture=frozen_picture), "cam_high", 3.2, 1.0),
    "frozen arm": (Scene(measured=frozen_arm), "follower_left", 2.02, 0.68),
    "dark": (spoilt(lambda picture: picture // 12, 2.0, 4.0), "cam_low", -1, 9),
    "overexposed": (spoilt(lambda picture: np.maximum(picture, 255 * (np.arange(160) < 70)[None, :, None]), 2, 4), "cam_low", -1, 0.4),
    "blurred": (spoilt(lambda picture: cv2.GaussianBlur(picture, (0, 0), 4), 2.0, 4.0), "cam_low", -1, 0.026),
    "lag": (Scene(measured=lambda at_s, pose: moving(at_s - 0.2)), "follower_left", -1, 200),
    "tracking": (Scene(measured=pushed_away), "right_shoulder", -1, 0.18),
    "clipped": (Scene(asked=bumped(3, 0.2, 1.0, 2.6)), "left_forearm_roll", 1.0, 1.6),
    "limit": (Scene(goal=at_the_limit, descriptions={"follower_left": of(-3, 0.31)}), "left_elbow", -1, 1.2),
    "jerk": (Scene(goal=tremor), "right_elbow", -1, 380),
    "idle_head": (Scene(goal=resting(-1.0, 1.5), seconds=7), "", 0.0, 1.5),
    "idle_tail": (Scene(goal=lambda at_s: moving(min(at_s, 4.2))), "", 4.3, 1.7),
    "paused": (Scene(goal=resting(2.0, 4.5), seconds=8), "", 2.1, 2.4),
    "held": (Scene(source=lambda at_s: "hold" if 3.0 <= at_s < 3.6 else "leader"), "", 3.0, 0.6),
    "stalled": (Scene(stalled=between(2.0, 2.3)), "", -1, 1),
    "gripper_still": (Scene(goal=gripper_still), "follower_right", -1, 0),
    "unchecked": (Scene(check=None), "", -1, 1),
    "check_failed": (Scene(check=SessionCheck("fail", WALL_S - 3600, "only tonight", ())), "", -1, 1),
    "check_old": (Scene(check=SessionCheck("pass", WALL_S - 20 * 3600, "", ())), "", -1, 20),
    "calibration_old": (Scene(descriptions={"follower_left": calibrated(300)}), "follower_left", -1, 300),
}  # fmt: skip
WITH_IT = {
    "rate": {"jitter"},
    "gap": {"old"},
    "frozen arm": {"tracking"},
    "tracking": set(),
    "lag": set(),
    "jerk": set(),
}
"""What cannot but be found as well."""


def found(made: Card) -> dict[str, list[Finding]]:
    by_name: dict[str, list[Finding]] = {}
    for finding in made.findings:
        by_name.setdefault(finding.name, []).append(finding)
    return by_name


def test_nothing_is_found_where_nothing_is(tmp_path: Path) -> None:
    path = Scene().build(tmp_path)
    made = card(path)
    assert [f"{finding.name} of {finding.on}: {finding.value}" for finding in made.findings] == []
    assert made.not_measured == ()
    assert made.native
    assert all(stream.native for stream in made.streams.values())
    assert made.streams["cam_high"].rate_hz == pytest.approx(30, rel=0.01)
    assert made.streams["follower_left"].rate_hz == pytest.approx(200, rel=0.01)
    assert all(picture.per_s >= 2 for picture in made.pictures.values())
    assert made.arms["follower_left"].lag_ms == pytest.approx(40, abs=6)
    assert made.arms["follower_right"].gripper_travel == pytest.approx(0.8, abs=0.05)
    assert made.check is not None and made.check.age_h == pytest.approx(1.0, abs=0.01)
    assert not naming.quality_path(path).exists()  # it is in the file
    assert verify(path) == []


@pytest.mark.parametrize("name", PLANTED)
def test_what_was_planted_is_found_where_it_is(name: str, tmp_path: Path) -> None:
    scene, on, second, value = PLANTED[name]
    made = card(scene.build(tmp_path))
    by_name = found(made)
    what = name.split()[0]
    assert what in by_name, made.findings
    assert by_name.keys() <= {what} | WITH_IT.get(name, set()), made.findings
    here = [finding for finding in by_name[what] if finding.on == on]
    assert here, by_name[what]
    assert here[0].look_at
    assert here[0].value == pytest.approx(value, rel=0.35, abs=0.01)
    if second >= 0:
        assert here[0].row == pytest.approx(second * HZ, abs=4)


def test_every_kind_of_finding_is_planted() -> None:
    assert {name.split()[0] for name in PLANTED} | {"old"} == LIMITS.keys()


def test_old_samples_are_found(tmp_path: Path) -> None:
    """A stream whose samples come late shows what was: its stamps are regular, and its ages are not."""
    stream = card(Scene().build(tmp_path)).streams["cam_low"]
    assert list(of_stream("cam_low", stream)) == []
    [found] = of_stream("cam_low", msgspec.structs.replace(stream, age_p99_ms=250.0))
    assert (found.name, found.value) == ("old", 250.0)


def test_later_measured_from_the_file_it_says_the_same_of_the_rows(tmp_path: Path) -> None:
    """An episode without a card in itself: everything but the stamps between the rows."""
    path = spoilt(lambda picture: picture // 12, 2.0, 4.0).build(tmp_path)
    built = card(path)
    with h5py.File(path, "r+") as file:
        del file.attrs["quality"]
    later = card(path)
    assert naming.quality_path(path).exists()
    assert (later.arms, later.motion, later.check) == (built.arms, built.motion, built.check)
    assert later.pictures == built.pictures
    assert not later.native
    assert later.streams["cam_low"].rate_hz == pytest.approx(30, rel=0.02)
    assert [finding.name for finding in later.findings] == ["dark"]
    before = naming.quality_path(path).stat().st_mtime_ns
    assert card(path) == later
    assert naming.quality_path(path).stat().st_mtime_ns == before
    naming.quality_path(path).write_bytes(b"{}")
    assert card(path) == later


def test_a_card_beside_is_only_believed_of_its_own_recording(tmp_path: Path) -> None:
    path = Scene(seconds=1.0).build(tmp_path)
    with h5py.File(path, "r+") as file:
        del file.attrs["quality"]
    made = card(path)
    other = msgspec.structs.replace(made, recording=None, rows=7)
    naming.quality_path(path).write_bytes(msgspec.json.encode(other))
    assert card(path) == made


def test_what_cannot_be_measured_keeps_no_episode_from_being_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from station.episodes import build
    from station.episodes.quality import pictures

    monkeypatch.setattr(pictures, "look", lambda row, grey: 1 / 0)
    path = Scene(seconds=1.0).build(tmp_path, 0)
    with h5py.File(path) as file:
        made = card_in(file)
    assert made is not None and made.not_measured[0].startswith("pictures from row 0 on: ZeroDivisionError")
    monkeypatch.setattr(build, "card_of", lambda file, gauge: 1 / 0)
    path = Scene(seconds=1.0).build(tmp_path, 1)
    with h5py.File(path) as file:
        assert file.attrs["quality"] == ""
        assert len(file["/action"]) == 50
    assert verify(path) == []


def test_pictures_that_are_none_are_told(tmp_path: Path) -> None:
    torn = b"\xff\xd8\xff" + bytes(100)
    made = card(Scene(seconds=1.0, picture=lambda name, moment, at_s: torn + bytes([moment])).build(tmp_path))
    assert made.pictures == {}
    assert set(made.not_measured) == {f"{name}: no picture could be decoded" for name in ("cam_high", "cam_low")}
