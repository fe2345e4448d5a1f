"""A whole rig with depth: recorded, over a restart of the synchronizer, as the pixels that its camera made."""

import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest
import yaml

from station.bus.requests import Stop
from station.rig import entries
from station.rig.rig import find_rig
from tests.system.rig import TASK, Booted, booted, light_rig

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]
PACKAGE = Path(__file__).parent / "depth_camera"
CAMERA = {
    "driver": "software_depth",
    "serial": "128422271347",
    "width": 640,
    "height": 480,
    "fps": 60,
    "depth": True,
    "reset": False,
}


@pytest.fixture(autouse=True)
def no_leaks() -> None:
    """Instead of the suite's own: the rig outlives its tests."""


@pytest.fixture(scope="module")
def deep() -> Iterator[Booted]:
    """The light rig with one depth camera, whose driver a foreign package brings."""
    runtime, folder = tempfile.mkdtemp(prefix="st-", dir="/tmp"), Path(tempfile.mkdtemp(prefix="depth-"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", runtime)
        patch.setenv("XDG_STATE_HOME", f"{runtime}/state")
        patch.syspath_prepend(str(PACKAGE))
        entries.installed.cache_clear()
        try:
            low = yaml.safe_load(find_rig("bench").read_text())["cameras"]["cam_low"] | {"fps": 15}
            path = light_rig(folder, cameras={"cam_high": CAMERA, "cam_low": low})
            with booted(path, folder / "data", {"PYTHONPATH": str(PACKAGE)}) as running:
                yield running
        finally:
            entries.installed.cache_clear()
            shutil.rmtree(runtime)
            shutil.rmtree(folder)


def depth_of(rig: Booted, number: int) -> None:
    rig.saved(number)
    with h5py.File(rig.data / TASK / f"episode_{number}.hdf5") as file:
        pictures = file["/observations/depth/cam_high"][:]
        assert pictures.shape == (len(file["/action"]), 480, 640)
        numbers = pictures[:, 0, 0].astype(int)
        assert (pictures == numbers[:, None, None]).all(), "each picture whole"
        assert (np.diff(numbers) >= 0).all() and numbers[-1] > numbers[0]
        new = file["/sync/is_new/cam_high_depth"][:]
        assert ((np.diff(numbers) > 0) == new[1:]).all()
        assert {"cam_high", "cam_high_depth"} <= set(file["/timestamps"])


def test_depth_is_recorded_and_survives_a_restarted_synchronizer(deep: Booted) -> None:
    number = deep.record(rows=50)
    deep.ask("session", Stop())
    depth_of(deep, number)

    number = deep.record(rows=25)
    life = deep.life("synchronizer")
    deep.signal("synchronizer", signal.SIGKILL)
    deep.until("synchronizer back", lambda: deep.life_began_ns("synchronizer", life))
    deep.ended(number)
    depth_of(deep, number)  # what it had acknowledged

    number = deep.record(rows=25)  # its second life heard pictures before descriptions
    deep.ask("session", Stop())
    depth_of(deep, number)
