"""What a selection knows of an episode file: every attribute and label that can be filtered by, and which recording it is."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import h5py
import msgspec

from station.clock import NS_PER_S
from station.episodes import catalogue, layout
from station.episodes.catalogue import Episode
from station.episodes.labels import recording_in
from station.episodes.reading import TYPES, reading
from station.errors import EpisodeError

Fact = bool | int | float | str | None


class Field(NamedTuple):
    """Something that a selection can filter by."""

    name: str
    type: str
    """bool, number, text or day."""
    what: str


_HIDDEN = (
    "success",
    "rig_yaml",
    "devices",
    "calibration",
    "check_result",
    "kinematics",
    "quality",
    "compress",
    "clock",
    "start_ns",
    "start_wall_ns",
)
"""Attributes that are said otherwise (success: the labels file wins) or are no single value."""
_KINDS = {"bool": "bool", "int8": "number", "int64": "number", "float64": "number", "string": "text"}

FIELDS: Mapping[str, Field] = {
    field.name: field
    for field in (
        Field("success", "bool", "did it do the task, as the labels say; true, false or unset"),
        Field("note", "text", "what somebody wrote about it (the labels file)"),
        Field("rows", "number", "rows (ticks)"),
        Field("length_s", "number", "length, s"),
        Field("size_mb", "number", "size of the file, MB"),
        Field("day", "day", "the day it was recorded, UTC"),
        *(
            Field(entry.name, _KINDS[entry.type], entry.what)
            for entry in layout.ATTRIBUTES
            if entry.on == "/" and entry.type in _KINDS and entry.name not in _HIDDEN
        ),
    )
}


class Source(msgspec.Struct, frozen=True):
    """One episode file, as it is found."""

    path: str
    name: str
    """The task's folder and the file: `cube/episode_3.hdf5`."""
    identity: str
    """Of the recording: the same whatever the file is called."""
    size_bytes: int
    modified_ns: int
    facts: dict[str, Fact]
    problem: str = ""
    """Why it cannot be used."""


def find(folder: Path) -> list[Source]:
    """The episodes of a data folder, of a task's folder, or the one episode that is named. Raises UsageError."""
    episodes = [catalogue.read_episode(folder)] if folder.is_file() else catalogue.episodes(folder)
    return [read_source(episode) for episode in episodes]


def read_source(episode: Episode) -> Source:
    """What its file and its labels say; what is wrong with it is in `problem`."""
    path = episode.path.absolute()
    name = f"{path.parent.name}/{path.name}"
    if episode.problem:
        return Source(str(path), name, name, 0, 0, {}, episode.problem)
    try:
        with reading(path) as file:
            facts = _attributes(file)
            recording = recording_in(file)
        at = path.stat()
    except (EpisodeError, OSError) as error:
        return Source(str(path), name, name, 0, 0, {}, str(error))
    facts |= {
        "success": episode.success, "note": episode.note, "rows": episode.rows, "length_s": episode.seconds,
        "size_mb": at.st_size / 1e6, "day": _day(recording.start_wall_ns) if recording else "",
    }  # fmt: skip
    said = msgspec.json.encode(recording) + str(facts.get("rig", "")).encode() if recording else name.encode()
    return Source(str(path), name, hashlib.sha256(said).hexdigest(), at.st_size, at.st_mtime_ns, facts)


def _attributes(file: h5py.File) -> dict[str, Fact]:
    """Those of the layout's table that stand in the file and are of its type; a NaN is what nobody measured."""
    found: dict[str, Fact] = {}
    for entry in layout.ATTRIBUTES:
        if entry.name not in FIELDS or entry.on != "/" or entry.name not in file.attrs:
            continue
        value = file.attrs[entry.name]
        if isinstance(value, TYPES[entry.type]):
            plain = value.item() if hasattr(value, "item") else str(value)
            found[entry.name] = None if plain != plain else plain
    return found


def _day(wall_ns: int) -> str:
    return datetime.fromtimestamp(wall_ns / NS_PER_S, UTC).date().isoformat()
