"""What a step of training sees: rows drawn from the demonstrations, the chunk that followed each, and a little disorder.

The disorder is what keeps a policy from learning the wrong thing from few, perfect demonstrations. A state that is a
little off with the action unchanged teaches the way back, and that the pictures, not the arm's own course, say where the
cube is. A picture a few ticks older than it was teaches a camera that lags. Light that varies costs nothing.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from station.errors import EpisodeError
from station.policy.folder import Image, Normalization
from station.policy.observation import PixelMap
from station.policy.statistics import Statistics, affine
from station.training.learning.demonstrations import Demonstration

_LEAST_STD = 0.05
"""Dimensions that hardly move are not blown up: below this their noise would be what is learnt."""
_PICTURE_STATISTICS = Statistics(mean=(0.5,) * 3, std=(0.25,) * 3)
_HELD_OUT = 0.1
_VARIES = 0.01
"""A dimension that differs by less than this between grasps, rad, says nothing about where the thing was."""


class Disorder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much of it while training."""

    state: float = 0.02
    """Standard deviation on the state, rad or gripper units."""
    age_ticks: int = 3
    """Pictures are up to this many ticks older than they were."""
    light: float = 0.15
    """Brightness and contrast, each by up to this fraction, per camera."""


NONE = Disorder(0.0, 0, 0.0)


class Batch(NamedTuple):
    """B rows, normalised as the network takes them."""

    state: NDArray[np.float32]
    """(B, D)"""
    images: NDArray[np.float32]
    """(B, cameras, 3, height, width)"""
    actions: NDArray[np.float32]
    """(B, chunk, D); past the episode's end the last action repeats: the arms stay where they are."""
    grasp: NDArray[np.float32]
    """(B, D): what will be asked when the first gripper begins to close, normalised over the demonstrations."""
    grasp_known: NDArray[np.bool_]
    """(B, D): where that is still to come, and differs between demonstrations at all."""


def parts(demos: Sequence[Demonstration]) -> tuple[range, range]:
    """Which of the demonstrations are learnt from and which are held out; a single one is both."""
    held_out = max(1, round(len(demos) * _HELD_OUT)) if len(demos) > 1 else 0
    learnt = range(len(demos) - held_out)
    return learnt, range(len(learnt), len(demos)) if held_out else learnt


def statistics(demos: Sequence[Demonstration]) -> Normalization:
    """Of the demonstrations: mean and standard deviation of states and of actions."""
    return Normalization(
        state=_statistics([demo.state for demo in demos]),
        action=_statistics([demo.action for demo in demos]),
        image=_PICTURE_STATISTICS,
    )


def _statistics(vectors: Sequence[NDArray[np.float32]]) -> Statistics:
    rows = np.concatenate(vectors).astype(np.float64)
    return Statistics(
        mean=tuple(rows.mean(0).round(6).tolist()),
        std=tuple(np.maximum(rows.std(0), _LEAST_STD).round(6).tolist()),
    )


class Batches:
    """Draws batches. Pure: the same random generator gives the same batch."""

    def __init__(
        self, demos: Sequence[Demonstration], normalization: Normalization, chunk: int, rate_hz: float, image: Image
    ) -> None:
        """The last tenth of the demonstrations is held out: never drawn, judged by.

        Raises EpisodeError where `rate_hz` is no whole fraction of the episodes' rate.
        """
        self._demos = tuple(demos)
        learnt, judged = parts(demos)
        stride = demos[0].tick_hz / rate_hz
        if stride < 1 or stride != round(stride):
            raise EpisodeError(
                f"{rate_hz:g} Hz is no whole fraction of the episodes' {demos[0].tick_hz:g} Hz. Next: choose another rate"
            )
        self._ahead = round(stride) * np.arange(chunk)
        dims = demos[0].action.shape[1]
        self._state = affine(normalization.state, dims)
        self._action = affine(normalization.action, dims)
        self._pixels = PixelMap(normalization.image)
        self._image = image
        self._learnt = [(i, row) for i in learnt for row in range(len(demos[i].action))]
        self._judged = [(i, row) for i in judged for row in range(len(demos[i].action))]
        known = [demos[i].action[demos[i].grasp] for i in learnt if demos[i].grasp]
        grasps = np.array(known or np.zeros((1, dims)), np.float64)
        self._grasp_mean, self._grasp_std = grasps.mean(0), np.maximum(grasps.std(0), _VARIES)
        self._grasp_varies = grasps.std(0) > _VARIES

    def draw(self, random: np.random.Generator, size: int, disorder: Disorder) -> Batch:
        """`size` rows by chance."""
        return self._batch([self._learnt[i] for i in random.integers(len(self._learnt), size=size)], random, disorder)

    def held_out(self, every: int, size: int) -> list[Batch]:
        """Every so-many-th row of what is held out, undisturbed, in batches of at most `size`."""
        rows = self._judged[::every]
        random = np.random.default_rng(0)
        return [self._batch(rows[i : i + size], random, NONE) for i in range(0, len(rows), size)]

    def _batch(self, rows: Sequence[tuple[int, int]], random: np.random.Generator, disorder: Disorder) -> Batch:
        state = np.stack([self._demos[i].state[row] for i, row in rows])
        state = state + random.normal(0.0, 1.0, state.shape) * disorder.state
        actions = np.stack([self._following(self._demos[i].action, row) for i, row in rows])
        grasp = np.stack([self._demos[i].action[self._demos[i].grasp] for i, _ in rows])
        still_to_come = np.array([row < self._demos[i].grasp for i, row in rows])
        return Batch(
            self._state.normalise(state),
            self._images(rows, random, disorder),
            self._action.normalise(actions),
            ((grasp - self._grasp_mean) / self._grasp_std).astype(np.float32),
            still_to_come[:, None] & self._grasp_varies,
        )

    def grasp_off(self, normalised: NDArray[np.float32]) -> NDArray[np.float64]:
        """Differences of normalised grasps, (…, D), in rad and gripper units."""
        off: NDArray[np.float64] = normalised * self._grasp_std
        return off

    def _following(self, action: NDArray[np.float32], row: int) -> NDArray[np.float32]:
        return action[np.minimum(row + self._ahead, len(action) - 1)]

    def _images(
        self, rows: Sequence[tuple[int, int]], random: np.random.Generator, disorder: Disorder
    ) -> NDArray[np.float32]:
        cameras = len(self._demos[0].pictures)
        pictures = np.empty((len(rows), cameras, self._image.height, self._image.width, 3), np.uint8)
        ages = random.integers(0, disorder.age_ticks + 1, (len(rows), cameras))
        for b, (i, row) in enumerate(rows):
            demo = self._demos[i]
            for camera in range(cameras):
                pictures[b, camera] = demo.pictures[camera][demo.shown[camera, max(0, row - ages[b, camera])]]
        # channels last in memory: convolutions are a sixth faster
        images = np.moveaxis(np.empty(pictures.shape, np.float32), -1, -3)
        self._pixels.normalise(pictures, images)
        contrast, brightness = random.uniform(-disorder.light, disorder.light, (2, len(rows), cameras, 1, 1, 1))
        if disorder.light:
            images *= (1 + contrast).astype(np.float32)
            images += brightness.astype(np.float32)
        return images
