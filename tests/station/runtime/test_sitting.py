"""The file of a sitting: for the session's next life, and for whoever asks after the station is gone."""

import os
import shutil

import pytest

from station.bus.requests import OpenSession
from station.files.runtime_folder import runtime_folder
from station.files.state_folder import state_root
from station.runtime.life import boot_id
from station.runtime.sitting import Sitting, SittingFile, left_behind

SITTING = Sitting(OpenSession("t"), 3, (0, 1), (2,), 1, 0, None, judged={2: True})
OURS = os.getppid()


def test_it_is_found_by_the_supervisor_it_belongs_to(runtime: str) -> None:
    SittingFile("r").keep(SITTING)
    assert left_behind("r", OURS, boot_id()) == SITTING
    assert left_behind("r", OURS + 1, boot_id()) is None
    assert left_behind("r", OURS, "another boot") is None, "that pid is somebody else's"


def test_it_outlives_the_runtime_folder(runtime: str) -> None:
    SittingFile("r").keep(SITTING)
    shutil.rmtree(runtime_folder("r"))
    assert left_behind("r", OURS, boot_id()) == SITTING


def test_one_that_is_over_is_nowhere(runtime: str) -> None:
    file = SittingFile("r")
    file.keep(SITTING)
    file.keep(None)
    assert left_behind("r", OURS, boot_id()) is None


def test_a_disk_that_takes_no_file_ends_no_sitting(runtime: str) -> None:
    state_root().parent.mkdir(parents=True, exist_ok=True)
    state_root().write_text("no folder")
    SittingFile("r").keep(SITTING)
    assert left_behind("r", OURS, boot_id()) == SITTING


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b'{"supervisor": 1}'])
def test_what_is_no_such_file_is_none(runtime: str, content: bytes) -> None:
    path = runtime_folder("r") / "sitting.json"
    path.write_bytes(content)
    path.chmod(0o600)
    assert left_behind("r", OURS, boot_id()) is None
