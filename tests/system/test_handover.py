"""The first issue of every day: record a hand-over on the simulated rig, look into the file, play it again."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest

from drivers.sim.world.mujoco_world import TRUTH
from station.bus.messages import Vector
from station.bus.requests import OpenSession
from station.bus.sockets import Subscriber
from station.cli.headless import record_headless
from station.client import Station, connect
from station.episodes.naming import number_of
from station.episodes.verify import verify
from tests.pictures import bgr

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

SECONDS = 11.0


@pytest.fixture
def station(runtime: str) -> Iterator[Station]:
    with connect("sim") as station:
        yield station


def handed_over(truth: Subscriber) -> list[float]:
    """What the world itself says, over time."""
    said = []
    while (sample := truth.receive()) is not None:
        assert isinstance(sample.body, Vector)
        said.append(sample.body.values[TRUTH.index("done")])
    return said


@pytest.fixture
def truth(station: Station) -> Iterator[Subscriber]:
    with station.subscribe([("vector", "world")]) as truth:
        yield truth


def record(station: Station, data: Path) -> Path:
    """A whole episode of it."""
    assert record_headless(station, OpenSession("handover", str(data), "scripted"), 1, SECONDS) == 0
    return max((data / "handover").glob("episode_*.hdf5"), key=number_of)


def play_again(path: Path, truth: Subscriber) -> list[float]:
    """What the world says of a whole replay, as its operator asks for it."""
    handed_over(truth)  # what was before is none of it
    command = [sys.executable, "-m", "station.cli", "replay", str(path), "--rig", "sim"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"replayed {SECONDS * 50:.0f} ticks" in done.stdout
    return handed_over(truth)


def test_a_hand_over_is_recorded_and_replayed(station: Station, truth: Subscriber, tmp_path: Path) -> None:
    path = record(station, tmp_path)
    assert 1.0 in handed_over(truth), "the left gripper alone held the cube (the operator has put it back since)"
    assert verify(path) == []
    with h5py.File(path) as file:
        look_at_rows(file)
        look_at_pictures(file)
    said = play_again(path, truth)
    assert said[0] == 0.0, "the cube was put back first"
    assert 1.0 in said, "the replay moved it again"


def look_at_rows(file: h5py.File) -> None:
    ticks = file["/timestamps/tick"][:]
    assert len(ticks) == SECONDS * 50
    assert set(np.diff(ticks)) == {20_000_000}, "an absolute grid, no row missing"
    for stream in ("leader_left", "follower_right", "cam_high", "cam_left_wrist"):
        captured, age = file[f"/timestamps/{stream}"][:], file[f"/sync/age/{stream}"][:]
        assert (captured + age == ticks).all()
        assert (age >= 0).all()
        is_new = file[f"/sync/is_new/{stream}"][1:]
        assert (is_new == (np.diff(captured) != 0)).all()
        assert is_new.any()
    names = list(file["/control/source"].attrs["names"])
    assert {names[code] for code in file["/control/source"][:]} == {"leader"}
    qpos, sent = file["/observations/qpos"][:], file["/action_sent"][:]
    arms = [i for i in range(14) if i % 7 != 6]
    assert np.abs(qpos[50:, arms] - sent[50:, arms]).max() < 0.3, "followers follow"
    assert np.ptp(qpos[:, 13]) > 0.3, "the right gripper opened and closed"


def look_at_pictures(file: h5py.File) -> None:
    images, lengths = file["/observations/images/cam_high"], file["/compress_len"][0]
    first, last = (bgr(images[row][: int(lengths[row])]) for row in (0, -1))
    assert red_column(first) > 320, "the cube begins on the right"
    assert red_column(last) < 320, "and ends on the left"


def red_column(picture: np.ndarray) -> float:
    blue, green, red = (picture[..., i].astype(int) for i in range(3))
    return float(np.nonzero((red > 120) & (green < 80) & (blue < 80))[1].mean())
