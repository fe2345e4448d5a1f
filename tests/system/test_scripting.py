"""The guide's example for scripts and notebooks does what it says, on a rig that it starts and stops itself."""

import subprocess
import sys
from pathlib import Path

import pytest

from station.client import Station
from station.episodes.verify import verify
from station.rig.rig import load_rig
from tests.system.rig import light_rig

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]
EXAMPLE = Path(__file__).parents[2] / "docs" / "guide" / "scripting.py"


@pytest.mark.usefixtures("runtime")
def test_the_example_records_an_episode_and_leaves_nothing_behind(tmp_path: Path) -> None:
    rig = light_rig(tmp_path)
    done = subprocess.run(
        [sys.executable, str(EXAMPLE), str(rig), str(tmp_path / "scripted")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "follower_left ok" in done.stdout
    assert "readings of follower_left" in done.stdout
    assert "episode 0: 100 rows" in done.stdout
    assert verify(tmp_path / "scripted" / "scripted" / "episode_0.hdf5") == []
    assert not Station(load_rig(rig)).runs
