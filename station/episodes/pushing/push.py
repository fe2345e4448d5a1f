"""The day's end: every file of the chosen episodes is sent, read back, and noted. What is noted, and as it was, is not sent again."""

import hashlib
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from station.borders.regular_file import reason
from station.episodes import naming
from station.episodes.catalogue import Episode
from station.episodes.pushing.destination import Destination, Original, PushFailed
from station.episodes.pushing.folder import named
from station.episodes.pushing.pace import BLOCK, Gate
from station.episodes.pushing.record import Pushed, newest, note, pushed_of


class ToPush(NamedTuple):
    """A file that has no copy as it is now."""

    path: Path
    size_bytes: int
    recording: str


class Outcome(NamedTuple):
    """Of one file."""

    path: Path
    sent: bool
    """False: it was there already, or could not be sent."""
    error: str = ""


def files_of(episode: Path) -> list[Path]:
    """What an episode is made of: its file, what people said, what was measured later."""
    beside = naming.labels_path(episode.parent, naming.number_of(episode)), naming.quality_path(episode)
    return [episode, *(path for path in beside if path.exists())]


def is_as_pushed(path: Path, copy: Pushed | None, gate: Gate) -> bool:
    """Is the copy of the file as it is now? Looked at by size and time of change; where these differ, by what is in it."""
    if copy is None:
        return False
    at = path.stat()
    if (at.st_size, at.st_mtime_ns) == (copy.size_bytes, copy.modified_ns):
        return True
    return at.st_size == copy.size_bytes and sha256_of(path, gate) == copy.sha256


def plan(episodes: Iterable[Episode], to: Destination, gate: Gate) -> list[ToPush]:
    """Files without a copy there. Raises EpisodeError."""
    found = []
    known: dict[Path, dict[str, list[Pushed]]] = {}
    for episode in episodes:
        folder = episode.path.parent
        if folder not in known:
            known[folder] = pushed_of(folder)
        for path in files_of(episode.path):
            if not is_as_pushed(path, newest(known[folder].get(path.name, ()), to.name), gate):
                found.append(
                    ToPush(
                        path, path.stat().st_size, named(episode.recording, str(episode.attributes.get("imported", "")))
                    )
                )
    return found


def push(
    wanted: Sequence[ToPush],
    to: Destination,
    gate: Gate,
    told: Callable[[int, Path], None] = lambda _number, _path: None,
) -> Iterator[Outcome]:
    """Send them, one after the other, and read each back. What fails is told, and the rest goes on."""
    for number, item in enumerate(wanted):
        told(number, item.path)
        try:
            yield Outcome(item.path, _one(item, to, gate))
        except (PushFailed, OSError) as error:
            yield Outcome(
                item.path, False, str(error) if isinstance(error, PushFailed) else f"{item.path}: {reason(error)}"
            )


def _one(item: ToPush, to: Destination, gate: Gate) -> bool:
    before = item.path.stat()
    original = Original(item.path, _key(item.path), before.st_size, sha256_of(item.path, gate), item.recording)
    there = to.holds(original.key)
    _refuse_another(original, to, there)
    sent = there != before.st_size or to.read_back(original.key, gate) != original.sha256
    if sent:
        to.send(original, gate)
        if to.read_back(original.key, gate) != original.sha256:
            raise PushFailed(
                f"{to.name}: {original.key} reads back as something else than {item.path}. Next: run the same command again; "
                "if it stays so, check that place's disk"
            )
    after = item.path.stat()
    if (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        raise PushFailed(f"{item.path}: it was changed while it was sent. Next: run the same command again")
    note(
        item.path.parent,
        Pushed(
            item.path.name, to.name, original.key, original.sha256, after.st_size, after.st_mtime_ns, time.time_ns()
        ),
    )
    return sent


def _refuse_another(original: Original, to: Destination, there: int | None) -> None:
    """A file that was labelled since is sent anew; what somebody else recorded is never replaced."""
    if there is None or not original.key.endswith(".hdf5"):
        return
    other = to.recording_of(original.key)
    if other != original.recording:
        raise PushFailed(
            f"{to.name} has another recording as {original.key} ({other or 'it does not say which'}). Next: push each rig's data to a "
            "folder or prefix of its own"
        )


def _key(path: Path) -> str:
    return f"{path.absolute().parent.name}/{path.name}"


def sha256_of(path: Path, gate: Gate) -> str:
    """Of a file here."""
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_NOREUSE)
        while data := file.read(BLOCK):
            gate(len(data))
            digest.update(data)
    return digest.hexdigest()
