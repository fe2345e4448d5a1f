"""Files made to break a reader: one sentence each, at once, and nothing but the file itself is opened."""

import contextlib
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import msgspec
import numpy as np
import pytest

from station.episodes import naming
from station.episodes.cadence import read_cadence
from station.episodes.catalogue import episodes, read_episode
from station.episodes.finalise import finalise
from station.episodes.reading import reading
from station.episodes.verify import verify
from station.errors import EpisodeError
from tests.station.episodes.recording import Recording, header, jpeg, write


def record(folder: Path, number: int = 0, rows: int = 4) -> Path:
    part = naming.journal_path(folder, number)
    write(part, Recording(rows, [jpeg()], cameras=("cam_high",)), header(cameras=("cam_high",), episode=number))
    return finalise(part)


def replaced(name: str, make: Callable[[h5py.File], object]) -> Callable[[h5py.File, Path], object]:
    def spoil(file: h5py.File, _: Path) -> object:
        del file[name]
        return make(file)

    return spoil


def attribute(name: str, value: Any) -> Callable[[h5py.File, Path], object]:
    return lambda file, _: file.attrs.__setitem__(name, value)


def no_utf8(name: str, value: Any) -> Callable[[h5py.File, Path], object]:
    return lambda file, _: file.attrs.create(name, value, dtype=h5py.string_dtype())


def external(file: h5py.File, folder: Path) -> None:
    os.mkfifo(folder / "pipe")  # whoever follows the link hangs
    del file["/action"]
    file["/action"] = h5py.ExternalLink(str(folder / "pipe"), "/x")


def virtual(file: h5py.File, folder: Path) -> None:
    plan = h5py.VirtualLayout((4, 14), "f4")
    plan[:] = h5py.VirtualSource(str(folder / "elsewhere.hdf5"), "x", (4, 14))
    del file["/action"]
    file.create_virtual_dataset("/action", plan)


HOSTILE: dict[str, Callable[[h5py.File, Path], object]] = {
    "success is text": attribute("success", "abc"),
    "success is an array": attribute("success", np.zeros(3, np.int8)),
    "tick_hz is 0": attribute("tick_hz", np.float64(0)),
    "tick_hz is NaN": attribute("tick_hz", np.float64("nan")),
    "tick_hz is text": attribute("tick_hz", "fast"),
    "rows are text": attribute("late_ticks", "many"),
    "task is a number": attribute("task", np.int64(3)),
    "task is no UTF-8": no_utf8("task", b"cu\x95be"),
    "devices is no UTF-8": no_utf8("devices", b'{"\xe7": {}}'),
    "camera_names is no UTF-8": no_utf8("camera_names", [b"cam\x95"]),
    "a group whose name is no UTF-8": lambda file, _: file.create_group(b"/timestamps/\x95"),
    "an empty attribute": attribute("start_ns", h5py.Empty("i8")),
    "camera_names is a number": attribute("camera_names", np.int64(3)),
    "dim_names is a number": attribute("dim_names", np.int64(3)),
    "no layout": lambda file, _: file.attrs.__delitem__("layout"),
    "/action is a number": replaced("/action", lambda file: file.create_dataset("/action", data=3.0)),
    "/action is a group": replaced("/action", lambda file: file.create_group("/action")),
    "/action is a row": replaced("/action", lambda file: file.create_dataset("/action", (14,), "f4")),
    "/action is text": replaced("/action", lambda file: file.create_dataset("/action", data=[["a", "b"]] * 4)),
    "/action is a type": replaced("/action", lambda file: file.__setitem__("/action", np.dtype("f8"))),
    "/action is a hundred terabytes": replaced(
        "/action", lambda file: file.create_dataset("/action", (10**12, 14), "f4", chunks=(1, 14))
    ),
    "/action is sixteen gigabytes of nothing": replaced(
        "/action",
        lambda file: file.create_dataset("/action", (3 * 10**8, 14), "f4", chunks=(1000, 14), compression="gzip"),
    ),
    "a picture is a terabyte": replaced(
        "/observations/images/cam_high",
        lambda file: file.create_dataset("/observations/images/cam_high", (4, 10**12), "u1", chunks=(1, 1000)),
    ),
    "images is a dataset": replaced(
        "/observations/images", lambda file: file.create_dataset("/observations/images", (4,), "f4")
    ),
    "timestamps is a dataset": replaced("/timestamps", lambda file: file.create_dataset("/timestamps", (4,), "i8")),
    "a group among the timestamps": lambda file, _: file.create_group("/timestamps/arm"),
    "sync is gone": lambda file, _: file.__delitem__("/sync"),
    "a link to another file": external,
    "a soft link": replaced("/action", lambda file: file.__setitem__("/action", h5py.SoftLink("/action_sent"))),
    "a link to itself": replaced("/action", lambda file: file.__setitem__("/action", h5py.SoftLink("/action"))),
    "rows in another file": virtual,
    "a later layout": attribute("layout", np.int64(99)),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_file_is_one_line_of_ls_and_a_finding_of_verify(tmp_path: Path, what: str) -> None:
    path = record(tmp_path)
    with h5py.File(path, "r+") as file:
        HOSTILE[what](file, tmp_path)
    findings = verify(path, decode=True)
    assert findings, what
    assert all("\n" not in finding for finding in findings)
    msgspec.json.encode(findings)  # everybody can write it on
    good = record(tmp_path, 1)
    listed = episodes(tmp_path)
    assert [one.path for one in listed] == [path, good]
    msgspec.json.encode([(one.problem, one.task, one.form) for one in listed])
    assert listed[1].problem == ""
    assert listed[0].problem == "" or "episode_0.hdf5" in listed[0].problem


@pytest.fixture
def strange(tmp_path: Path) -> Iterator[list[Path]]:
    """Everything of an episode's name that is no file."""
    made = [tmp_path / f"episode_{number}.hdf5" for number in range(10, 17)]
    made[0].symlink_to(tmp_path / "nowhere")
    os.mkfifo(made[1])
    made[2].mkdir()
    made[3].symlink_to("/dev/zero")
    made[4].symlink_to(made[4])
    made[5].touch()
    os.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(made[6].name)
        yield made
    os.chdir("/")


def test_what_is_no_file_is_not_opened(tmp_path: Path, strange: list[Path]) -> None:
    for path in strange:
        episode = read_episode(path)
        assert path.name in episode.problem
        assert "Next: " in episode.problem
        assert len(verify(path)) == 1
        with pytest.raises(EpisodeError, match=path.name), reading(path):
            pass


def test_the_right_names_are_listed_and_the_wrong_ones_told(tmp_path: Path) -> None:
    good = record(tmp_path, 2)
    names = ["episode_0 (copy).hdf5", "episode_x.hdf5", "episode_.hdf5", "episode_1e5.hdf5", f"episode_{'9' * 50}.hdf5"]
    for name in names:
        (tmp_path / name).write_bytes(good.read_bytes())
    listed = {episode.path.name: episode.problem for episode in episodes(tmp_path)}
    assert listed.pop(good.name) == ""
    assert sorted(listed) == sorted(names)
    assert all("their names begin with episode_<n>" in problem for problem in listed.values())


def test_readers_take_no_lock_and_are_shut_out_by_none(tmp_path: Path) -> None:
    """A program that has the episode open for writing, with HDF5's own lock."""
    path = record(tmp_path)
    script = "import h5py, sys; file = h5py.File(sys.argv[1], 'r+'); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", script, str(path)], stdin=-1, stdout=-1) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        assert read_episode(path).problem == ""
        assert verify(path, decode=True) == []
        with reading(path):
            writer.communicate(b"")


def test_a_group_that_holds_itself_ends_nobodys_walk(tmp_path: Path) -> None:
    path = record(tmp_path)
    with h5py.File(path, "r+") as file:
        file["/observations/again"] = file["/observations"]
    assert read_episode(path).problem == ""
    assert verify(path) == []


def mutated(whole: bytes, chance: random.Random) -> bytes:
    """Bits turned, bytes overwritten or cut out, most of them where HDF5 keeps its own records."""
    for _ in range(chance.choice([1, 1, 2, 5, 20])):
        at = chance.randrange(len(whole) if chance.random() < 0.5 else min(len(whole), 9000))
        size = chance.choice([1, 2, 4, 8, 64, 512])
        new = chance.choice(
            [chance.randbytes(size), bytes(size), b"\xff" * size, b"", bytes([whole[at] ^ 1 << chance.randrange(8)])]
        )
        whole = whole[:at] + new + whole[at + max(size if new != b"" else 1, len(new)) :]
    return whole


def test_whatever_is_done_to_an_episode_every_reader_says_one_sentence(tmp_path: Path) -> None:
    path = record(tmp_path)
    whole, chance = path.read_bytes(), random.Random(3)
    for number in range(30):
        path.write_bytes(mutated(whole, chance))
        began_s = time.process_time()
        episode = read_episode(path)
        findings = verify(path, decode=True)
        with contextlib.suppress(EpisodeError):
            read_cadence(path)
        assert time.process_time() - began_s < 5, number
        assert all("\n" not in one for one in (episode.problem, *findings)), number
        assert bool(findings) >= bool(episode.problem), (number, episode.problem)
