"""The real command in a real terminal: an operator's half hour in two minutes."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import h5py
import pytest

from drivers.sim.world.requests import SetServoFault
from station.bus.messages import PilotState
from station.client import Station
from station.episodes.labels import read_labels
from station.episodes.recover import recover
from station.episodes.verify import verify
from station.files.runtime_folder import runtime_folder
from station.rig.rig import load_rig
from tests.system.operator_terminal import Terminal, recording
from tests.system.rig import light_rig

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]


@pytest.fixture
def rig(runtime: str, tmp_path: Path) -> Path:
    return light_rig(tmp_path)


@pytest.fixture
def terminal(rig: Path, tmp_path: Path) -> Iterator[Terminal]:
    terminal = recording(rig, tmp_path / "data", "--instruction", "pick it up", "--scene", "kitchen")
    yield terminal
    terminal.close()


def take(terminal: Terminal, end: str) -> None:
    """Record a little more than a second, and end it with that key."""
    terminal.press(" ")
    terminal.until("R E C O R D I N G")
    terminal.until("0:01.")
    terminal.press(end)
    terminal.until("R E S E T")


def test_a_sitting_with_every_key(terminal: Terminal, rig: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "pick"
    terminal.until("R E A D Y")  # through the start sequence: the bench's hands close the grippers
    terminal.press("x")
    terminal.until("x means nothing here")
    terminal.press("d")
    terminal.until("nothing is being recorded")
    terminal.press("?")
    terminal.until("throw this take away")
    terminal.press("?")
    take(terminal, "s")
    terminal.until("episode_0 is saved")
    terminal.press("ncube slipped\r")
    terminal.until("noted: episode 0")
    take(terminal, "d")
    terminal.until("discarded 1")
    take(terminal, " ")
    terminal.until("episode_2 is saved")
    terminal.press("f")
    terminal.until("labelled: episode 2")
    terminal.press("u")
    terminal.until("delete episode 2?")
    terminal.press(" ")
    terminal.until("saved 2")
    terminal.press("uu")
    terminal.until("undone: episode 2 deleted")
    pulled_follower(terminal, rig)
    terminal.press("q")
    assert terminal.ended() == 0
    assert terminal.restored()
    assert "1 saved, 2 discarded" in terminal.text
    assert "cadence of the sitting" in terminal.text
    first = folder / "episode_0.hdf5"
    assert verify(first) == []
    with h5py.File(first) as file:
        said = {name: file.attrs[name] for name in ("operator", "task", "instruction", "scene", "success")}
    assert said == {"operator": "ada", "task": "pick", "instruction": "pick it up", "scene": "kitchen", "success": 1}
    labels = read_labels(first)
    assert labels is not None
    assert labels.note == "cube slipped"
    assert [path.name for path in folder.glob("*.hdf5")] == ["episode_0.hdf5"]
    assert not Station(load_rig(rig)).runs


def pulled_follower(terminal: Terminal, rig: Path) -> None:
    """Between two takes a cable is pulled: a hold with its cause, and one key that goes on once it is back."""
    with Station(load_rig(rig)).request_client("world") as world:
        world.ask(SetServoFault("follower_left", "unplug"))
        terminal.until("H O L D")
        panel = terminal.until("follower_left on ")
        assert "Space: go on" in panel
        world.ask(SetServoFault("follower_left", "replug"))
        heard = Station(load_rig(rig)).subscribe([("arm_state", "follower_left")])
        assert heard.receive(20_000) is not None
        heard.close()
    terminal.press(" ")
    terminal.until("R E A D Y")


@pytest.mark.rig
def test_ctrl_c_saves_the_take_and_ends_and_the_next_sitting_goes_on_behind_it(rig: Path, tmp_path: Path) -> None:
    terminal = recording(rig, tmp_path / "data", "--no-opening")
    try:
        terminal.until("R E A D Y")
        terminal.press(" ")
        terminal.until("0:01.")
        terminal.interrupt()
        assert terminal.ended() == 0
        assert terminal.restored()
        assert "1 saved" in terminal.text
        assert verify(tmp_path / "data" / "pick" / "episode_0.hdf5") == []
    finally:
        terminal.close()
    again = recording(rig, tmp_path / "data", "--no-opening", "--episodes", "1", "--seconds", "1")
    try:
        again.until("R E A D Y")
        assert "continuing at episode 1 (1 there)" in again.text
        again.press(" ")
        assert again.ended() == 0  # by itself, after one
        assert verify(tmp_path / "data" / "pick" / "episode_1.hdf5") == []
    finally:
        again.close()


@pytest.mark.rig
def test_ctrl_c_twice_ends_at_once_and_costs_nothing_that_was_acknowledged(rig: Path, tmp_path: Path) -> None:
    terminal = recording(rig, tmp_path / "data", "--no-opening")
    folder = tmp_path / "data" / "pick"
    try:
        terminal.until("R E A D Y")
        terminal.press(" ")
        terminal.until("0:01.")
        lock = runtime_folder(load_rig(rig).name) / "session.lock"
        os.kill(int(lock.read_text()), signal.SIGSTOP)  # who presses twice has waited for something that does not come
        terminal.interrupt()
        terminal.until("Ending the sitting")
        terminal.interrupt()
        assert terminal.ended() == 1
        assert terminal.restored()
        assert not Station(load_rig(rig)).runs
        if not (folder / "episode_0.hdf5").exists():
            assert [result.outcome for result in recover(folder)] == ["saved"]
        assert verify(folder / "episode_0.hdf5") == []
        with h5py.File(folder / "episode_0.hdf5") as file:
            assert len(file["/action"]) >= 50
    finally:
        terminal.close()


@pytest.mark.rig
def test_a_closed_window_saves_the_take_and_leaves_the_arms_held(rig: Path, tmp_path: Path) -> None:
    terminal = recording(rig, tmp_path / "data", "--no-opening")
    try:
        terminal.until("R E A D Y")
        heard = Station(load_rig(rig)).subscribe([("pilot", "pilot")])
        try:
            terminal.press(" ")
            terminal.until("0:01.")
            assert heard.receive(20_000) is not None
            terminal.hang_up()
            terminal.ended()
            assert verify(tmp_path / "data" / "pick" / "episode_0.hdf5") == []
            [last] = heard.newest().values()
        finally:
            heard.close()
        assert isinstance(last.body, PilotState)
        assert last.body.state == "idle"
        assert not Station(load_rig(rig)).runs
    finally:
        terminal.close()


def test_what_an_operator_needs_is_looked_for_before_the_station_starts(rig: Path, tmp_path: Path) -> None:
    terminal = recording(rig, tmp_path / "data", "--pedal", str(tmp_path / "event9"))
    try:
        assert terminal.ended() == 1
        assert "the pedal on " in terminal.text
        assert not (tmp_path / "data").exists()
    finally:
        terminal.close()
