"""Where copies go: a folder that is mounted, or a bucket of a store that speaks S3."""

from pathlib import Path
from typing import NamedTuple, Protocol

from station.episodes.pushing.pace import Gate
from station.errors import EpisodeError, UsageError


class Original(NamedTuple):
    """A file to be sent, as it is now."""

    path: Path
    key: str
    """Its name there: `cube/episode_3.hdf5`."""
    size_bytes: int
    sha256: str
    recording: str
    """Which recording it is of: a copy of another one is never replaced."""


class PushFailed(EpisodeError):
    """A copy could not be made, or does not read back as it was sent.

    Seen when: the mount or the store is gone, full, or returns other bytes.
    Do: what the message says; run the same command again, it goes on where it was.
    """


class Destination(Protocol):
    """One of them."""

    name: str
    """As it is noted: the same name is the same place."""

    def holds(self, key: str) -> int | None:
        """Bytes of the copy there; None if there is none. Raises PushFailed where the place cannot be reached."""

    def recording_of(self, key: str) -> str | None:
        """Which recording the copy is of; None if there is none. Raises PushFailed."""

    def send(self, original: Original, gate: Gate) -> None:
        """Make the copy under its name, or go on making it. Raises PushFailed."""

    def read_back(self, key: str, gate: Gate) -> str:
        """sha256 of what is there, read from there. Raises PushFailed."""


def destination(said: str, endpoint: str = "") -> Destination:
    """`s3://bucket/prefix` or a folder. `endpoint`: of a store that is not Amazon's. Raises UsageError."""
    if said.startswith("s3://"):
        from station.episodes.pushing.s3 import S3

        return S3(said, endpoint)
    if endpoint:
        raise UsageError("--endpoint goes with s3://bucket/prefix. Next: leave it out for a folder")
    if "://" in said:
        raise UsageError(f"{said[:80]}: no place that is known. Next: name a mounted folder, or s3://bucket/prefix")
    from station.episodes.pushing.folder import Folder

    return Folder(Path(said).expanduser().absolute())
