"""The book of seats on the disk: `$XDG_STATE_HOME/station/console/seats.json`, its owner's alone. One writer at a time, whoever it is."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from station.borders.decoding import Decoder, Undecodable
from station.console.seats import Book
from station.files import durable

_book: Decoder[Book] = Decoder("json", Book)


def folder() -> Path:
    """Where the console keeps what outlives it; made, mode 0700."""
    base = os.environ.get("XDG_STATE_HOME")
    path = (Path(base) if base else Path.home() / ".local" / "state") / "station" / "console"
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.chmod(0o700)
    return path


class SeatFile:
    """Read often, written seldom: it is only read again when it has changed."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or folder() / "seats.json"
        self._stamp: tuple[int, int] = (-1, -1)
        self._kept = Book()

    def read(self) -> Book:
        """What it says now. A file that cannot be read has no seats: everybody is paired anew."""
        try:
            found = self._path.stat()
            stamp = found.st_mtime_ns, found.st_ino
            if stamp != self._stamp:
                self._kept, self._stamp = _book.decode(self._path.read_bytes()), stamp
        except (OSError, Undecodable):
            self._kept, self._stamp = Book(), (-1, -1)
        return self._kept

    def change(self, how: Callable[[Book], Book | None]) -> bool:
        """Write what `how` makes of it, unless that is None. Whether it was changed."""
        with self._alone():
            made = how(self.read())
            if made is not None:
                durable.replace(self._path, msgspec.json.encode(made))
                self._path.chmod(0o600)
        return made is not None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with self._path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
