"""LeRobot 3.0: what is written reads back, and every fault that loads without an error elsewhere is found."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from station.errors import UsageError
from tests.station.datasets.exported import export_to, findings
from tests.station.datasets.faults import (
    copied,
    encoded_as,
    first_row,
    json_of,
    packets,
    parquet,
    swapped,
    truncated,
    values,
)
from tests.station.datasets.recorded import Recorded, make

pytestmark = pytest.mark.slow

DATA, EPISODES = "data/chunk-000/file-000.parquet", "meta/episodes/chunk-000/file-000.parquet"
HIGH, WRIST = (f"videos/observation.images.{name}/chunk-000/file-000.mp4" for name in ("cam_high", "cam_left_wrist"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three episodes with two instructions, as shot and as H.264, beside their sources."""
    folder = tmp_path_factory.mktemp("whole")
    for k in range(3):
        make(folder / "data", Recorded(30 + 7 * k, episode=k, instruction=("hand it over", "put it back")[k % 2]))
    for video in ("as-shot", "h264"):
        export_to(folder / video, folder / "data", video=video)
    return folder


@pytest.mark.parametrize("video", ["as-shot", "h264"])
def test_what_is_written_reads_back(whole: Path, video: str) -> None:
    assert findings(whole / video) == ()
    info = json.loads((whole / video / "meta/info.json").read_bytes())
    assert (info["total_episodes"], info["total_frames"], info["total_tasks"], info["fps"]) == (3, 111, 2, 50)
    assert list(info["splits"].values()) in (["0:3"], ["0:2", "2:3"], ["0:1", "1:3"], ["0:0", "0:3"])
    assert sorted(path.name for path in whole.iterdir()) == [
        "as-shot",
        "data",
        "h264",
    ]  # nothing of the building is left


def test_a_rate_that_is_no_whole_number_is_refused(whole: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--rate 12"):
        export_to(tmp_path / "set", whole / "data", rate_hz=12.5)


def _moved(values: list[Any]) -> list[Any]:
    return [*values[1:], values[0]]


def _plain_tasks(table: Any) -> Any:
    return table.rename_columns(["task_index", "task"]).replace_schema_metadata({})


def _limited_as_full(picture: np.ndarray) -> np.ndarray:
    return np.clip(picture.astype(float) * 219 / 255 + 16, 0, 255).astype(np.uint8)


def _stat(feature: str, name: str) -> Callable[[Any], None]:
    def change(stats: Any) -> None:
        stats[feature][name][0] = stats[feature][name][0] + 0.01

    return change


def _timestamps_back(values: list[float]) -> list[float]:
    return [values[0], values[1] - 0.02, *values[2:]]


def _in_bytes(stats: Any) -> None:
    stats[CAMERA]["mean"] = [[[110.0]], [[110.0]], [[110.0]]]


def _later(values: list[float]) -> list[float]:
    return [values[0], values[1] + 0.02, values[2]]


def _one_less(values: list[int]) -> list[int]:
    return [values[0], values[1] - 1, values[2]]


TIMES = "timestamp is not frame_index / fps"
TEXT = "__index_level_0__"
CAMERA = "observation.images.cam_high"
FROM = f"videos/{CAMERA}/from_timestamp"

FAULTS: dict[str, tuple[str, Callable[[Path], None], str]] = {
    "task rows swapped": ("h264", parquet("meta/tasks.parquet", lambda table: table.take([1, 0])), "another task's text"),
    "task text no index": ("h264", parquet("meta/tasks.parquet", _plain_tasks), "instruction `0`"),
    "task text of one row": ("h264", parquet(DATA, values("task_index", lambda v: [1 - v[0], *v[1:]])), "the task's text is"),
    "task text changed": ("h264", parquet("meta/tasks.parquet", first_row(TEXT, "do it")), "the task's text is 'do it'"),
    "episodes reversed": ("h264", parquet(EPISODES, lambda table: table.take([2, 1, 0])), "row 0 is episode 2"),
    "pictures a frame later": ("h264", parquet(EPISODES, values(FROM, _later)), "cam_high lasts"),
    "pictures shifted by one": ("as-shot", packets(HIGH, _moved), "the JPEG is not its row's"),
    "pictures of the other camera": ("as-shot", swapped(HIGH, WRIST), "the JPEG is not its row's"),
    "a frame missing": ("as-shot", packets(HIGH, lambda packets: packets[:-1]), "has 110 frames, its episodes have 111"),
    "another rate": ("as-shot", packets(HIGH, lambda packets: packets, 25), "25 frames a second"),
    "a video cut off": ("h264", truncated(HIGH), "not a video"),
    "a video away": ("h264", lambda folder: (folder / HIGH).unlink(), "is missing"),
    "red and blue swapped": ("h264", encoded_as(HIGH, lambda picture: picture[:, :, ::-1]), "dB from its row's"),
    "full range as limited": ("h264", encoded_as(HIGH, _limited_as_full), "dB from its row's"),
    "too few frames said": ("h264", json_of("meta/info.json", lambda info: info.update(total_frames=100)), "total_frames is 100"),
    "too many episodes said": ("h264", json_of("meta/info.json", lambda info: info.update(total_episodes=4)), "total_episodes is 4"),
    "another rate said": ("h264", json_of("meta/info.json", lambda info: info.update(fps=30)), "frames a second, not 30"),
    "a split too short": ("h264", json_of("meta/info.json", lambda info: info.update(splits={"train": "0:2"})), "do not cover"),
    "an action changed": ("h264", parquet(DATA, first_row("action", [0.5] * 14)), "action is not its source's in 1 of"),
    "a state of NaN": ("h264", parquet(DATA, first_row("observation.state", [float("nan")] * 14)), "state is not its source's"),
    "native times": ("h264", parquet(DATA, values("timestamp", lambda values: [at + 0.003 for at in values])), TIMES),
    "a time twice": ("h264", parquet(DATA, values("timestamp", _timestamps_back)), TIMES),
    "no index": ("h264", parquet(DATA, lambda table: table.drop_columns(["index"])), "columns are not the features"),
    "index from 1": ("h264", parquet(DATA, values("index", lambda v: [at + 1 for at in v])), "index does not count"),
    "rows of another episode": ("h264", parquet(EPISODES, values("dataset_from_index", _one_less)), "says rows"),
    "a file left over": ("h264", copied(DATA, "data/chunk-000/file-001.parquet"), "belongs to no episode"),
    "a wrong mean": ("h264", json_of("meta/stats.json", _stat("action", "mean")), "statistics of action: mean"),
    "a wrong deviation": ("h264", json_of("meta/stats.json", _stat("action", "std")), "statistics of action: std"),
    "a wrong quantile": ("h264", json_of("meta/stats.json", _stat("observation.state", "q10")), "q10 is no 10th percentile"),
    "statistics of fewer": ("h264", json_of("meta/stats.json", lambda stats: stats["action"].update(count=[90])), "of 90 frames"),
    "pictures' statistics in bytes": ("h264", json_of("meta/stats.json", _in_bytes), "the mean is said to be 110"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(whole: Path, tmp_path: Path, fault: str) -> None:
    video, plant, told = FAULTS[fault]
    shutil.copytree(whole / video, tmp_path / "set")
    plant(tmp_path / "set")
    found = findings(tmp_path / "set")
    assert any(told in finding for finding in found), found
