"""A source's way, and what a process has to import for it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from drivers.cameras.capture import Capture
from drivers.cameras.opencv import OpenCVCamera
from drivers.cameras.settings import OpenCVSettings
from drivers.cameras.source import Source
from drivers.cameras.source_choice import choose_source
from drivers.cameras.v4l2 import V4L2
from station.clock import monotonic_ns
from station.devices.contract import Place
from station.errors import DeviceMissing

PLACE = Place("cam", "camera", monotonic_ns, 1.0, 100.0)
IMPORTED = """
import importlib, sys
from station.clock import monotonic_ns
from station.devices.contract import Place
from drivers.cameras.opencv import OpenCVCamera
from drivers.cameras.settings import OpenCVSettings
from drivers.cameras.source_choice import choose_source
settings, place = OpenCVSettings(source=sys.argv[1], width=640, height=480, fps=30.0), Place("cam", "camera", monotonic_ns, 1.0, 100.0)
assert "cv2" not in sys.modules, "the host's first look at a driver imports no library"
for module in OpenCVCamera(settings, place).opens_with():
    importlib.import_module(module)
before = set(sys.modules)
choose_source(settings, place, None)
print(*set(sys.modules) - before, "drivers.cameras.v4l2_device" in sys.modules)
"""


def settings(source: str) -> OpenCVSettings:
    return OpenCVSettings(source=source, width=640, height=480, fps=30.0)


def way(source: str) -> Source:
    return choose_source(settings(source), PLACE, None)


def test_urls_files_and_links_to_urls_are_captures(tmp_path: Path) -> None:
    link = tmp_path / "cam_high"
    link.symlink_to("http://127.0.0.1:1/cam_high")
    captures = [way(source) for source in ("http://127.0.0.1:1/cam", "film.mp4", str(link))]
    targets = [capture.target for capture in captures if isinstance(capture, Capture)]
    assert targets == ["http://127.0.0.1:1/cam", "film.mp4", "http://127.0.0.1:1/cam_high"]


def test_a_capture_is_used_again_for_the_same_target_only() -> None:
    first = way("http://127.0.0.1:1/cam")
    assert isinstance(first, Capture)
    assert choose_source(settings("http://127.0.0.1:1/cam"), PLACE, first) is first
    assert choose_source(settings("http://127.0.0.1:2/cam"), PLACE, first) is not first


def test_a_character_device_is_the_kernels() -> None:
    assert isinstance(way("/dev/null"), V4L2)


@pytest.mark.parametrize("source", ["/dev/CAM_THAT_IS_NOT_PLUGGED_IN", "9999"])
def test_a_device_that_is_not_there_is_missing(source: str) -> None:
    with pytest.raises(DeviceMissing, match=r"no such device.*`station find` lists cameras"):
        way(source)
    assert OpenCVCamera(settings(source), PLACE).opens_with() == ("drivers.cameras.v4l2",)


@pytest.mark.parametrize(("source", "kernels"), [("http://127.0.0.1:1/cam", "False"), ("/dev/null", "True")])
def test_everything_it_needs_is_named_and_nothing_else(source: str, kernels: str) -> None:
    command = [sys.executable, "-c", IMPORTED, source]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": "."})
    assert done.stdout.split() == [kernels]
