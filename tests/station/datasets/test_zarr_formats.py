"""Diffusion Policy's and UMI's replay buffers: what is in them, that they read back, and that planted faults are found."""

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.datasets.formats import zarr_arrays
from station.errors import UsageError
from tests.consumers.truth import assert_equal, rows
from tests.station.datasets.exported import export_to, findings
from tests.station.datasets.faults import moved, packets, swapped, truncated
from tests.station.datasets.recorded import BIMANUAL, SINGLE, Recorded, make

pytestmark = pytest.mark.slow

ZIP = "dataset.zarr.zip"
LENGTHS = (12, 15, 18)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three episodes as a real robot's recording, and as UMI's zip in each kind of pictures, beside their sources."""
    folder = tmp_path_factory.mktemp("whole")
    for k, length in enumerate(LENGTHS):
        make(folder / "data", Recorded(length, SINGLE, episode=k, instruction=f"do {k % 2}"))
    export_to(folder / "dp", folder / "data", "dp-zarr", video="as-shot")
    for video in ("as-shot", "jpeg", "raw"):
        export_to(folder / f"umi-{video}", folder / "data", "umi-zarr", video=video)
    return folder


def source_of(whole: Path, name: str, index: int) -> Path:
    record = json.loads((whole / name / "station/dataset.json").read_bytes())["plan"]
    return whole / "data" / str(record["sources"][record["episodes"][index]["source"]]["source"]["name"])


@pytest.mark.parametrize("name", ["dp", "umi-as-shot", "umi-jpeg", "umi-raw"])
def test_what_is_written_reads_back(whole: Path, name: str) -> None:
    assert findings(whole / name) == ()


def test_diffusion_policy_has_joints_and_times(whole: Path) -> None:
    arrays = zarr_arrays.Reader(whole / "dp" / "replay_buffer.zarr")
    ends = arrays.rows("meta/episode_ends", 0, 3).tolist()
    for index, (first, end) in enumerate(zip([0, *ends], ends, strict=False)):
        truth = list(rows(source_of(whole, "dp", index)))
        assert len(truth) == end - first
        for name, field in (("action", "action"), ("robot_joint", "state")):
            assert_equal(arrays.rows(f"data/{name}", first, end), np.stack([getattr(one, field) for one in truth]))
        np.testing.assert_array_equal(arrays.rows("data/timestamp", first, end), np.arange(end - first) / 50)
    assert sorted(str(path.relative_to(whole / "dp")) for path in (whole / "dp").glob("videos/*/*")) == [
        f"videos/{index}/{camera}.mp4" for index in range(3) for camera in range(2)
    ]


def test_umi_has_an_arm_of_each_side(whole: Path, tmp_path: Path) -> None:
    make(tmp_path / "data", Recorded(12, BIMANUAL, ("cam_high",)))
    export_to(tmp_path / "set", tmp_path / "data", "umi-zarr")
    with zipfile.ZipFile(tmp_path / "set" / ZIP) as file:
        about = json.loads(file.read("data/.zattrs"))
        assert about["robots"] == {"robot0": "left", "robot1": "right"}
        assert json.loads(file.read("data/action/.zarray"))["shape"] == [12, 14]
        assert json.loads(file.read("data/camera0_rgb/.zarray"))["compressor"] == {"id": "imagecodecs_jpeg"}
    with zipfile.ZipFile(whole / "umi-raw" / ZIP) as file:
        assert json.loads(file.read("data/camera0_rgb/.zarray"))["compressor"] is None
        assert len(file.read("data/camera0_rgb/0.0.0.0")) == 128 * 160 * 3


def test_umi_refuses_what_its_loader_does_itself(whole: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--representation absolute"):
        export_to(tmp_path / "set", whole / "data", "umi-zarr", representation="relative")
    with pytest.raises(UsageError, match="does not hold joint"):
        export_to(tmp_path / "set", whole / "data", "umi-zarr", space="joint")


@given(st.lists(st.integers(0, 9), min_size=1, max_size=6).filter(any), st.data())
def test_pieces_of_any_length_come_back(lengths: list[int], data: st.DataObject) -> None:
    values = np.arange(sum(lengths) * 2, dtype=np.int64).reshape(-1, 2)
    kept: dict[str, bytes] = {}

    class Store:
        def put(self, name: str, content: bytes) -> None:
            assert name not in kept
            kept[name] = content

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(zarr_arrays, "ROWS", data.draw(st.integers(1, 8)))
        zarr_arrays.put_array(Store(), "data/x", values.shape, values.dtype, np.split(values, np.cumsum(lengths)[:-1]))
    reader = object.__new__(zarr_arrays.Reader)
    reader._path, reader._zip = Path("x"), None
    setattr(reader, "_get", kept.__getitem__)  # noqa: B010 (a method of the class)
    first = data.draw(st.integers(0, len(values)))
    end = data.draw(st.integers(first, len(values)))
    np.testing.assert_array_equal(reader.rows("data/x", first, end), values[first:end])


def _zipped(change: Callable[[dict[str, bytes]], object]) -> Callable[[Path], None]:
    """The zip's files, changed."""

    def apply(folder: Path) -> None:
        with zipfile.ZipFile(folder / ZIP) as file:
            files = {name: file.read(name) for name in file.namelist()}
        change(files)
        with zipfile.ZipFile(folder / ZIP, "w") as file:
            for name, data in files.items():
                file.writestr(name, data)

    return apply


def _swap(one: str, other: str) -> Callable[[dict[str, bytes]], object]:
    return lambda files: files.update({one: files[other], other: files[one]})


def _added(name: str, place: int, by: float) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        values = np.frombuffer(data, name).copy()
        values[place] += by
        return values.tobytes()

    return change


def _in_zip(name: str, change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    return _zipped(lambda files: files.update({name: change(files[name])}))


def _one_picture_more(files: dict[str, bytes]) -> None:
    files[PICTURE.format(45)] = files[PICTURE.format(0)]


def _file(name: str, change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes(change((folder / name).read_bytes()))  # type: ignore[return-value]


def _camera_names(data: bytes) -> bytes:
    about = json.loads(data)
    about["cameras"] = dict(zip(about["cameras"], reversed(about["cameras"].values()), strict=True))
    return json.dumps(about).encode()


BUFFER = "replay_buffer.zarr"
PICTURE = "data/camera0_rgb/{}.0.0.0"
FAULTS: dict[str, tuple[str, Callable[[Path], None], str]] = {
    "umi: an action changed": ("umi-as-shot", _in_zip("data/action/0.0", _added("<f4", 9, 0.1)), "action is not its source's"),
    "umi: a pose changed": ("umi-as-shot", _in_zip("data/robot0_eef_pos/0.0", _added("<f4", 9, 0.1)), "state is not its source's"),
    "umi: a start pose changed": ("umi-as-shot", _in_zip("data/robot0_demo_start_pose/0.0", _added("<f4", 9, 0.1)), "start_pose is not"),
    "umi: pictures exchanged": ("umi-as-shot", _zipped(_swap(PICTURE.format(0), PICTURE.format(11))), "not its row's"),
    "umi: pixels exchanged": ("umi-raw", _zipped(_swap(PICTURE.format(0), PICTURE.format(11))), "not its row's"),
    "umi: cameras swapped": ("umi-as-shot", _in_zip("data/.zattrs", _camera_names), "not its row's"),
    "umi: a picture missing": ("umi-as-shot", _zipped(lambda files: files.pop(PICTURE.format(5))), "is missing"),
    "umi: a picture too many": ("umi-as-shot", _zipped(_one_picture_more), "belongs to no row"),
    "umi: a picture cut off": ("umi-as-shot", _in_zip(PICTURE.format(0), lambda data: data[:200]), "cannot be decoded"),
    "umi: no gripper": ("umi-as-shot", _zipped(lambda files: files.pop("data/robot0_gripper_width/.zarray")), "missing"),
    "umi: an episode's end moved": ("umi-as-shot", _in_zip("meta/episode_ends/0", _added("<i8", 0, -1)), "by the record"),
    "umi: ends that go back": ("umi-as-shot", _in_zip("meta/episode_ends/0", lambda data: data[::-1]), "episode_ends are"),
    "umi: another text": ("umi-as-shot", _in_zip("meta/instruction/0", lambda data: data.replace(b"d", b"g")), "the task's text is"),
    "umi: another split": ("umi-as-shot", _in_zip("meta/validation/0", lambda data: bytes(1 - one for one in data)), "validation is"),
    "umi: a chunk short": ("umi-as-shot", _in_zip("data/action/0.0", lambda data: data[:-4]), "bytes"),
    "umi: a zip cut off": ("umi-as-shot", truncated(ZIP), "cannot be opened"),
    "dp: an action changed": ("dp", _file(f"{BUFFER}/data/action/0.0", _added("<f4", 9, 0.1)), "action is not its source's"),
    "dp: native times": ("dp", _file(f"{BUFFER}/data/timestamp/0", _added("<f8", 3, 0.003)), "timestamp is not frame / 50"),
    "dp: an episode's end moved": ("dp", _file(f"{BUFFER}/meta/episode_ends/0", _added("<i8", 0, -1)), "by the record"),
    "dp: pictures shifted by one": ("dp", packets("videos/0/0.mp4", moved), "the JPEG is not its row's"),
    "dp: a frame missing": ("dp", packets("videos/0/0.mp4", lambda one: one[:-1]), "its episodes have"),
    "dp: another rate": ("dp", packets("videos/0/0.mp4", lambda one: one, 25), "25 frames a second"),
    "dp: cameras swapped": ("dp", swapped("videos/0/0.mp4", "videos/0/1.mp4"), "not its row's"),
    "dp: cameras' names swapped": ("dp", _file(f"{BUFFER}/data/.zattrs", _camera_names), "not its row's"),
    "dp: another episode's pictures": ("dp", swapped("videos/0/0.mp4", "videos/1/0.mp4"), "its episodes have"),
    "dp: a video away": ("dp", lambda folder: (folder / "videos/1/0.mp4").unlink(), "is missing"),
    "dp: a video too many": ("dp", lambda folder: shutil.copytree(folder / "videos/1", folder / "videos/7"), "belongs to no episode"),  # type: ignore[dict-item]
    "dp: a video cut off": ("dp", truncated("videos/1/0.mp4"), "not a video"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(whole: Path, tmp_path: Path, fault: str) -> None:
    name, plant, told = FAULTS[fault]
    shutil.copytree(whole / name, tmp_path / "set")
    plant(tmp_path / "set")
    found = findings(tmp_path / "set")
    assert any(told in finding for finding in found), found
