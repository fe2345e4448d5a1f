"""A selection: which episodes make a training set, which of their rows, and how they are split. One YAML file.

    folders: [~/station-data/cube, ~/station-data/handover]   # data folders, tasks' folders, single episodes
    where:                                                    # all must hold; keys and units: `station dataset select --fields`
      success: true
      operator: [ann, ben]
      length_s: {min: 3, max: 60}
    sources: [demo, correction]                               # whose rows count as data
    trim: {idle_ends: true, keep: [{episode: cube/episode_3.hdf5, from_s: 1.0, to_s: 9.5}]}
    exclude: [{episode: cube/episode_12.hdf5, reason: the camera was moved}]
    split: {validation: 0.1, group_by: scene}
    weights: {cube: 1.0, handover: 0.5}
    seed: 0

Reading it evaluates nothing: it is data, held against the types below.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import yaml
from msgspec import Meta

from station.borders.bounds import Name, PathText, Text, absurdities
from station.borders.regular_file import read_regular, reason
from station.borders.strict_yaml import LONGEST_CHARACTERS, UniqueKeys
from station.episodes.filters import Where
from station.errors import UsageError
from station.files import durable

SourceKind = Literal["demo", "correction", "policy", "recovery"]
GroupBy = Literal["episode", "scene", "operator", "day"]
Seconds = Annotated[float, Meta(ge=0, le=86_400)]


class Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A range of an episode that is kept, by hand; an episode may have several. Seconds from its first row."""

    episode: PathText
    """Ends as the episode's path does: `cube/episode_3.hdf5`."""
    from_s: Seconds = 0.0
    to_s: Seconds = 86_400.0


class Trim(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What of an episode's ends is left out. What lies idle inside stays: waiting is data."""

    idle_ends: bool = False
    idle_rad: Annotated[float, Meta(gt=0, le=1)] = 0.02
    """An end is idle while no joint is further than this from where it stands there, measured and asked alike."""
    idle_aperture: Annotated[float, Meta(gt=0, le=1)] = 0.05
    """The same of grippers, 0 closed to 1 open."""
    shortest_idle_s: Seconds = 0.5
    """An idle end that is shorter stays."""
    margin_s: Seconds = 0.2
    """Of an idle end so much stays."""
    keep: tuple[Kept, ...] = ()


class Excluded(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An episode that somebody took out."""

    episode: PathText
    reason: Text


class Split(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """By a hash of the episode's identity (or of its group), so that episodes that come later move none."""

    validation: Annotated[float, Meta(ge=0, le=0.9)] = 0.0
    """The share that is held back."""
    group_by: GroupBy = "episode"
    """What stays together on one side."""


class Selection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file."""

    folders: Annotated[tuple[PathText, ...], Meta(min_length=1)]
    where: Where = {}
    sources: Annotated[tuple[SourceKind, ...], Meta(min_length=1)] = ("demo", "correction")
    trim: Trim = Trim()
    shortest_s: Seconds = 0.2
    """A stretch of rows between two gaps that is shorter is left out."""
    exclude: tuple[Excluded, ...] = ()
    split: Split = Split()
    weights: dict[Name, Annotated[float, Meta(ge=0, le=1e6)]] = {}
    """How often a task's episodes are to be drawn, against the others' 1: said in the card; no format can hold it."""
    seed: Annotated[int, Meta(ge=0, le=2**32)] = 0


def read_selection(path: Path) -> Selection:
    """The file. Raises UsageError: file, key, what is wrong, what to do."""
    try:
        raw = yaml.load(read_regular(path, LONGEST_CHARACTERS).decode(), Loader=UniqueKeys)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path}: cannot be read: {reason(error)}. Next: check the path and its permissions"
        ) from error
    except yaml.YAMLError as error:
        raise UsageError(
            f"{path}: {' '.join(str(error).split())}. Next: correct that line; a selection is plain YAML"
        ) from error
    return selection_of(raw, str(path))


def selection_of(raw: Any, path: str) -> Selection:
    """What a YAML or JSON file held, as a selection. Raises UsageError."""
    for where, what in absurdities(raw):
        raise UsageError(f"{path}: {where} is {what}. Next: give a number that can be")
    try:
        return msgspec.convert(_days_as_text(raw), Selection)
    except msgspec.ValidationError as error:
        raise UsageError(
            f"{path}: {error}. Next: the keys are {', '.join(Selection.__struct_fields__)}; docs/guide/datasets.md has an example"
        ) from error


def _days_as_text(raw: Any) -> Any:
    """YAML reads 2026-11-29 as a date."""
    if isinstance(raw, dict):
        return {key: _days_as_text(value) for key, value in raw.items()}
    if isinstance(raw, list):
        return [_days_as_text(value) for value in raw]
    return raw.isoformat() if hasattr(raw, "isoformat") else raw


def as_yaml(selection: Selection) -> str:
    """The file's text; what is as it is by default is left out."""
    plain = msgspec.to_builtins(selection)
    default = msgspec.to_builtins(Selection(folders=("",)))
    said = {key: value for key, value in plain.items() if value != default[key]}
    for key in ("trim", "split"):
        if key in said:
            said[key] = {inner: value for inner, value in said[key].items() if value != default[key][inner]}
    return yaml.safe_dump(said, sort_keys=False, allow_unicode=True, default_flow_style=None, width=100)


def write_selection(path: Path, selection: Selection) -> None:
    """Write the file whole. Raises UsageError."""
    try:
        durable.replace(path, as_yaml(selection).encode())
    except OSError as error:
        raise UsageError(f"{path}: {reason(error)}. Next: name a file that can be written") from error
