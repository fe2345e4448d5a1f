"""The real command in a real terminal: an operator's half hour in two minutes."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import h5py
import pytest

from drivers.sim.world.requests import SetServoFault
from station.bus.messages import PilotState
from station.bus.sockets import Asker, Subscriber
from station.cli.attach import runs
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
def seat(rig: Path, tmp_path: Path) -> Iterator[Terminal]:
    terminal = recording(rig, tmp_path / "data", "--instruction", "pick it up", "--scene", "kitchen")
    yield terminal
    terminal.close()


def take(seat: Terminal, end: str) -> None:
    """Record a little more than a second, and end it with that key."""
    seat.press(" ")
    seat.until("R E C O R D I N G")
    seat.until("0:01.")
    seat.press(end)
    seat.until("R E S E T")


def test_a_sitting_with_every_key(seat: Terminal, rig: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "pick"
    seat.until("R E A D Y")  # through the opening: the bench's hands close the grippers
    seat.press("x")
    seat.until("x means nothing here")
    seat.press("d")
    seat.until("nothing is being recorded")
    seat.press("?")
    seat.until("throw this take away")
    seat.press("?")
    take(seat, "s")
    seat.until("episode_0 is saved")
    seat.press("ncube slipped\r")
    seat.until("noted: episode 0")
    take(seat, "d")
    seat.until("discarded 1")
    take(seat, " ")
    seat.until("episode_2 is saved")
    seat.press("f")
    seat.until("labelled: episode 2")
    seat.press("u")
    seat.until("delete episode 2?")
    seat.press(" ")
    seat.until("saved 2")
    seat.press("uu")
    seat.until("undone: episode 2 deleted")
    pulled_follower(seat, rig)
    seat.press("q")
    assert seat.ended() == 0
    assert seat.restored()
    assert "1 saved, 2 discarded" in seat.text
    assert "cadence of the sitting" in seat.text
    first = folder / "episode_0.hdf5"
    assert verify(first) == []
    with h5py.File(first) as file:
        said = {name: file.attrs[name] for name in ("operator", "task", "instruction", "scene", "success")}
    assert said == {"operator": "ada", "task": "pick", "instruction": "pick it up", "scene": "kitchen", "success": 1}
    labels = read_labels(first)
    assert labels is not None
    assert labels.note == "cube slipped"
    assert [path.name for path in folder.glob("*.hdf5")] == ["episode_0.hdf5"]
    assert not runs(load_rig(rig))


def pulled_follower(seat: Terminal, rig: Path) -> None:
    """Between two takes a cable is pulled: a hold with its cause, and one key that goes on once it is back."""
    with Asker(load_rig(rig).name, "world") as world:
        world.ask(SetServoFault("follower_left", "unplug"))
        seat.until("H O L D")
        panel = seat.until("follower_left on ")
        assert "Space: go on" in panel
        world.ask(SetServoFault("follower_left", "replug"))
        heard = Subscriber(load_rig(rig).name, [("arm_state", "follower_left")])
        assert heard.receive(20_000) is not None
        heard.close()
    seat.press(" ")
    seat.until("R E A D Y")


def test_ctrl_c_saves_the_take_and_ends_and_the_next_sitting_goes_on_behind_it(rig: Path, tmp_path: Path) -> None:
    seat = recording(rig, tmp_path / "data", "--no-opening")
    try:
        seat.until("R E A D Y")
        seat.press(" ")
        seat.until("0:01.")
        seat.interrupt()
        assert seat.ended() == 0
        assert seat.restored()
        assert "1 saved" in seat.text
        assert verify(tmp_path / "data" / "pick" / "episode_0.hdf5") == []
    finally:
        seat.close()
    again = recording(rig, tmp_path / "data", "--no-opening", "--episodes", "1", "--seconds", "1")
    try:
        again.until("R E A D Y")
        assert "continuing at episode 1 (1 there)" in again.text
        again.press(" ")
        assert again.ended() == 0  # by itself, after one
        assert verify(tmp_path / "data" / "pick" / "episode_1.hdf5") == []
    finally:
        again.close()


def test_ctrl_c_twice_ends_at_once_and_costs_nothing_that_was_acknowledged(rig: Path, tmp_path: Path) -> None:
    seat = recording(rig, tmp_path / "data", "--no-opening")
    folder = tmp_path / "data" / "pick"
    try:
        seat.until("R E A D Y")
        seat.press(" ")
        seat.until("0:01.")
        lock = runtime_folder(load_rig(rig).name) / "session.lock"
        os.kill(int(lock.read_text()), signal.SIGSTOP)  # who presses twice has waited for something that does not come
        seat.interrupt()
        seat.until("Ending the sitting")
        seat.interrupt()
        assert seat.ended() == 1
        assert seat.restored()
        assert not runs(load_rig(rig))
        if not (folder / "episode_0.hdf5").exists():
            assert [result.outcome for result in recover(folder)] == ["saved"]
        assert verify(folder / "episode_0.hdf5") == []
        with h5py.File(folder / "episode_0.hdf5") as file:
            assert len(file["/action"]) >= 50
    finally:
        seat.close()


def test_a_closed_window_saves_the_take_and_leaves_the_arms_held(rig: Path, tmp_path: Path) -> None:
    seat = recording(rig, tmp_path / "data", "--no-opening")
    try:
        seat.until("R E A D Y")
        heard = Subscriber(load_rig(rig).name, [("pilot", "pilot")])
        try:
            seat.press(" ")
            seat.until("0:01.")
            assert heard.receive(20_000) is not None
            seat.hang_up()
            seat.ended()
            assert verify(tmp_path / "data" / "pick" / "episode_0.hdf5") == []
            [last] = heard.newest().values()
        finally:
            heard.close()
        assert isinstance(last.body, PilotState)
        assert last.body.state == "idle"
        assert not runs(load_rig(rig))
    finally:
        seat.close()


def test_what_an_operator_needs_is_looked_for_before_the_station_starts(rig: Path, tmp_path: Path) -> None:
    seat = recording(rig, tmp_path / "data", "--pedal", str(tmp_path / "event9"))
    try:
        assert seat.ended() == 1
        assert "the pedal on " in seat.text
        assert not (tmp_path / "data").exists()
    finally:
        seat.close()
