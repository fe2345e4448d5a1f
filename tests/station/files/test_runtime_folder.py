"""What somebody planted in the runtime folder is told by name and never followed."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from station.bus import keys
from station.bus.endpoints import request_endpoint, stream_endpoint
from station.errors import Planted
from station.files.lock import Lock
from station.files.runtime_folder import open_own, own_folder, replace_own, runtime_folder, runtime_root, socket_place


@pytest.fixture
def root(runtime: str) -> Path:
    return Path(runtime)


def link_to_a_folder(path: Path, elsewhere: Path) -> None:
    elsewhere.mkdir(mode=0o700)
    path.symlink_to(elsewhere)


def link_to_a_file(path: Path, elsewhere: Path) -> None:
    elsewhere.write_text("mine")
    path.symlink_to(elsewhere)


def link_to_nothing(path: Path, elsewhere: Path) -> None:
    path.symlink_to(elsewhere)


def a_file(path: Path, _: Path) -> None:
    path.touch(mode=0o600)


def a_folder(path: Path, _: Path) -> None:
    path.mkdir(mode=0o700)


def a_pipe(path: Path, _: Path) -> None:
    os.mkfifo(path, 0o600)


def an_open_folder(path: Path, _: Path) -> None:
    path.mkdir()
    path.chmod(0o777)


def an_open_file(path: Path, _: Path) -> None:
    path.touch()
    path.chmod(0o666)


FOLDERS = (link_to_a_folder, link_to_a_file, link_to_nothing, a_file, a_pipe, an_open_folder)
FILES = (link_to_a_file, link_to_a_folder, link_to_nothing, a_folder, a_pipe, an_open_file)


@pytest.mark.parametrize("plant", FOLDERS)
@pytest.mark.parametrize("where", ["station", "station/bench", "station/bench/logs"])
def test_a_folder_that_is_none_of_ours(root: Path, where: str, plant: Callable[[Path, Path], None]) -> None:
    for folder in reversed((root / where).parents):
        folder.mkdir(mode=0o700, exist_ok=True)
    plant(root / where, root / "elsewhere")
    with pytest.raises(Planted, match=rf"{root / where} is .*Next: "):
        own_folder(runtime_folder("bench") / "logs")
    elsewhere = root / "elsewhere"
    assert not elsewhere.is_dir() or not list(elsewhere.iterdir())


@pytest.mark.parametrize("plant", FILES)
def test_a_file_that_is_none_of_ours(root: Path, plant: Callable[[Path, Path], None]) -> None:
    path, elsewhere = runtime_folder("bench") / "pilot.lock", root / "elsewhere"
    plant(path, elsewhere)
    with pytest.raises(Planted, match=rf"{path} .*Next: "):
        Lock("bench", "pilot")
    assert not elsewhere.is_file() or elsewhere.read_text() == "mine"


@pytest.mark.parametrize("plant", FILES)
def test_the_clients_keys_are_read_from_no_other_file(root: Path, plant: Callable[[Path, Path], None]) -> None:
    plant(runtime_folder("bench") / keys.FILE, root / "elsewhere")
    with pytest.raises(Planted, match=r"client.key .*Next: "):
        keys.read_client("bench")


@pytest.mark.parametrize("plant", [link_to_a_file, link_to_nothing, an_open_file, a_pipe])
def test_what_is_written_whole_takes_the_place_of_a_link(root: Path, plant: Callable[[Path, Path], None]) -> None:
    path, elsewhere = runtime_folder("bench") / "sitting.json", root / "elsewhere"
    plant(path, elsewhere)
    link_to_nothing(path.with_name(f".sitting.json.{os.getpid()}.new"), root / "other")
    replace_own(path, b"ours")
    assert not path.is_symlink()
    assert path.read_bytes() == b"ours"
    assert path.stat().st_mode & 0o777 == 0o600
    assert not elsewhere.exists() or elsewhere.read_text() == "mine"
    assert not (root / "other").exists()


def test_a_folder_in_a_files_place_is_told(root: Path) -> None:
    path = runtime_folder("bench") / "sitting.json"
    path.mkdir()
    with pytest.raises(Planted, match="is a folder where the station keeps a file"):
        replace_own(path, b"ours")
    assert [entry.name for entry in path.parent.iterdir()] == ["sitting.json"]


@pytest.mark.parametrize("plant", [a_file, a_folder, a_pipe, link_to_a_file, link_to_nothing])
@pytest.mark.parametrize("endpoint", [stream_endpoint, request_endpoint])
def test_where_a_socket_is_to_be(
    root: Path, endpoint: Callable[[str, str], str], plant: Callable[[Path, Path], None]
) -> None:
    plant(Path(endpoint("bench", "pilot").removeprefix("ipc://")), root / "elsewhere")
    with pytest.raises(Planted, match=r"where the station keeps a socket of its own.*Next: "):
        endpoint("bench", "pilot")


def test_a_socket_of_a_life_that_was_killed_is_none_of_it(root: Path) -> None:
    path = runtime_folder("bench") / "pilot.pub"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    assert socket_place(path) == path


def test_somebody_elses(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime_folder("bench")
    monkeypatch.setattr(os, "getuid", lambda: 4711)
    with pytest.raises(Planted, match=r"belongs to user .* not to you \(user 4711\)"):
        runtime_root()


def test_ours_are_shut_to_others(root: Path) -> None:
    old = os.umask(0)
    try:
        folder = runtime_folder("bench")
        os.close(open_own(folder / "x", os.O_RDWR | os.O_CREAT))
    finally:
        os.umask(old)
    assert [path.stat().st_mode & 0o777 for path in (folder.parent, folder, folder / "x")] == [0o700, 0o700, 0o600]


def test_a_log_of_an_older_life_may_be_readable_by_others(root: Path) -> None:
    path = runtime_folder("bench") / "supervisor.log"
    path.touch(mode=0o644)
    path.chmod(0o644)
    os.close(open_own(path, os.O_WRONLY, private=False))
    path.chmod(0o622)
    with pytest.raises(Planted, match="open to other users"):
        open_own(path, os.O_WRONLY, private=False)
