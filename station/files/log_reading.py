"""Reading the logs of all nodes as one, in the order of the clock that is in every line."""

import datetime
import heapq
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

_STAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d) ")
_AGO = re.compile(r"(\d+(?:\.\d+)?)\s*(s|min|m|h|d)\Z")
_UNIT_S = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
_PIECE_BYTES = 1 << 20


class Line(NamedTuple):
    """One line of one node's log."""

    at: datetime.datetime
    """Wall time with its zone; a line without a stamp (of a trace) has that of the line before it."""
    node: str
    text: str


def nodes(folder: Path) -> list[str]:
    """Whose logs there are."""
    return sorted(path.name.removesuffix(".log") for path in folder.glob("*.log"))


def merged(folder: Path, of: Iterable[str], since: datetime.datetime | None = None) -> Iterator[Line]:
    """All lines of these nodes, the files that were turned over included, oldest first."""
    for line in heapq.merge(*(_of_node(folder, node) for node in of), key=lambda line: line.at):
        if since is None or line.at >= since:
            yield line


def moment(text: str, now: datetime.datetime) -> datetime.datetime:
    """`--since`: `10min`, `2h` ago, a time of today (`13:05`), or `2026-11-29T13:05`. Raises ValueError."""
    if ago := _AGO.fullmatch(text.strip()):
        return now - datetime.timedelta(seconds=float(ago[1]) * _UNIT_S[ago[2]])
    try:
        found = datetime.datetime.combine(now.date(), datetime.time.fromisoformat(text))
    except ValueError:
        found = datetime.datetime.fromisoformat(text)
    return found if found.tzinfo is not None else found.replace(tzinfo=now.tzinfo)


class Follower:
    """What is written from now on; a file that is turned over is read to its end, then the new one from its beginning."""

    def __init__(self, folder: Path, of: Iterable[str]) -> None:
        self._places: dict[Path, tuple[int, int]] = {}
        """Of each file: its inode, and how far it was read."""
        self._folder, self._of = folder, tuple(of)
        self.fresh()

    def fresh(self) -> list[Line]:
        """Whole lines since the last call, by their clock."""
        found: list[Line] = []
        for node in self._of or nodes(self._folder):
            path = self._folder / f"{node}.log"
            try:
                status = path.stat()
            except FileNotFoundError:
                continue
            inode, place = self._places.get(path, (status.st_ino, status.st_size if not self._places else 0))
            if inode != status.st_ino:
                found += _stamped(node, _whole(path.with_name(f"{path.name}.1"), place)[0])
                place = 0
            text, place = _whole(path, place)
            self._places[path] = (status.st_ino, place)
            found += _stamped(node, text)
        return sorted(found, key=lambda line: line.at)


def _whole(path: Path, place: int) -> tuple[list[str], int]:
    """The whole lines after `place`, and where the next begins."""
    try:
        with path.open("rb") as file:
            file.seek(place)
            data = file.read(_PIECE_BYTES)
    except FileNotFoundError:
        return [], 0
    data = data[: data.rfind(b"\n") + 1]
    return data.decode(errors="backslashreplace").splitlines(), place + len(data)


def _of_node(folder: Path, node: str) -> Iterator[Line]:
    turned = sorted(
        folder.glob(f"{node}.log.*"), key=lambda path: -int(path.suffix[1:]) if path.suffix[1:].isdigit() else 0
    )
    for path in (*turned, folder / f"{node}.log"):
        try:
            with path.open(errors="backslashreplace") as file:
                yield from _stamped(node, (line.rstrip("\n") for line in file))
        except FileNotFoundError:
            continue


def _stamped(node: str, lines: Iterable[str]) -> Iterator[Line]:
    at = datetime.datetime.fromtimestamp(0, datetime.UTC)
    for text in lines:
        if found := _STAMP.match(text):
            at = datetime.datetime.fromisoformat(found[1])
        yield Line(at, node, text)
