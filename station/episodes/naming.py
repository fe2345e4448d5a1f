"""File names of a task's folder, and which episode numbers are taken.

episode_12.hdf5              a whole episode; nothing else ever ends in .hdf5
episode_12.hdf5.deleted      deleted, can be undone
episode_12.labels.json       what people said about it
episode_12.quality.json      what was measured of it later, where its file has no quality card of its own
episode_12.mcap.part         its journal, while it is recorded or until it is recovered
episode_12.discarded.mcap.part   the same of a discarded one: it becomes .hdf5.deleted
episode_12.mcap              its journal, kept on request
episode_12.mcap.damaged      a journal that could not be read whole: rows before the damage are in the episode, if there are any
episode_12.mcap.cut          a journal that breaks off inside a record: its rows are in the episode, half a record is not
episode_12.mcap.empty        a journal without a row
                             (of these three and .mcap a second one is called .mcap.damaged.1: none is ever replaced)
.episode_12.tmp              the HDF5 being built
.highest_episode             the highest number ever used, also when the files were moved away
"""

import os
import re
from itertools import count
from pathlib import Path

from station.borders.regular_file import read_regular, reason
from station.errors import EpisodeError, UsageError
from station.files import durable

_NUMBER = re.compile(r"\.?episode_([0-9]{1,9})\.")
_HIGHEST = ".highest_episode"
_LONGEST_NUMBER = 100
"""Bytes."""


def number_of(path: Path) -> int:
    """The episode number in a file name. Raises UsageError for any other name."""
    found = _NUMBER.match(path.name)
    if found is None:
        raise UsageError(f"{path}: not a file of an episode; their names begin with episode_<n>.")
    return int(found[1])


def journal_path(folder: Path, number: int) -> Path:
    """Where the journal of episode `number` is written."""
    return folder / f"episode_{number}.mcap.part"


def episode_path(folder: Path, number: int) -> Path:
    """Where the whole episode appears."""
    return folder / f"episode_{number}.hdf5"


def deleted_path(episode: Path) -> Path:
    """The name of an episode once it is deleted."""
    return episode.with_name(f"{episode.name}.deleted")


def delete(episode: Path) -> Path:
    """Take an episode out of the way of every loader; `undelete` brings it back. Returns its new name."""
    return _rename(episode, deleted_path(episode))


def undelete(episode: Path) -> Path:
    """Undo `delete`; takes the episode's name with or without `.deleted`."""
    plain = episode_path(episode.parent, number_of(episode))
    return _rename(deleted_path(plain), plain)


def _rename(old: Path, new: Path) -> Path:
    try:
        _move(old, new)
    except FileNotFoundError:
        raise EpisodeError(f"{old}: no such episode. Next: `station episodes ls` shows what there is") from None
    except FileExistsError:
        raise EpisodeError(f"{new} exists already. Next: move one of them away") from None
    except OSError as error:
        raise EpisodeError(
            f"{old}: cannot be renamed to {new.name}: {reason(error)}. Next: check the folder's permissions and disk"
        ) from error
    return new


def discard(part: Path) -> Path:
    """Mark a closed journal as discarded: whoever saves it saves it as deleted. Returns its new name. Raises OSError."""
    marked = part.with_name(f"episode_{number_of(part)}.discarded.mcap.part")
    _move(part, marked)
    return marked


def put_aside(journal: Path, ending: str) -> Path:
    """Give a journal that nobody needs to save any more the name `episode_<n>.mcap<ending>`, or with a count behind it where
    that is taken. Returns it. Raises OSError.
    """
    name = f"episode_{number_of(journal)}.mcap{ending}"
    for taken in count():
        aside = journal.with_name(f"{name}.{taken}" if taken else name)
        try:
            _move(journal, aside)
        except FileExistsError:
            continue
        return aside
    raise AssertionError  # never: there are more numbers than files


def _move(old: Path, new: Path) -> None:
    """Rename; unlike the system's rename it never replaces anything, but raises FileExistsError."""
    os.link(old, new, follow_symlinks=False)
    old.unlink()
    durable.sync(new.parent)


def is_discarded(part: Path) -> bool:
    """Was this journal discarded?"""
    return ".discarded." in part.name


def temporary_path(folder: Path, number: int) -> Path:
    """The HDF5 while it is built."""
    return folder / f".episode_{number}.tmp"


def labels_path(folder: Path, number: int) -> Path:
    """What people said about the episode."""
    return folder / f"episode_{number}.labels.json"


def quality_path(episode: Path) -> Path:
    """What was measured of an episode that has no quality card in itself."""
    return episode.with_name(f"episode_{number_of(episode)}.quality.json")


def next_number(folder: Path) -> int:
    """The highest number ever used in this folder, plus one; 0 in a new folder."""
    return _highest(folder) + 1


def is_recorded_into(folder: Path) -> bool:
    """Has anything been recorded into this folder? Views and copies have not."""
    return (folder / _HIGHEST).exists()


def remember(folder: Path, number: int) -> None:
    """Note that `number` has been used, so that it stays used when its files are moved away."""
    if number > _remembered(folder):
        durable.replace(folder / _HIGHEST, f"{number}\n".encode())


def _remembered(folder: Path) -> int:
    try:
        found = re.fullmatch(rb"([0-9]{1,9})\n?", read_regular(folder / _HIGHEST, _LONGEST_NUMBER))
    except (OSError, ValueError):
        return -1
    return int(found[1]) if found else -1


def _highest(folder: Path) -> int:
    if not folder.is_dir():
        return -1
    taken = (int(found[1]) for entry in os.scandir(folder) if (found := _NUMBER.match(entry.name)))
    return max(_remembered(folder), max(taken, default=-1))
