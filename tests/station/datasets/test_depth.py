"""Depth goes along bit for bit where a format can hold it, and is refused by name where it cannot."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import h5py
import numpy as np
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

import station.datasets.export as exporting
from station.datasets.conversion import Size
from station.datasets.formats.tf_records import Example, records
from station.datasets.parts import formats
from station.datasets.picture_rows import DepthRows
from station.errors import UsageError
from tests.station.datasets.exported import export_to, findings
from tests.station.datasets.recorded import SINGLE, Recorded, make

ROWS = 12, 15
Depths = list[NDArray[np.uint16]]
"""(N, H, W) of each episode."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    for k, count in enumerate(ROWS):
        make(folder, Recorded(count, SINGLE, ("cam_high", "cam_low"), episode=k, depths=("cam_high",)))
    return folder


def sources(data: Path) -> Depths:
    found = []
    for k in range(len(ROWS)):
        with h5py.File(data / "cube" / f"episode_{k}.hdf5") as file:
            found.append(file["/observations/depth/cam_high"][()])
    assert len(np.unique(found[0])) > 10_000  # beyond what eight bits, or twelve, can say
    return found


def act(out: Path) -> Depths:
    found = []
    for k, count in enumerate(ROWS):
        with h5py.File(out / f"episode_{k}.hdf5") as file:
            rows = file["observations/depth/cam_high"]
            assert rows.dtype == np.uint16 and len(rows) == max(ROWS)
            assert (rows[count - 1 :] == rows[-1]).all()  # padded as everything else
            found.append(rows[:count])
    return found


def robomimic(out: Path) -> Depths:
    with h5py.File(out / "demo.hdf5") as file:
        return [file[f"data/demo_{k}/obs/cam_high_depth"][..., 0] for k in range(len(ROWS))]


def plain(out: Path) -> Depths:
    found = []
    for k, count in enumerate(ROWS):
        table = pq.read_table(out / f"depth/cam_high/episode_{k:06d}.parquet")
        assert table.column("frame").to_pylist() == list(range(count))
        found.append(np.stack([_decoded(one) for one in table.column("png").to_pylist()]))
    return found


def rlds(out: Path) -> Depths:
    observation = json.loads((out / "rlds/1.0.0/features.json").read_bytes())
    for name in ("steps", "observation"):
        inside = observation["featuresDict"]["features"][name]
        observation = inside.get("sequence", {}).get("feature", inside)
    image = observation["featuresDict"]["features"]["cam_high_depth"]["image"]
    assert image == {"dtype": "uint16", "encodingFormat": "png", "shape": {"dimensions": ["128", "160", "1"]}}
    stored = [
        Example(path, *at).strings("steps/observation/cam_high_depth")
        for path in (out / "rlds/1.0.0").glob("*.tfrecord*")
        for at in records(path)
    ]
    return [np.stack([_decoded(bytes(one)) for one in each]) for each in stored]


def _decoded(data: bytes) -> NDArray[np.uint16]:
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert found is not None and found.dtype == np.uint16
    return np.asarray(found, np.uint16)


HOLDING: dict[str, Callable[[Path], Depths]] = {"act": act, "plain": plain, "rlds": rlds, "robomimic": robomimic}


@pytest.mark.slow
@pytest.mark.parametrize("name", HOLDING)
def test_every_number_is_there(name: str, data: Path, tmp_path: Path) -> None:
    size: dict[str, Any] = (
        {} if formats()[name].videos[0] == "as-shot" else {"size": Size(96, 96)}
    )  # of pictures, not of depth
    export_to(tmp_path / "set", data, name, depth=True, rate_hz=50.0, **size)
    assert findings(tmp_path / "set") == ()
    right = {len(one): one for one in sources(data)}
    for found in HOLDING[name](tmp_path / "set"):
        np.testing.assert_array_equal(found, right[len(found)])
    card = (tmp_path / "set" / "README.md").read_text()
    assert "cam_high_depth 160 × 128" in card and "is not in it" not in card


@pytest.mark.slow
@pytest.mark.parametrize("name", HOLDING)
def test_depth_of_the_row_before_is_found(
    name: str, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = DepthRows.stored
    monkeypatch.setattr(DepthRows, "stored", lambda rows, row: real(rows, max(0, row - 2)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exporting, "read_back", lambda *given: ())
        export_to(tmp_path / "set", data, name, depth=True)
    monkeypatch.undo()
    told = findings(tmp_path / "set")
    assert told and all("cam_high_depth, frame" in one and "its depth is not its row's" in one for one in told)


@pytest.mark.parametrize("name", sorted(set(formats()) - set(HOLDING)))
def test_who_cannot_hold_it_says_who_can(name: str, data: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"{name} does not hold depth.* or take act or plain or rlds or robomimic"):
        export_to(tmp_path / "set", data, name, depth=True)
    export_to(tmp_path / "set", data, name)
    assert "Depth (cam_high) is not in it: `--depth`" in (tmp_path / "set" / "README.md").read_text()


def test_without_any_it_is_said(data: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no camera that is exported has depth"):
        export_to(tmp_path / "set", data, "plain", depth=True, cameras=("cam_low",))
    make(data / "mixed", Recorded(12, SINGLE, ("cam_high", "cam_low"), episode=0))
    make(data / "mixed", Recorded(12, SINGLE, ("cam_high", "cam_low"), episode=1, depths=("cam_high",)))
    with pytest.raises(UsageError, match=r"differ in their depth: none in 1 .*cam_high 160 × 128 in 1"):
        export_to(tmp_path / "set", data / "mixed", "plain", depth=True)
