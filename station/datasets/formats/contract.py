"""What a format is: how it writes a shard, how it assembles the shards, and how it reads back what it wrote.

A format is an entry point of the group `station.formats` that names a class with these members. It writes only what
the plan says, into the folder it is given, under names that depend on the plan alone: the same part made twice is the same file.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

import msgspec
from numpy.typing import NDArray

from station.datasets.conversion import Space, Video
from station.datasets.picture_rows import RGB, PictureRows
from station.datasets.plan import Plan, PlannedEpisode
from station.datasets.statistics import Statistics


class Part(msgspec.Struct, frozen=True):
    """A piece of work that needs nothing of any other: a shard's numbers, a camera's pictures or depth of it, or a shard with all of it."""

    kind: Literal["numbers", "pictures", "depth", "all"]
    shard: int
    camera: str = ""

    @property
    def name(self) -> str:
        """As a file's name."""
        return f"{self.kind}-{self.shard:05d}{f'-{self.camera}' if self.camera else ''}"


class Made(msgspec.Struct, frozen=True):
    """A part that is done."""

    part: Part
    files: dict[str, int]
    """Bytes, by path from where `Place` is."""
    numbers: dict[str, list[Statistics]] = {}
    """By feature, for each episode of the shard."""
    pictures: dict[str, list[Statistics]] = {}
    """By camera, for each episode of the shard."""
    levels: dict[str, list[list[int]]] = {}
    """By camera: (3, 256) of the sampled pictures of the whole shard."""


class Totals(msgspec.Struct, frozen=True):
    """Statistics of the whole dataset."""

    numbers: dict[str, Statistics]
    pictures: dict[str, Statistics]
    """By camera."""


Numbers = Mapping[str, NDArray[Any]]
"""A shard's numbers by feature (the fields of `Converted`), all its episodes' frames one behind the other."""


class Frame(NamedTuple):
    """One frame of one camera."""

    episode: PlannedEpisode
    frame: int
    pictures: PictureRows
    row: int
    stored: bytes
    """As the source has it: a JPEG, or raw RGB; of depth (H, W) little-endian uint16."""


EachFrame = Callable[[Callable[[Frame], None]], None]
"""Calls what it is given with every frame of the part, in order."""


class Place(NamedTuple):
    """Where a dataset is being built."""

    out: Path
    """The dataset's folder."""
    pieces: Path
    """What `finish` puts together into one file, and what nobody is given: it is gone in the end."""


class ReadBack(Protocol):
    """A dataset of a format as a stranger would read it: from its own files, by its own tables, never by our notes beside it."""

    def structure(self) -> Iterator[str]:
        """What is wrong with the files by themselves: one sentence each."""

    def lengths(self) -> Sequence[int]:
        """Frames of each episode."""

    def numbers(self, episode: int) -> Mapping[str, NDArray[Any]]:
        """What the format holds of `state` (N, D), `action` (N, D), `row` (N,), … of an episode of N frames. Raises EpisodeError where they
        do not fit together.
        """

    def instructions(self, episode: int) -> Sequence[str]:
        """The task's text, of each frame; nothing where the format has none."""

    def pictures(self, episode: int, camera: str, frames: Sequence[int]) -> Sequence[RGB | bytes]:
        """Frames of an episode as the format gives them: decoded, or the camera's own JPEG where it is kept; of a depth stream its
        numbers as `Frame.stored`. Raises EpisodeError.
        """

    def said(self, episode: int) -> Mapping[str, bool]:
        """What the format says of an episode, of `validation` (it is held back) and `success` (it did the task)."""

    def statistics(self) -> Mapping[str, Statistics]:
        """The statistics that the format holds by itself, of features (and of cameras, by their names); nothing where it holds none."""


class Format(Protocol):
    """One format."""

    name: str
    consumers: str
    """Who reads it, for the card and for the list of formats."""
    videos: Sequence[Video]
    """The kinds of pictures it can hold; the first where nothing is said."""
    spaces: Sequence[Space]
    """What its states and actions can be of; the first where nothing is said."""
    depth: bool
    """It can hold depth, bit for bit."""
    by_episode: bool
    """A shard is one episode, for its files are episodes; otherwise as many as make a file of a good size."""

    def refuse(self, plan: Plan) -> None:
        """Raises UsageError where the format cannot hold what is asked for: by name, and what to ask for instead."""

    def parts(self, plan: Plan) -> Sequence[Part]:
        """The work, in the dataset's order."""

    def write(
        self, plan: Plan, part: Part, numbers: Numbers, frames: Mapping[str, EachFrame], place: Place
    ) -> Sequence[Path]:
        """Write a part: a shard's numbers (none of a part that is pictures), the pictures of the part's cameras and its depth, by stream,
        as each hands them over once. The files written. Raises EpisodeError for pictures that cannot be.
        """

    def finish(self, plan: Plan, made: Sequence[Made], totals: Totals, place: Place) -> None:
        """Everything that is one for the whole dataset: short, one after the other."""

    def open(self, folder: Path) -> ReadBack:
        """The dataset, to be verified. Raises EpisodeError where it cannot be opened at all."""

    def notes(self, plan: Plan) -> Sequence[str]:
        """What else whoever trains on it has to know, for the card: a sentence each."""

    def training(self, plan: Plan, out: Path) -> str:
        """Commands of its consumers, for the card."""
