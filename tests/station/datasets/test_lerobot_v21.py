"""LeRobot 2.1: what is written reads back, GR00T is told which numbers are which arm, and planted faults are found."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.station.datasets.exported import export_to, findings
from tests.station.datasets.faults import (
    changed,
    copied,
    encoded_as,
    first_row,
    json_lines,
    json_of,
    moved,
    packets,
    parquet,
    swapped,
    truncated,
    values,
)
from tests.station.datasets.recorded import SINGLE, Recorded, make

pytestmark = pytest.mark.slow


def data(episode: int) -> str:
    return f"data/chunk-000/episode_{episode:06d}.parquet"


def video(camera: str, episode: int) -> str:
    return f"videos/chunk-000/observation.images.{camera}/episode_{episode:06d}.mp4"


INFO, MODALITY, STATS = (f"meta/{name}.json" for name in ("info", "modality", "stats"))
EPISODES, OF_EPISODES, TASKS = (f"meta/{name}.jsonl" for name in ("episodes", "episodes_stats", "tasks"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three episodes with two instructions, as shot and as H.264, beside their sources."""
    folder = tmp_path_factory.mktemp("whole")
    for k in range(3):
        make(folder / "data", Recorded(14 + 3 * k, episode=k, instruction=("hand it over", "put it back")[k % 2]))
    for kind in ("as-shot", "h264"):
        export_to(folder / kind, folder / "data", "lerobot-v2.1", video=kind)
    return folder


@pytest.mark.parametrize("kind", ["as-shot", "h264"])
def test_what_is_written_reads_back(whole: Path, kind: str) -> None:
    assert findings(whole / kind) == ()
    info = json.loads((whole / kind / INFO).read_bytes())
    assert [info[f"total_{name}"] for name in ("episodes", "frames", "tasks", "videos", "chunks")] == [3, 51, 2, 6, 1]
    assert info["features"]["observation.images.cam_high"]["info"]["video.fps"] == 50


def test_gr00t_is_told_which_numbers_are_which_arm(whole: Path, tmp_path: Path) -> None:
    said = json.loads((whole / "h264" / MODALITY).read_bytes())
    spans = {"left_arm": (0, 6), "left_gripper": (6, 7), "right_arm": (7, 13), "right_gripper": (13, 14)}
    for kind in ("state", "action"):
        assert {name: (one["start"], one["end"]) for name, one in said[kind].items()} == spans
    make(tmp_path / "data", Recorded(14, SINGLE, ("cam_high",)))
    export_to(tmp_path / "set", tmp_path / "data", "lerobot-v2.1", space="ee-6d")
    said = json.loads((tmp_path / "set" / MODALITY).read_bytes())
    assert {name: (one["start"], one["end"]) for name, one in said["state"].items()} == {
        "right_arm": (0, 9),
        "right_gripper": (9, 10),
    }
    assert json.loads((tmp_path / "set" / STATS).read_bytes())["action"].keys() == {
        "mean",
        "std",
        "min",
        "max",
        "q01",
        "q99",
    }


def _of(feature: str, key: str) -> Callable[[list[Any]], list[Any]]:
    def change(rows: list[Any]) -> list[Any]:
        rows[1]["stats"][feature][key][0] += 0.01
        return rows

    return change


def _numbers_swapped(rows: list[Any]) -> list[Any]:
    return changed(changed(rows, 0, task_index=1), 1, task_index=0)


def _exchanged(kind: str, one: str, other: str) -> Callable[[Any], None]:
    return lambda said: said[kind].update({one: said[kind][other], other: said[kind][one]})


FAULTS: dict[str, tuple[str, Callable[[Path], None], str]] = {
    "tasks' numbers swapped": ("h264", json_lines(TASKS, _numbers_swapped), "the task's text is"),
    "a task missing": ("h264", json_lines(TASKS, lambda v: v[:1]), "another task"),
    "task of one row": ("h264", parquet(data(0), values("task_index", lambda v: [1 - v[0], *v[1:]])), "the task's text is"),
    "task of an episode": ("h264", json_lines(EPISODES, lambda v: changed(v, 0, tasks=["do it"])), "says ['do it']"),
    "episodes in another order": ("h264", json_lines(EPISODES, lambda v: v[::-1]), "does not count its episodes"),
    "another length": ("h264", json_lines(EPISODES, lambda v: changed(v, 1, length=9)), "its episodes have 9"),
    "another episode's pictures": ("as-shot", swapped(video("cam_high", 0), video("cam_high", 1)), "its episodes have"),
    "another camera's pictures": ("as-shot", swapped(video("cam_high", 0), video("cam_left_wrist", 0)), "not its row's"),
    "pictures shifted by one": ("as-shot", packets(video("cam_high", 0), moved), "the JPEG is not its row's"),
    "a frame missing": ("as-shot", packets(video("cam_high", 0), lambda v: v[:-1]), "its episodes have"),
    "another rate": ("as-shot", packets(video("cam_high", 0), lambda v: v, 25), "25 frames a second"),
    "a video cut off": ("h264", truncated(video("cam_high", 1)), "not a video"),
    "a video away": ("h264", lambda folder: (folder / video("cam_high", 1)).unlink(), "is missing"),
    "red and blue swapped": ("h264", encoded_as(video("cam_high", 0), lambda picture: picture[:, :, ::-1]), "dB from its row's"),
    "another episode's rows": ("h264", swapped(data(0), data(1)), "episode_index"),
    "rows away": ("h264", lambda folder: (folder / data(1)).unlink(), "is missing"),
    "rows left over": ("h264", copied(data(1), data(7)), "belongs to no episode"),
    "too few frames said": ("h264", json_of(INFO, lambda v: v.update(total_frames=50)), "total_frames is 50"),
    "too few videos said": ("h264", json_of(INFO, lambda v: v.update(total_videos=3)), "total_videos is 3"),
    "another version said": ("h264", json_of(INFO, lambda v: v.update(codebase_version="v2.0")), "codebase_version is v2.0"),
    "another rate said": ("h264", json_of(INFO, lambda v: v.update(fps=30)), "frames a second"),
    "a split too short": ("h264", json_of(INFO, lambda v: v.update(splits={"train": "0:2"})), "do not cover"),
    "an action changed": ("h264", parquet(data(0), first_row("action", [0.5] * 14)), "action is not its source's in 1 of"),
    "a state of NaN": ("h264", parquet(data(0), first_row("observation.state", [float("nan")] * 14)), "state is not its source's"),
    "native times": ("h264", parquet(data(0), values("timestamp", lambda v: [at + 0.003 for at in v])), "is not frame_index / fps"),
    "index from 1": ("h264", parquet(data(0), values("index", lambda v: [at + 1 for at in v])), "index does not count"),
    "a column missing": ("h264", parquet(data(0), lambda table: table.drop_columns(["stalled"])), "columns are not the features"),
    "an episode's wrong mean": ("h264", json_lines(OF_EPISODES, _of("action", "mean")), "episode 1: mean of action is wrong"),
    "two episodes' statistics swapped": ("h264", json_lines(OF_EPISODES, lambda v: [v[1], v[0], v[2]]), "does not count its episodes"),
    "a wrong deviation for GR00T": ("h264", json_of(STATS, lambda v: v["action"]["std"].__setitem__(0, 9.0)), "statistics of action: std"),
    "a wrong quantile for GR00T": ("h264", json_of(STATS, lambda v: v["action"]["q99"].__setitem__(0, -9.0)), "q99 is no 99th percentile"),
    "a key that GR00T cannot cut": ("h264", json_of(STATS, lambda v: v["action"].update(count=[51])), "GR00T takes"),
    "an arm a number short": ("h264", json_of(MODALITY, lambda v: v["state"]["left_arm"].update(end=5)), "do not cover"),
    "arms swapped": ("h264", json_of(MODALITY, _exchanged("action", "left_arm", "right_arm")), "action right_arm is left_"),
    "cameras swapped": ("h264", json_of(MODALITY, _exchanged("video", "cam_high", "cam_left_wrist")), "is another camera's pictures"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(whole: Path, tmp_path: Path, fault: str) -> None:
    kind, plant, told = FAULTS[fault]
    shutil.copytree(whole / kind, tmp_path / "set")
    plant(tmp_path / "set")
    found = findings(tmp_path / "set")
    assert any(told in finding for finding in found), found
