"""What holds of every format: the same bytes each time, episodes that end where nobody commanded, pictures in their colours."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import simplejpeg

from station.bus.messages import SourceName
from station.datasets.conversion import Size
from station.datasets.parts import format_named, formats
from station.errors import UsageError
from tests.consumers.truth import check_picture, rows
from tests.station.datasets.exported import export_to, findings
from tests.station.datasets.recorded import SINGLE, Recorded, make
from tests.station.datasets.test_export import files

pytestmark = pytest.mark.slow

NAMES = sorted(formats())
HELD: list[SourceName] = ["hold" if 12 <= row < 16 else "leader" for row in range(28)]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An episode with a hold in the middle, and one without."""
    folder = tmp_path_factory.mktemp("data")
    make(folder, Recorded(len(HELD), SINGLE, ("cam_high",), size=(320, 240), sources=HELD))
    make(folder, Recorded(20, SINGLE, ("cam_high",), size=(320, 240), episode=1))
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_bytes_segments_and_colours(name: str, data: Path, tmp_path: Path) -> None:
    plan = export_to(tmp_path / "one" / "set", data, name, rate_hz=25.0).plan
    export_to(tmp_path / "other" / "set", data, name, rate_hz=25.0)
    assert files(tmp_path / "one" / "set") == files(tmp_path / "other" / "set")
    assert sorted((one.first, one.end, one.length) for one in plan.episodes) == [(0, 12, 6), (0, 20, 10), (16, 28, 6)]
    read = format_named(name).open(tmp_path / "one" / "set")
    assert list(read.lengths()) == [one.length for one in plan.episodes]
    for episode in plan.episodes:
        truth = list(rows(data / plan.sources[episode.source].source.name))
        numbers, kept = read.numbers(episode.index), plan.frames_of(episode).rows
        np.testing.assert_array_equal(numbers["row"], kept)
        assert np.isfinite(numbers["action"]).all()
        if plan.conversion.space == "joint":
            np.testing.assert_array_equal(numbers["action"], [truth[row + 1].action for row in kept])
            np.testing.assert_array_equal(numbers["state"], [truth[row].state for row in kept])
        for row, found in zip(kept, read.pictures(episode.index, "cam_high", range(episode.length)), strict=True):
            picture = simplejpeg.decode_jpeg(found, "RGB") if isinstance(found, bytes) else found
            check_picture(picture, truth[row].pictures["cam_high"])


@pytest.mark.parametrize("video", ["h264", pytest.param("av1", marks=pytest.mark.long)])
def test_no_byte_comes_from_memory_that_nobody_wrote(video: str, data: Path, tmp_path: Path) -> None:
    """glibc fills what it hands out with MALLOC_PERTURB_'s complement; x264's AVX-512 code once encoded what it found there."""
    script = (
        "import sys; from pathlib import Path; from tests.station.datasets.exported import export_to\n"
        f"export_to(Path(sys.argv[1]), Path(sys.argv[2]), 'plain', video={video!r}, rate_hz=25.0)"
    )
    for filled in ("0", "1"):
        made = [sys.executable, "-c", script, str(tmp_path / filled / "set"), str(data)]
        subprocess.run(
            made, env={**os.environ, "MALLOC_PERTURB_": filled}, check=True, capture_output=True, timeout=100
        )
    assert files(tmp_path / "0" / "set") == files(tmp_path / "1" / "set")


@pytest.mark.parametrize(
    ("name", "video"), [(name, video) for name, one in sorted(formats().items()) for video in one.videos]
)
def test_each_kind_of_pictures_at_a_size(name: str, video: str, data: Path, tmp_path: Path) -> None:
    if video == "as-shot":
        with pytest.raises(UsageError, match="pictures as shot keep their size"):
            export_to(tmp_path / "set", data, name, video=video, size=Size(160, 120))
        export_to(tmp_path / "set", data, name, video=video)
    else:
        plan = export_to(tmp_path / "set", data, name, video=video, size=Size(160, 120)).plan
        assert plan.size_of("cam_high") == (160, 120)
    assert findings(tmp_path / "set") == ()
    said = {
        "h264": "h264 (libx264",
        "av1": "av1 (libsvtav1",
        "as-shot": "own JPEGs",
        "jpeg": "quality 95",
        "raw": "Pixels",
    }
    assert said[video] in (tmp_path / "set" / "README.md").read_text()
