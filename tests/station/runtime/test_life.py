"""A supervisor that ended by no order leaves word of it; one that ended in order does not."""

import os
import time
from pathlib import Path

import pytest

from station.clock import NS_PER_S
from station.files.lock import Lock
from station.files.state_folder import state_root
from station.runtime import life
from station.runtime.life import SIGN_NS, LifeFile, last_fault, running, was_told

FILE = Path("/rigs/r.yaml")


def test_an_orderly_end_is_no_fault(runtime: str) -> None:
    LifeFile("r", FILE).end()
    assert last_fault("r") is None
    assert not list((state_root() / "r").iterdir())


def test_a_station_that_runs_has_no_fault_and_says_which_software_it_is(runtime: str) -> None:
    lock = Lock("r", "supervisor")
    LifeFile("r", FILE)
    assert last_fault("r") is None
    found = running("r")
    assert found is not None and (found.pid, found.rig_file) == (os.getpid(), str(FILE)) and found.version
    lock.release()
    assert running("r") is None


def test_a_killed_one_is_told_until_it_was_told(runtime: str) -> None:
    LifeFile("r", FILE)
    killed = last_fault("r")
    assert killed is not None and "supervisor was killed" in killed.what
    assert abs(killed.at_s - time.time()) < 60
    lock = Lock("r", "supervisor")
    next_life = LifeFile("r", FILE)
    assert last_fault("r") == killed, "the next life keeps it for whoever attaches"
    was_told("r")
    assert last_fault("r") is None
    next_life.end()
    lock.release()
    assert last_fault("r") is None


def test_its_time_is_its_last_sign_of_life(runtime: str) -> None:
    own = LifeFile("r", FILE)
    path = state_root() / "r" / "life.json"
    os.utime(path, (1000, 1000))
    own.sign(10 * NS_PER_S)
    assert path.stat().st_mtime > 1000
    os.utime(path, (1000, 1000))
    own.sign(10 * NS_PER_S + SIGN_NS - 1)
    found = last_fault("r")
    assert found is not None and found.at_s == 1000, "no more than one sign in that time"


def test_a_fault_that_it_can_name_is_named(runtime: str) -> None:
    LifeFile("r", FILE).end("it fell over")
    found = last_fault("r")
    assert found is not None and found.what == "it fell over"


def test_a_computer_that_went_down_is_told_as_that(runtime: str, monkeypatch: pytest.MonkeyPatch) -> None:
    LifeFile("r", FILE)
    monkeypatch.setattr(life, "boot_id", lambda: "another")
    found = last_fault("r")
    assert found is not None and "the computer went down" in found.what


def test_a_disk_that_takes_no_file_is_in_nobodys_way(runtime: str, caplog: pytest.LogCaptureFixture) -> None:
    state_root().parent.mkdir(parents=True, exist_ok=True)
    state_root().write_text("no folder")
    own = LifeFile("r", FILE)
    own.sign(0)
    own.end()
    assert "will not be told" in caplog.text
    assert last_fault("r") is None
