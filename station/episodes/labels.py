"""What people say about an episode: a small JSON file beside it that wins over the file's own attribute.

It says which recording it is about, for a file's name can be given to another. Whoever changes it holds its folder's lock, so
that a verdict and a note said at once are both kept.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from station.borders.decoding import Decoder, Undecodable
from station.borders.regular_file import read_regular, reason
from station.bus.requests.time_outs import LABELS_S
from station.episodes.naming import journal_path, labels_path, number_of
from station.errors import EpisodeError
from station.files import durable

if TYPE_CHECKING:
    import h5py

_LARGEST = 1 << 20
_PATIENCE_S, _LOOK_S = LABELS_S, 0.01
"""A change takes milliseconds; who holds the folder for longer has stopped."""


class Recording(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which recording: the instant it began, on both clocks, and the number it was given."""

    start_ns: int
    start_wall_ns: int
    episode: int


class Labels(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The labels file."""

    success: bool | None = None
    note: str = ""
    recording: Recording | None = None
    """None in files of the first layout, which do not say it, and where it could not be read."""
    task: str | msgspec.UnsetType = msgspec.UNSET
    """What the task is called now; unset: as it was recorded."""
    instruction: str | msgspec.UnsetType = msgspec.UNSET
    """The same of the instruction."""


_decoder: Decoder[Labels] = Decoder("json", Labels)


def read_labels(episode: Path) -> Labels | None:
    """The labels of an episode; None if nobody said anything. Raises EpisodeError if the file is no labels file."""
    path = labels_path(episode.parent, number_of(episode))
    try:
        return _decoder.decode(read_regular(path, _LARGEST))
    except FileNotFoundError:
        return None
    except (OSError, Undecodable) as error:
        raise EpisodeError(f"{path}: not a labels file: {reason(error)}. Next: correct it, or move it away") from error


def recording_in(file: "h5py.File") -> Recording | None:
    """Which recording is in an episode's file; None where it does not say (it is of another recorder). Raises EpisodeError."""
    from station.episodes.reading import (
        attribute,  # here, like h5py below: a session that was killed is back the sooner
    )

    names = ("start_ns", "start_wall_ns", "episode")
    if any(name not in file.attrs for name in names):
        return None
    return Recording(*(int(attribute(file, name)) for name in names))


def labels_of(episode: Path, recording: Recording | None) -> Labels | None:
    """The labels of the recording in the file `episode`. Raises EpisodeError if the labels beside it are another's."""
    labels = read_labels(episode)
    if labels is not None and recording is not None and labels.recording not in (None, recording):
        raise EpisodeError(
            f"{labels_path(episode.parent, number_of(episode))}: these labels are of another recording than {episode.name}, "
            f"which was recorded as episode {recording.episode}. Next: give files back the names they had, or move the labels away"
        )
    return labels


def change_labels(episode: Path, change: Callable[[Labels], Labels]) -> Labels:
    """Say something: first into the labels file, atomically, then into the attribute `success` in place. Returns what is said now.

    Raises EpisodeError if there is no such episode, if the labels beside it are none or another's, or if the attribute could
    not follow (the labels file has it then).
    """
    if not episode.is_file():
        raise EpisodeError(f"{episode}: no such episode. Next: `station episodes ls` shows what there is")
    labels = _change(episode, change)
    try:
        import h5py
        import numpy as np

        with h5py.File(episode, "r+") as file:
            file.attrs.modify("success", np.int8(-1 if labels.success is None else labels.success))
    except (OSError, RuntimeError) as error:
        raise EpisodeError(
            f"{labels_path(episode.parent, number_of(episode))} has the label, but {episode.name} is in use and its attribute "
            f"`success` is as before ({reason(error)}). Next: say it again when its reader is done"
        ) from error
    return labels


def set_success(episode: Path, success: bool | None) -> None:
    """Say only how it went; the note stays. Raises like `change_labels`."""
    change_labels(episode, lambda labels: msgspec.structs.replace(labels, success=success))


def judge(episode: Path, success: bool | None) -> None:
    """Say how it went, also while it is still being recorded or built. Raises like `change_labels`."""
    if episode.is_file():
        set_success(episode, success)
    else:
        _change(episode, lambda labels: msgspec.structs.replace(labels, success=success))


def add_note(episode: Path, text: str) -> None:
    """Add a line to the note, also while the episode is still being recorded. Raises EpisodeError on a broken labels file."""
    _change(episode, lambda labels: msgspec.structs.replace(labels, note=f"{labels.note}\n{text}".strip()))


def _change(episode: Path, change: Callable[[Labels], Labels]) -> Labels:
    with _locked(episode.parent):
        recording = _recording(episode)
        before = labels_of(episode, recording) or Labels()
        labels = change(msgspec.structs.replace(before, recording=recording or before.recording))
        path = labels_path(episode.parent, number_of(episode))
        try:
            durable.replace(path, msgspec.json.encode(labels) + b"\n")
        except OSError as error:
            raise EpisodeError(
                f"{path}: cannot be written: {reason(error)}. Next: check the disk, then say it again"
            ) from error
        return labels


def _recording(episode: Path) -> Recording | None:
    """Which recording the name stands for now; None where neither its file nor its journal can tell."""
    from station.episodes.journal_reader import JournalReader
    from station.episodes.reading import reading

    if episode.is_file():
        try:
            with reading(episode) as file:
                return recording_in(file)
        except EpisodeError:
            return None
    try:
        with JournalReader(journal_path(episode.parent, number_of(episode))) as reader:
            header = reader.header
    except OSError:
        return None
    return None if header is None else Recording(header.start_ns, header.start_wall_ns, header.info.episode)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the folder against everybody else who changes labels in it. Raises EpisodeError."""
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise EpisodeError(f"{folder}: {reason(error)}. Next: bring the disk back, then say it again") from error
    try:
        until_s = time.monotonic() + _PATIENCE_S
        while not _take(fd, folder):
            if time.monotonic() > until_s:
                raise EpisodeError(f"{folder}: another program holds its labels. Next: end it, then say it again")
            time.sleep(_LOOK_S)
        yield
    finally:
        os.close(fd)


def _take(fd: int, folder: Path) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise EpisodeError(f"{folder}: cannot be locked: {reason(error)}. Next: keep data on a local disk") from error
    return True
