"""One episode of the dataset, as numbers and as pictures: a pure function of its file and the plan."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import h5py
import msgspec
import numpy as np
from numpy.typing import NDArray

from station.datasets.end_effectors import of_end_effectors
from station.datasets.episode_numbers import read_numbers
from station.datasets.frames import any_between, represented
from station.datasets.plan import Plan, PlannedEpisode
from station.datasets.rows_kept import action_of
from station.episodes.reading import reading


class Converted(NamedTuple):
    """The numbers of an episode, N frames."""

    state: NDArray[np.float32]
    """(N, D)"""
    action: NDArray[np.float32]
    """(N, D)"""
    velocity: NDArray[np.float32]
    """(N, J) of joints, whatever state and action are of; `effort` likewise."""
    effort: NDArray[np.float32]
    row: NDArray[np.int64]
    """(N,) the row of the source whose observation it is."""
    tick_ns: NDArray[np.int64]
    """(N,) when that row's tick was, on the recording host's clock."""
    stalled: NDArray[np.bool_]
    """(N,) source or arm was silent for a moment in these rows, and went on."""
    intervention: NDArray[np.bool_]
    """(N,) a human had taken over from a policy."""


@contextmanager
def opened(plan: Plan, episode: PlannedEpisode) -> Iterator[h5py.File]:
    """The episode's source. Raises EpisodeError."""
    with reading(Path(plan.sources[episode.source].source.path)) as file:
        yield file


def converted(plan: Plan, episode: PlannedEpisode, file: h5py.File) -> Converted:
    """The numbers."""
    numbers = read_numbers(file)
    frames, conversion = plan.frames_of(episode), plan.conversion
    every = plan.sources[episode.source]
    action_rows = frames.action_rows
    if (
        conversion.representation == "step-delta"
    ):  # the last frame's needs the goal after it, which is no frame of its own
        action_rows = plan.frames_of(msgspec.structs.replace(episode, length=episode.length + 1)).action_rows
    rows = frames.rows
    state, goals = numbers.qpos[rows], action_of(numbers, conversion.action)[action_rows]
    if conversion.space == "joint":
        action = represented(goals, every.units, conversion.representation)
    else:
        state, action = of_end_effectors(
            state, goals, every.dim_names, every.geometry, conversion.space, conversion.representation
        )
    grippers = np.array([unit == "1" for unit in plan.units])
    state, action = (_gripper(values, grippers, conversion.gripper) for values in (state, action))
    return Converted(
        state, action, numbers.qvel[rows], numbers.effort[rows], rows, numbers.ticks_ns[rows],
        any_between(numbers.stalled, frames), any_between(numbers.intervention, frames),
    )  # fmt: skip


def _gripper(values: NDArray[np.float32], grippers: NDArray[np.bool_], convention: str) -> NDArray[np.float32]:
    if convention == "open-1":
        return values
    turned = 1 - values if convention == "closed-1" else 1 - 2 * values
    return np.asarray(np.where(grippers, turned, values), np.float32)
