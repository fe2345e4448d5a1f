"""A part of the pictures: the one that was asked for, in each format, read back and told."""

from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest

from station.datasets.conversion import Conversion, Crop, Size
from station.datasets.parts import formats
from station.errors import UsageError
from tests.station.datasets.exported import export_to, findings
from tests.station.datasets.recorded import SINGLE, Recorded, make


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("crop")
    make(folder, Recorded(30, SINGLE, ("cam_high",), size=(320, 240)))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "video"),
    [(name, video) for name, one in sorted(formats().items()) for video in one.videos if video != "as-shot"],
)
def test_each_kind_of_pictures(name: str, video: str, data: Path, tmp_path: Path) -> None:
    crops = {"": Crop(200, 160, 100, 40)}
    plan = export_to(tmp_path / "set", data, name, video=video, crop=crops, size=Size(100, 80)).plan
    assert plan.size_of("cam_high") == (100, 80)
    assert findings(tmp_path / "set") == ()
    card = (tmp_path / "set" / "README.md").read_text()
    assert "| cam_high | 320 × 240 JPEG | 200 × 160 from column 100, row 40, at 100 × 80 |" in card
    assert "crop: {cam_high: {width: 200, height: 160, left: 100, top: 40}}" in card


@pytest.mark.parametrize(("crop", "left", "top"), [(Crop(200, 160), 60, 40), (Crop(120, 100, 8, 131), 8, 131)])
def test_it_is_that_part(crop: Crop, left: int, top: int, data: Path, tmp_path: Path) -> None:
    """Against OpenCV's own decoding of what was recorded, pixel by pixel."""
    export_to(tmp_path / "set", data, "act", crop={"cam_high": crop})
    source = next(data.rglob("episode_*.hdf5"))
    with h5py.File(source) as recorded, h5py.File(next((tmp_path / "set").rglob("*.hdf5"))) as exported:
        found = exported["observations/images/cam_high"][...]
        for row in (0, 17, 29):
            whole = cv2.imdecode(recorded["observations/images/cam_high"][row], cv2.IMREAD_COLOR)
            assert whole is not None
            expected = whole[..., ::-1][top : top + crop.height, left : left + crop.width].astype(int)
            assert np.abs(found[row].astype(int) - expected).mean() < 1.0


@pytest.mark.parametrize(
    ("crop", "told"),
    [
        ({"": Crop(400, 200)}, r"a crop of 400x200 does not lie in pictures of 320 × 240\. Next: correct --crop"),
        ({"": Crop(200, 160, 121, 0)}, r"a crop of 200x160\+121\+0 does not lie in pictures of 320 × 240"),
        ({"cam_low": Crop(200, 160)}, "--crop cam_low: the cameras that are exported are cam_high"),
    ],
)
def test_what_cannot_be_is_told(crop: dict[str, Crop], told: str, data: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=told):
        export_to(tmp_path / "set", data, "act", crop=crop)


def test_pictures_of_several_sizes_have_no_common_part(data: Path, tmp_path: Path) -> None:
    make(tmp_path / "data", Recorded(20, SINGLE, ("cam_high",), size=(320, 240)))
    make(tmp_path / "data", Recorded(20, SINGLE, ("cam_high",), episode=1, size=(176, 144)))
    with pytest.raises(UsageError, match=r"176 × 144 in 1.*without --crop"):
        export_to(tmp_path / "set", tmp_path / "data", crop={"": Crop(160, 128)}, size=Size(80, 64))


def test_as_shot_is_whole() -> None:
    with pytest.raises(UsageError, match="pictures as shot are whole"):
        Conversion(video="as-shot", crop={"": Crop(16, 16)})
