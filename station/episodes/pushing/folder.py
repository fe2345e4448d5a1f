"""A mounted folder as a destination. A copy grows under a hidden name, and gets its own when it was read back."""

import contextlib
import hashlib
import os
from pathlib import Path

from station.borders.regular_file import reason
from station.episodes.labels import Recording, recording_in
from station.episodes.pushing.destination import Original, PushFailed
from station.episodes.pushing.pace import BLOCK, Gate
from station.episodes.reading import reading
from station.errors import EpisodeError, UsageError
from station.files import durable


class Folder:
    """The destination."""

    def __init__(self, path: Path) -> None:
        """Raises UsageError where there is no such folder: one that is to be mounted and is not must not be filled beneath."""
        if not path.is_dir():
            raise UsageError(
                f"{path}: no such folder. Next: mount it, or make it; it is not made here, for it may be a mount's place"
            )
        self.path = path
        self.name = str(path)

    def holds(self, key: str) -> int | None:
        """Bytes of the copy there."""
        if not self.path.is_dir():
            raise PushFailed(f"{self.path} is gone. Next: mount it again")
        try:
            return (self.path / key).stat().st_size
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._failed(key, error) from error

    def recording_of(self, key: str) -> str | None:
        """What the copy's own file says."""
        if self.holds(key) is None:
            return None
        if not key.endswith(".hdf5"):
            return ""
        try:
            with reading(self.path / key) as file:
                return named(recording_in(file), str(file.attrs.get("imported", "")))
        except EpisodeError:
            return "something that cannot be read"

    def send(self, original: Original, gate: Gate) -> None:
        """Append to what an earlier try left; the whole is compared afterwards, and begun anew where it differs."""
        target = self.path / original.key
        part = target.with_name(f".{target.name}.part")
        try:
            target.parent.mkdir(exist_ok=True)
            if part.exists() and part.stat().st_size > original.size_bytes:
                part.unlink()
            _copy(original.path, part, gate)
            if _sha256(part, gate) != original.sha256:
                part.unlink()
                _copy(original.path, part, gate)
                if _sha256(part, gate) != original.sha256:
                    raise PushFailed(
                        f"{part} does not read back as {original.path}: the file was changed meanwhile, or the disk is wrong. "
                        "Next: run the same command again; check that disk (`dmesg`)"
                    )
            part.replace(target)
            durable.sync(target.parent)
        except OSError as error:
            raise self._failed(original.key, error) from error

    def read_back(self, key: str, gate: Gate) -> str:
        """From the disk, as far as the kernel lets go of its own copy."""
        try:
            return _sha256(self.path / key, gate)
        except OSError as error:
            raise self._failed(key, error) from error

    def _failed(self, key: str, error: OSError) -> PushFailed:
        return PushFailed(
            f"{self.path / key}: {reason(error)}. Next: check the mount and its room; the same command goes on where it was"
        )


def named(recording: Recording | None, imported: str = "") -> str:
    """A recording in one line, one that was imported by what it was; "" where the file does not say."""
    if imported:
        return hashlib.sha256(imported.encode()).hexdigest()
    return "" if recording is None else f"{recording.start_ns}.{recording.start_wall_ns}.{recording.episode}"


def _copy(source: Path, part: Path, gate: Gate) -> None:
    with source.open("rb") as original, part.open("ab") as copy:
        original.seek(copy.tell())
        while data := original.read(BLOCK):
            gate(len(data))
            copy.write(data)
        copy.flush()
        os.fsync(copy.fileno())


def _sha256(path: Path, gate: Gate) -> str:
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        with contextlib.suppress(OSError):  # a file system that keeps no copy
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        while data := file.read(BLOCK):
            gate(len(data))
            digest.update(data)
    return digest.hexdigest()
