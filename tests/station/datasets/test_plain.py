"""Parquet and MP4 for everybody: PyArrow and OpenCV, which know nothing of us, give back every frame and action."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.consumers.truth import assert_equal, check_picture, rows
from tests.station.datasets.exported import export_to, findings
from tests.station.datasets.recorded import BIMANUAL, SINGLE, Recorded, make


@pytest.mark.slow
@pytest.mark.parametrize("sides", [BIMANUAL, SINGLE], ids=["bimanual", "single"])
def test_every_frame_and_action(sides: tuple[str, ...], tmp_path: Path) -> None:
    made = [make(tmp_path / "data", Recorded(20 + k, sides, size=(320, 240), episode=k)) for k in range(2)]
    out = tmp_path / "set"
    plan = export_to(out, tmp_path / "data", "plain").plan
    listed = pq.read_table(out / "episodes.parquet").to_pylist()
    assert [one["frames"] for one in listed] == [one.length for one in plan.episodes]
    for one in listed:
        episode = next(path for path in made if one["recording"].endswith(path.name))
        table = pq.read_table(out / f"data/episode_{one['episode']:06d}.parquet")
        names = {
            path.name: cv2.VideoCapture(str(path / f"episode_{one['episode']:06d}.mp4"))
            for path in (out / "videos").iterdir()
        }
        for row, expected in enumerate(rows(episode)):
            assert_equal(np.array(table.column("state")[row].as_py(), np.float32), expected.state)
            assert_equal(np.array(table.column("action")[row].as_py(), np.float32), expected.action)
            assert table.column("instruction")[row].as_py() == expected.instruction
            assert table.column("row")[row].as_py() == row
            for camera, picture in expected.pictures.items():
                done, found = names[camera].read()
                assert done
                check_picture(np.asarray(found[:, :, ::-1], np.uint8), picture)
        assert not any(video.read()[0] for video in names.values())


@pytest.mark.slow
def test_planted_faults_are_found(tmp_path: Path) -> None:
    for k in range(2):
        make(tmp_path / "data", Recorded(20, SINGLE, ("cam_high",), episode=k))
    out = tmp_path / "set"
    export_to(out, tmp_path / "data", "plain", video="as-shot")
    assert findings(out) == ()
    first, second = (out / f"videos/cam_high/episode_{k:06d}.mp4" for k in range(2))
    kept = first.read_bytes()
    shutil.copy(out / "data/episode_000000.parquet", out / "data/episode_000002.parquet")
    assert any("belongs to no episode" in found for found in findings(out))
    (out / "data/episode_000002.parquet").unlink()
    first.write_bytes(second.read_bytes() if first.read_bytes() != second.read_bytes() else b"")
    assert findings(out) != ()
    first.write_bytes(kept[:-500])
    assert findings(out) != ()
    first.write_bytes(kept)
    numbers = [out / f"data/episode_{k:06d}.parquet" for k in range(2)]
    one, other = (path.read_bytes() for path in numbers)
    numbers[0].write_bytes(other)
    assert any("is not its source's" in found for found in findings(out))
    numbers[0].write_bytes(one)
    assert findings(out) == ()
