"""What is in a data folder: episodes and their labels, and views for trainers.

`data` is a data folder (`<data>/<task>/episode_<n>.hdf5`) or one task's folder.
"""

import errno
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from station.borders.regular_file import reason
from station.episodes import layout
from station.episodes.form import Form, form_of, mixed
from station.episodes.labels import Labels, Recording, labels_of, recording_in
from station.episodes.naming import episode_path, is_recorded_into, number_of
from station.errors import EpisodeError, UsageError
from station.terminal.shown import ranges

if TYPE_CHECKING:
    import h5py

_DOCUMENTS = ("rig_yaml", "devices", "calibration", "check_result", "quality")


class Episode(msgspec.Struct, frozen=True):
    """One episode as a list shows it. Task, instruction, verdict and note are what people said last."""

    path: Path
    task: str
    number: int | None
    """None where the file's name has none."""
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
    damage: str
    size_bytes: int
    problem: str
    """Why it is not to be used: it cannot be read, or it is not certain which recording it, or its labels, are. "" if it is."""
    policy: str = ""
    """The policy that ran in it, "" if none did."""
    form: Form | None = None
    """What it is made of; None where nothing could be read."""
    instruction: str = ""
    scene: str = ""
    recorded_ns: int = 0
    """When it began, Unix time; 0 where nothing could be read."""
    recording: Recording | None = None
    attributes: dict[str, bool | int | float | str] = {}
    """Every single value that the file says of itself, by the layout's names; documents (rig, devices, card) and NaN left out."""


SOON_READ = 20
"""0.3 s on a quiet computer: 15 ms an episode."""


def episodes(data: Path, task: str = "") -> list[Episode]:
    """Episodes below `data`, by folder and number. Raises UsageError if there is no such folder.

    What the index knows of a file that has not changed since is believed; everything else is read.
    """
    from station.episodes.index import indexed  # here: the index is of what this module reads

    return indexed(data, task)


def forms_in(folder: Path) -> list[tuple[int, Form]]:
    """Number and form of the episodes in a task's folder that can be read; none where there is no such folder.

    The session asks, and a node that is away for 3 s is taken for stuck: of what the index does not know the newest `SOON_READ` are read.
    """
    from station.episodes.index import indexed_soon  # here: as above

    return [
        (each.number, each.form)
        for each in indexed_soon(folder, SOON_READ)
        if each.form is not None and each.number is not None
    ]


def read_episode(path: Path) -> Episode:
    """One episode's line; what is wrong with it is in `problem`."""
    from station.episodes.reading import reading  # here, for it brings h5py: what the index knows is listed without

    try:
        number = number_of(path)
    except UsageError as error:
        return _unread(path, None, str(error))
    try:
        with reading(path) as file:
            return episode_in(path, file)
    except EpisodeError as error:
        return _unread(path, number, str(error))


def episode_in(path: Path, file: "h5py.File") -> Episode:
    """The same of a file that is open. Raises UsageError where its name is no episode's."""
    number = number_of(path)
    try:
        return _whole(path, number, file)
    except EpisodeError as error:
        return _unread(path, number, str(error))


def _whole(path: Path, number: int, file: "h5py.File") -> Episode:
    from station.episodes.reading import attribute, rows_of, tick_hz

    rows, rate = rows_of(file), tick_hz(file)
    verdict = int(attribute(file, "success"))
    recording = recording_in(file)
    said, problem = Labels(None if verdict < 0 else bool(verdict)), _misnamed(path, number, recording)
    try:
        if (labels := labels_of(path, recording)) is not None:
            said = labels
    except EpisodeError as error:
        problem = str(error)
    return Episode(
        path, said.task or attribute(file, "task"), number, rows, rows / rate, None if problem else said.success, said.note,
        attribute(file, "operator"), int(attribute(file, "late_ticks")), int(attribute(file, "lost_samples")),
        int(attribute(file, "stale_samples")), bool(attribute(file, "recovered")), attribute(file, "ended"),
        attribute(file, "damage") if "damage" in file.attrs else "", path.stat().st_size, problem,
        attribute(file, "policy"), form_of(file), said.instruction or attribute(file, "instruction"), attribute(file, "scene"),
        int(attribute(file, "start_wall_ns")), recording, _single_values(file),
    )  # fmt: skip


def _single_values(file: "h5py.File") -> dict[str, bool | int | float | str]:
    from station.episodes.reading import TYPES, text

    found: dict[str, bool | int | float | str] = {}
    for entry in layout.ATTRIBUTES:
        if entry.on != "/" or entry.type == "strings" or entry.name in _DOCUMENTS or entry.name not in file.attrs:
            continue
        value = file.attrs[entry.name]
        if isinstance(value, TYPES[entry.type]) and value == value:  # a NaN is what nobody measured
            found[entry.name] = value.item() if hasattr(value, "item") else text(str(value))
    return found


def _misnamed(path: Path, number: int, recording: Recording | None) -> str:
    """Renamed or copied under another number? In a view, numbers are the view's own."""
    if (
        recording is None
        or number == recording.episode
        or (path.stat().st_nlink > 1 and not is_recorded_into(path.parent))
    ):
        return ""
    return (
        f"{path}: it was recorded as episode {recording.episode}, its name says {number}: renamed, or a copy. "
        f"Next: give it back the name {episode_path(path.parent, recording.episode).name}, or move the copy out of the data folder"
    )


def _unread(path: Path, number: int | None, problem: str) -> Episode:
    try:
        size = path.stat().st_size
    except OSError:
        size = 0
    return Episode(path, path.parent.name, number, 0, 0.0, None, "", "", 0, 0, 0, False, "", "", size, problem)


def view(out: Path, chosen: Iterable[Episode]) -> list[Path]:
    """Make `out` a folder of hard links `episode_0.hdf5` … to the chosen episodes: what trainers are given.

    Hard links take no room, and a label said later is seen in both. Raises UsageError if `out` has something in it, if
    nothing is chosen, if what is chosen is of more than one make, or if `out` is on another file system.
    """
    picked = list(chosen)
    if not picked:
        raise UsageError("no episode fits. Next: `station episodes ls` shows lengths and labels")
    _refuse_mixture(picked)
    try:
        out.mkdir(parents=True, exist_ok=True)
        empty = not any(out.iterdir())
    except OSError as error:
        raise UsageError(f"{out}: {reason(error)}. Next: name a new folder") from error
    if not empty:
        raise UsageError(f"{out} is not empty. Next: name a new folder")
    links = [episode_path(out, place) for place in range(len(picked))]
    for link, episode in zip(links, picked, strict=True):
        try:
            os.link(episode.path, link)
        except OSError as error:
            if error.errno == errno.EXDEV:
                why = f"{out} is on another file system than {episode.path}"
            else:
                why = f"{link} cannot be linked to {episode.path}: {reason(error)}"
            raise UsageError(f"{why}. Next: name a folder beside the data") from error
    return links


def _refuse_mixture(picked: list[Episode]) -> None:
    groups = mixed((str(place), episode.form) for place, episode in enumerate(picked) if episode.form is not None)
    if len(groups) > 1:
        told = "; ".join(
            f"{named([picked[int(place)] for place in names])} ({', '.join(why)})" for names, why in groups[1:]
        )
        most = named([picked[int(place)] for place in groups[0][0]])
        raise UsageError(
            f"no trainer can take these as one: {most} against (first / second) {told}. Next: name one task's folder with --data, "
            "or move the others out of it"
        )


def label(episode: Episode) -> str:
    """One episode, short: `cube/12`."""
    return f"{episode.path.parent.name}/{'?' if episode.number is None else episode.number}"


def belongs(episode: Episode, task: str) -> bool:
    """Is it of this task: by what was said of it since, else by its folder?"""
    recorded = episode.attributes.get("task", episode.task)
    return task in ("", episode.path.parent.name if episode.task == recorded else episode.task)


def named(episodes: Iterable[Episode]) -> str:
    """Which ones, short: `cube 3, 5, 7–9; fold 0`."""
    numbers: dict[str, list[int]] = {}
    for episode in episodes:
        numbers.setdefault(episode.path.parent.name, []).append(-1 if episode.number is None else episode.number)
    return "; ".join(f"{folder} {ranges(sorted(found))}" for folder, found in numbers.items())
