"""Marks of the recordings as a dataset has them: which frame of which of its episodes; and the stretches between them. Pure."""

from collections.abc import Iterator
from itertools import pairwise

import msgspec
import numpy as np
from numpy.typing import NDArray

from station.datasets.plan import Plan, PlannedEpisode


class MarkedFrame(msgspec.Struct, frozen=True):
    """One mark: the frame that shows what was there when it was set."""

    episode: int
    """The dataset's."""
    frame: int
    time_s: float
    """From that episode's first frame."""
    name: str


def marked_frames(plan: Plan) -> Iterator[MarkedFrame]:
    """In the dataset's order; a mark in rows that are not exported is left out with them."""
    for episode in plan.episodes:
        rows = plan.frames_of(episode).rows
        for name, row in plan.sources[episode.source].marks:
            if len(rows) and rows[0] <= row < episode.end:
                frame = int(np.searchsorted(rows, row, "right")) - 1
                yield MarkedFrame(episode.index, frame, frame / plan.rate_hz, name)


def subtask_of_frames(plan: Plan, episode: PlannedEpisode) -> NDArray[np.int64]:
    """(N,) which of the plan's subtasks each frame is in: that of the recording's newest mark at or before its row."""
    marks = plan.sources[episode.source].marks
    numbers = np.array([0, *(plan.subtasks.index(name) for name, _ in marks)])
    return numbers[np.searchsorted([row for _, row in marks], plan.frames_of(episode).rows, "right")]


class Subtask(msgspec.Struct, frozen=True):
    """Consecutive frames of an episode that are in one subtask: `start` … `end` − 1."""

    start: int
    end: int
    text: str


def subtasks_of(plan: Plan, episode: PlannedEpisode) -> list[Subtask]:
    """In their order; frames before a recording's first mark are in none."""
    numbers = subtask_of_frames(plan, episode)
    edges = [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(numbers)]
    return [Subtask(start, end, plan.subtasks[numbers[start]]) for start, end in pairwise(edges) if numbers[start]]
