"""What is in a data folder: episodes and their labels, and views for trainers.

`data` is a data folder (`<data>/<task>/episode_<n>.hdf5`) or one task's folder.
"""

import errno
import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import h5py

from station.episodes.labels import read_labels
from station.episodes.naming import episode_path, number_of
from station.errors import EpisodeError, UsageError


class Episode(NamedTuple):
    """One episode as a list shows it."""

    path: Path
    task: str
    number: int
    rows: int
    seconds: float
    success: bool | None
    note: str
    operator: str
    late: int
    lost: int
    stale: int
    recovered: bool
    ended: str
    size_bytes: int
    problem: str
    """Why it cannot be read; "" if it can."""


def episodes(data: Path, task: str = "") -> list[Episode]:
    """Episodes below `data`, by task and number. Raises UsageError if there is no such folder."""
    if not data.is_dir():
        raise UsageError(f"{data}: no such folder. Next: name the folder that --data or the rig file's `data` names")
    found = [read_episode(path) for path in data.rglob("episode_*.hdf5") if not task or path.parent.name == task]
    return sorted(found, key=lambda episode: (episode.path.parent, episode.number))


def read_episode(path: Path) -> Episode:
    """One episode's line; what cannot be read says so in `problem`."""
    number, size = number_of(path), path.stat().st_size
    try:
        labels = read_labels(path)
        with h5py.File(path) as file:
            has = file.attrs
            rows, said = len(file["/action"]), int(has["success"])
            success = labels.success if labels else None if said < 0 else bool(said)
            return Episode(
                path, str(has["task"]), number, rows, rows / float(has["tick_hz"]), success,
                labels.note if labels else "",
                str(has["operator"]), int(has["late_ticks"]), int(has["lost_samples"]), int(has["stale_samples"]),
                bool(has["recovered"]), str(has["ended"]), size, "",
            )  # fmt: skip
    except (OSError, KeyError, EpisodeError) as error:
        return Episode(path, path.parent.name, number, 0, 0.0, None, "", "", 0, 0, 0, False, "", size, str(error))


def view(out: Path, chosen: Iterable[Episode]) -> list[Path]:
    """Make `out` a folder of hard links `episode_0.hdf5` … to the chosen episodes: what trainers are given.

    Hard links take no room, and a label said later is seen in both. Raises UsageError if `out` has something in it, if
    nothing is chosen or if `out` is on another file system.
    """
    picked = list(chosen)
    if not picked:
        raise UsageError("no episode fits. Next: `station episodes ls` shows lengths and labels")
    out.mkdir(parents=True, exist_ok=True)
    if any(out.iterdir()):
        raise UsageError(f"{out} is not empty. Next: name a new folder")
    links = [episode_path(out, place) for place in range(len(picked))]
    for link, episode in zip(links, picked, strict=True):
        try:
            os.link(episode.path, link)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            raise UsageError(
                f"{out} is on another file system than {episode.path}. Next: name a folder beside the data"
            ) from error
    return links
