"""Which pictures are looked at: those in which a shift by a frame shows."""

from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import pytest

from station.datasets.plan import Plan, Shard
from station.datasets.verifying import frames_to_look_at, judge_picture, pieces


class Repeating:
    """Pictures of a camera that is slower than the rows, by so many."""

    def __init__(self, times: int) -> None:
        self.times = times

    def stored(self, row: int) -> bytes:
        return bytes([row // self.times])


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("seed", range(20))
def test_a_scene_at_rest_but_for_a_moment_is_looked_at_in_that_moment(times: int, seed: int) -> None:
    state = np.zeros((120, 14), np.float32)
    state[60:66, 3] = np.linspace(0, 1, 6)
    state[66:, 3] = 1
    state[5, 9] = np.nan  # of an import
    looked = frames_to_look_at(cast(Any, Repeating(times)), np.arange(120), state, seed)
    assert {0, 119} <= set(looked)
    assert any(60 - times < frame <= 66 for frame in looked)
    assert all(frame in (0, 119) or frame % times == 0 for frame in looked)


class Lit:
    """Pictures of a scene in which a light gets a little brighter from row to row."""

    def __init__(self) -> None:
        self._noise = np.random.default_rng(3)
        self._scene, self._light = self._noise.normal(128, 20, (2, 48, 64, 3))
        self._light = np.sign(self._light - 128) * 2.7

    def stored(self, row: int) -> bytes:
        return bytes([row])

    def sized(self, row: float, width: int, height: int) -> Any:
        assert (width, height) == (64, 48)
        return np.clip(np.rint(self._scene + row * self._light), 0, 255).astype(np.uint8)

    def coded(self, row: float) -> Any:
        """As a video has it, at 41 dB."""
        return np.clip(self.sized(row, 64, 48) + self._noise.normal(0, 2.1, (48, 64, 3)), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(("shows", "wrong"), [(5.0, ""), (4.4, ""), (4.0, "row 4's"), (6.0, "row 6's")])
def test_a_change_that_an_encoder_puts_off_is_no_shift(shows: float, wrong: str) -> None:
    lit = Lit()
    told, _ = judge_picture(cast(Any, lit), np.arange(10), 5, lit.coded(shows), False)
    assert (wrong in told) if wrong else not told


def test_an_episode_of_one_row() -> None:
    assert frames_to_look_at(cast(Any, Repeating(1)), np.arange(1), np.zeros((1, 7), np.float32), 0) == [0]


class Shards(NamedTuple):
    """Of a plan what decides how the reading back is shared out."""

    episodes: tuple[int, ...]
    shards: tuple[Shard, ...]


@pytest.mark.parametrize("workers", [0, 1, 2, 16])
@pytest.mark.parametrize("ends", [(1,), (6,), (11, 12, 40), tuple(range(1, 200)), (5000,)], ids=len)
def test_every_episode_is_in_one_piece_and_a_small_set_in_as_many_as_keep_all_workers_busy(
    ends: tuple[int, ...], workers: int
) -> None:
    shards = tuple(Shard(place, first, end) for place, (first, end) in enumerate(zip((0, *ends), ends, strict=False)))
    plan = cast(Plan, Shards(tuple(range(ends[-1])), shards))
    found = pieces(Path("set"), plan, workers)
    assert [episode for piece in found for episode in range(piece.first, piece.end)] == list(range(ends[-1]))
    for piece in found:
        assert any(shard.first <= piece.first < piece.end <= shard.end for shard in shards)
    assert min(ends[-1], workers) <= len(found) <= len(shards) + 4 * max(1, workers)
