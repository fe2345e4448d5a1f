"""Two names change places in one step, or nothing happens."""

import ctypes
import errno
from pathlib import Path

import pytest

from station.files.exchange import exchange


def folders(tmp_path: Path) -> tuple[Path, Path]:
    found = tmp_path / "one", tmp_path / "other"
    for folder in found:
        folder.mkdir()
        (folder / folder.name).touch()
    return found


def test_each_is_what_the_other_was(tmp_path: Path) -> None:
    one, other = folders(tmp_path)
    assert exchange(one, other), "this computer's temporary folder lies on a file system without renameat2's exchange"
    assert (one / "other").exists() and (other / "one").exists()


def test_where_one_is_not_there_it_is_told(tmp_path: Path) -> None:
    one, other = folders(tmp_path)
    with pytest.raises(FileNotFoundError, match="nothing"):
        exchange(one, tmp_path / "nothing")
    assert (one / "one").exists() and (other / "other").exists()


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP])
def test_where_the_file_system_has_it_not_nothing_has_changed(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = folders(tmp_path)

    class Libc:
        @staticmethod
        def renameat2(*_: object) -> int:
            ctypes.set_errno(number)
            return -1

    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: Libc)
    assert not exchange(one, other)
    assert (one / "one").exists() and (other / "other").exists()
