"""LeRobot 3.0: what is written reads back, and every fault that loads without an error elsewhere is found."""

import json
import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from station.errors import UsageError
from tests.station.datasets.exported import export_to, findings
from tests.station.datasets.recorded import Recorded, make

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


def _json(name: str, change: Callable[[Any], None]) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        content = json.loads((folder / name).read_bytes())
        change(content)
        (folder / name).write_text(json.dumps(content))

    return apply


def _parquet(name: str, change: Callable[[Any], Any]) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        pq.write_table(change(pq.read_table(folder / name)), folder / name)

    return apply


def _values(column: str, change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A column with other values, of the same type."""

    def apply(table: Any) -> Any:
        place = table.schema.get_field_index(column)
        values = change(table.column(column).to_pylist())
        return table.set_column(place, table.schema.field(column), pa.array(values, table.schema.field(column).type))

    return apply


def _first_row(column: str, value: Any) -> Callable[[Any], Any]:
    return _values(column, lambda values: [value, *values[1:]])


def _moved(values: list[Any]) -> list[Any]:
    return [*values[1:], values[0]]


def _plain_tasks(table: Any) -> Any:
    return table.rename_columns(["task_index", "task"]).replace_schema_metadata({})


def _swapped(one: str, other: str) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        kept = (folder / one).read_bytes()
        (folder / one).write_bytes((folder / other).read_bytes())
        (folder / other).write_bytes(kept)

    return apply


def _packets(change: Callable[[list[bytes]], list[bytes]], rate: int = 50) -> Callable[[Path], None]:
    """The camera's JPEGs in another order or number."""

    def apply(folder: Path) -> None:
        with av.open(str(folder / HIGH)) as file:
            packets = [bytes(packet) for packet in file.demux(video=0) if packet.size]
        with av.open(str(folder / HIGH), "w") as file:
            stream = file.add_mux_stream("mjpeg", rate=rate, width=160, height=128)
            stream.time_base = Fraction(1, rate)
            for place, data in enumerate(change(packets)):
                packet = av.Packet(data)
                packet.stream, packet.time_base, packet.is_keyframe = stream, Fraction(1, rate), True
                packet.pts = packet.dts = place
                packet.duration = 1
                file.mux(packet)

    return apply


def _encoded(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Path], None]:
    """The video with other pixels, well encoded."""

    def apply(folder: Path) -> None:
        with av.open(str(folder / HIGH)) as file:
            pictures = [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]
        with av.open(str(folder / HIGH), "w") as file:
            stream = file.add_stream("libx264", rate=50, options={"crf": "8"})
            stream.width, stream.height, stream.pix_fmt = 160, 128, "yuv420p"
            for picture in pictures:
                file.mux(stream.encode(av.VideoFrame.from_ndarray(change(picture), "rgb24")))
            file.mux(stream.encode(None))

    return apply


def _truncate(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:-2000])


def _copy(name: str, to: str) -> Callable[[Path], None]:
    return lambda folder: shutil.copy(folder / name, folder / to)  # type: ignore[return-value]


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
    "task rows swapped": ("h264", _parquet("meta/tasks.parquet", lambda table: table.take([1, 0])), "another task's text"),
    "task text no index": ("h264", _parquet("meta/tasks.parquet", _plain_tasks), "instruction `0`"),
    "task text of one row": ("h264", _parquet(DATA, _values("task_index", lambda v: [1 - v[0], *v[1:]])), "the task's text is"),
    "task text changed": ("h264", _parquet("meta/tasks.parquet", _first_row(TEXT, "do it")), "the task's text is 'do it'"),
    "episodes reversed": ("h264", _parquet(EPISODES, lambda table: table.take([2, 1, 0])), "row 0 is episode 2"),
    "pictures a frame later": ("h264", _parquet(EPISODES, _values(FROM, _later)), "cam_high lasts"),
    "pictures shifted by one": ("as-shot", _packets(_moved), "the JPEG is not its row's"),
    "pictures of the other camera": ("as-shot", _swapped(HIGH, WRIST), "the JPEG is not its row's"),
    "a frame missing": ("as-shot", _packets(lambda packets: packets[:-1]), "has 110 frames, its episodes have 111"),
    "another rate": ("as-shot", _packets(lambda packets: packets, 25), "25 frames a second"),
    "a video cut off": ("h264", _truncate(HIGH), "not a video"),
    "a video away": ("h264", lambda folder: (folder / HIGH).unlink(), "is missing"),
    "red and blue swapped": ("h264", _encoded(lambda picture: picture[:, :, ::-1]), "dB from its row's"),
    "full range as limited": ("h264", _encoded(_limited_as_full), "dB from its row's"),
    "too few frames said": ("h264", _json("meta/info.json", lambda info: info.update(total_frames=100)), "total_frames is 100"),
    "too many episodes said": ("h264", _json("meta/info.json", lambda info: info.update(total_episodes=4)), "total_episodes is 4"),
    "another rate said": ("h264", _json("meta/info.json", lambda info: info.update(fps=30)), "frames a second, not 30"),
    "a split too short": ("h264", _json("meta/info.json", lambda info: info.update(splits={"train": "0:2"})), "do not cover"),
    "an action changed": ("h264", _parquet(DATA, _first_row("action", [0.5] * 14)), "action is not its source's in 1 of"),
    "a state of NaN": ("h264", _parquet(DATA, _first_row("observation.state", [float("nan")] * 14)), "state is not its source's"),
    "native times": ("h264", _parquet(DATA, _values("timestamp", lambda values: [at + 0.003 for at in values])), TIMES),
    "a time twice": ("h264", _parquet(DATA, _values("timestamp", _timestamps_back)), TIMES),
    "no index": ("h264", _parquet(DATA, lambda table: table.drop_columns(["index"])), "columns are not the features"),
    "index from 1": ("h264", _parquet(DATA, _values("index", lambda v: [at + 1 for at in v])), "index does not count"),
    "rows of another episode": ("h264", _parquet(EPISODES, _values("dataset_from_index", _one_less)), "says rows"),
    "a file left over": ("h264", _copy(DATA, "data/chunk-000/file-001.parquet"), "belongs to no episode"),
    "a wrong mean": ("h264", _json("meta/stats.json", _stat("action", "mean")), "statistics of action: mean"),
    "a wrong deviation": ("h264", _json("meta/stats.json", _stat("action", "std")), "statistics of action: std"),
    "a wrong quantile": ("h264", _json("meta/stats.json", _stat("observation.state", "q10")), "q10 is no 10th percentile"),
    "statistics of fewer": ("h264", _json("meta/stats.json", lambda stats: stats["action"].update(count=[90])), "of 90 frames"),
    "pictures' statistics in bytes": ("h264", _json("meta/stats.json", _in_bytes), "the mean is said to be 110"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(whole: Path, tmp_path: Path, fault: str) -> None:
    video, plant, told = FAULTS[fault]
    shutil.copytree(whole / video, tmp_path / "set")
    plant(tmp_path / "set")
    found = findings(tmp_path / "set")
    assert any(told in finding for finding in found), found
