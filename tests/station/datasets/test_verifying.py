"""Which pictures are looked at: those in which a shift by a frame shows."""

from typing import Any, cast

import numpy as np
import pytest

from station.datasets.verifying import frames_to_look_at


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


def test_an_episode_of_one_row() -> None:
    assert frames_to_look_at(cast(Any, Repeating(1)), np.arange(1), np.zeros((1, 7), np.float32), 0) == [0]
