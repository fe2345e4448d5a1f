"""File names of a task's folder, and which episode numbers are taken.

episode_12.hdf5              a whole episode; nothing else ever ends in .hdf5
episode_12.hdf5.deleted      deleted, can be undone
episode_12.labels.json       what people said about it
episode_12.mcap.part         its journal, while it is recorded or until it is recovered
episode_12.discarded.mcap.part   the same of a discarded one: it becomes .hdf5.deleted
episode_12.mcap              its journal, kept on request
episode_12.mcap.damaged      a journal whose rows could be saved only up to a damage
.episode_12.tmp              the HDF5 being built
.highest_episode             the highest number ever used, also when the files were moved away
"""

import os
import re
from pathlib import Path

from station import durable
from station.errors import EpisodeError, UsageError

_NUMBER = re.compile(r"\.?episode_([0-9]{1,9})\.")
_HIGHEST = ".highest_episode"


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
        os.link(old, new)  # unlike a rename it never replaces anything
    except FileNotFoundError:
        raise EpisodeError(f"{old}: no such episode. Next: `station episodes ls` shows what there is") from None
    except FileExistsError:
        raise EpisodeError(f"{new} exists already. Next: move one of them away") from None
    old.unlink()
    durable.sync(new.parent)
    return new


def discard(part: Path) -> Path:
    """Mark a closed journal as discarded: whoever saves it saves it as deleted. Returns its new name."""
    marked = part.with_name(f"episode_{number_of(part)}.discarded.mcap.part")
    part.rename(marked)
    durable.sync(part.parent)
    return marked


def is_discarded(part: Path) -> bool:
    """Was this journal discarded?"""
    return ".discarded." in part.name


def temporary_path(folder: Path, number: int) -> Path:
    """The HDF5 while it is built."""
    return folder / f".episode_{number}.tmp"


def labels_path(folder: Path, number: int) -> Path:
    """What people said about the episode."""
    return folder / f"episode_{number}.labels.json"


def next_number(folder: Path) -> int:
    """The highest number ever used in this folder, plus one; 0 in a new folder."""
    return _highest(folder) + 1


def remember(folder: Path, number: int) -> None:
    """Note that `number` has been used, so that it stays used when its files are moved away."""
    if number > _remembered(folder):
        durable.replace(folder / _HIGHEST, f"{number}\n".encode())


def _remembered(folder: Path) -> int:
    try:
        found = re.fullmatch(r"([0-9]{1,9})\n?", (folder / _HIGHEST).read_text())
    except (OSError, ValueError):
        return -1
    return int(found[1]) if found else -1


def _highest(folder: Path) -> int:
    if not folder.is_dir():
        return -1
    taken = (int(found[1]) for entry in os.scandir(folder) if (found := _NUMBER.match(entry.name)))
    return max(_remembered(folder), max(taken, default=-1))
