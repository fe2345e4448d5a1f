"""What Diffusion Policy's and UMI's replay buffers have in common: all episodes' numbers one behind the other, and where each ends."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from station.datasets.formats.contract import Numbers, Part, Place
from station.datasets.formats.zarr_arrays import Reader, Store, put_array
from station.datasets.plan import Plan
from station.errors import EpisodeError

OWN = ("row", "tick_ns", "stalled", "intervention")
"""Ours, beside what the consumers ask for."""
Kept = tuple[str, Callable[[Numbers], NDArray[Any]]]
"""An array's name below `data`, and how it comes of a shard's numbers."""


def keep(part: Part, arrays: Sequence[Kept], numbers: Numbers, place: Place) -> list[Path]:
    """A shard's numbers, until all are there."""
    paths = []
    for name, of in arrays:
        paths.append(_piece(place, name, part.shard))
        np.save(paths[-1], of(numbers))
    return paths


def put_kept(store: Store, plan: Plan, arrays: Sequence[Kept], place: Place) -> None:
    """All shards' numbers, and meta/episode_ends; the instructions and the split beside it."""
    for name, _ in arrays:
        files = [np.load(_piece(place, name, shard.index), mmap_mode="r") for shard in plan.shards]
        put_array(store, f"data/{name}", (plan.frames, *files[0].shape[1:]), files[0].dtype, files)
    ends = np.cumsum([episode.length for episode in plan.episodes]).astype(np.int64)
    texts = np.array([episode.instruction for episode in plan.episodes], "U")
    held = np.array([episode.validation for episode in plan.episodes])
    for name, values in (("episode_ends", ends), ("instruction", texts), ("validation", held)):
        put_array(store, f"meta/{name}", values.shape, values.dtype, [values])


def within(plan: Plan, part: Part) -> list[slice]:
    """Each episode's rows among its shard's."""
    start = plan.of(part.shard)[0].start
    return [slice(one.start - start, one.start - start + one.length) for one in plan.of(part.shard)]


class Buffer:
    """A replay buffer that is read back."""

    def __init__(self, path: Path) -> None:
        """Raises EpisodeError."""
        self.arrays = Reader(path)
        count = int(self.arrays.about("meta/episode_ends")["shape"][0])
        self.ends = [int(end) for end in self.arrays.rows("meta/episode_ends", 0, count)]
        if not self.ends or sorted(set(self.ends)) != self.ends or self.ends[0] < 1:
            raise EpisodeError(f"{path}: episode_ends are {self.ends[:10]}. Next: export again")

    def problems(self, expected: Sequence[str]) -> Iterator[str]:
        """Every array whole, and all that are expected."""
        yield from self.arrays.problems(self.ends[-1])
        missing = {f"data/{name}" for name in expected} - self.arrays.names()
        if missing:
            yield f"{', '.join(sorted(missing))} missing"

    def lengths(self) -> list[int]:
        """Of each episode."""
        return [end - first for first, end in zip([0, *self.ends], self.ends, strict=False)]

    def of(self, episode: int, names: Sequence[str]) -> Mapping[str, NDArray[Any]]:
        """Arrays of an episode."""
        first, end = self.first(episode), self.ends[episode]
        return {name: self.arrays.rows(f"data/{name}", first, end) for name in names}

    def first(self, episode: int) -> int:
        """Its first row."""
        return self.ends[episode - 1] if episode else 0

    def instruction(self, episode: int) -> str:
        """Its task's text."""
        return str(self.arrays.rows("meta/instruction", episode, episode + 1)[0])

    def validation(self, episode: int) -> bool:
        """Is it held back?"""
        return bool(self.arrays.rows("meta/validation", episode, episode + 1)[0])


def _piece(place: Place, name: str, shard: int) -> Path:
    return place.pieces / f"{name}-{shard:05d}.npy"
