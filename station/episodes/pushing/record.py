"""What was pushed and read back, noted in each task's folder: `.pushed.jsonl`, one line a file, added and never changed."""

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from station.borders.decoding import Decoder, Undecodable
from station.borders.regular_file import read_regular, reason
from station.errors import EpisodeError
from station.files import durable

_NAME = ".pushed.jsonl"
_LARGEST = 256 << 20


class Pushed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A copy that was read back, and of which file as it was then."""

    file: str
    """Its name in the folder."""
    to: str
    """The destination, as it calls itself."""
    key: str
    sha256: str
    size_bytes: int
    modified_ns: int
    read_back_wall_ns: int


_line: Decoder[Pushed] = Decoder("json", Pushed)


def note(folder: Path, pushed: Pushed) -> None:
    """Add a line that survives a power cut. Raises EpisodeError."""
    path = folder / _NAME
    try:
        with path.open("ab") as file:
            file.write(msgspec.json.encode(pushed) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        durable.sync(folder)
    except OSError as error:
        raise EpisodeError(
            f"{path}: {reason(error)}. Next: check the folder and the disk; the copy is there"
        ) from error


def pushed_of(folder: Path) -> dict[str, list[Pushed]]:
    """The copies of each file, the newest last; a line that a power cut tore is none. Raises EpisodeError."""
    path = folder / _NAME
    try:
        lines = read_regular(path, _LARGEST).splitlines()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise EpisodeError(f"{path}: {reason(error)}. Next: check its permissions and the disk") from error
    found: dict[str, list[Pushed]] = {}
    for line in lines:
        try:
            pushed = _line.decode(line)
        except Undecodable:
            continue
        found.setdefault(pushed.file, []).append(pushed)
    return found


def newest(copies: Sequence[Pushed], to: str = "") -> Pushed | None:
    """The newest copy, at that destination if one is said."""
    return next((copy for copy in reversed(copies) if to in ("", copy.to)), None)
