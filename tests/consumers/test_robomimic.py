"""robomimic 0.3.0's own SequenceDataset, shuffled, in two workers, gives back every frame and every action, by its masks."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.consumers.environments import read_by
from tests.consumers.exported_sets import SIDES, exported, record_depth
from tests.consumers.truth import assert_equal, depths, rows

pytestmark = [pytest.mark.consumers, pytest.mark.timeout(600)]


def test_every_frame_and_action(recorded: dict[Sequence[str], list[Path]], tmp_path: Path) -> None:
    sets = [exported(tmp_path / "-".join(sides), recorded[sides], "robomimic") for sides in SIDES]
    for (_, plan, episodes), given in zip(
        sets, read_by("robomimic", "read_robomimic.py", [one.out for one in sets], tmp_path), strict=True
    ):
        numbers = zip(given["demo"].tolist(), given["frame"].tolist(), strict=True)
        place = {key: at for at, key in enumerate(numbers)}
        assert len(place) == plan.frames == len(given["demo"])
        for index, episode in enumerate(episodes):
            truth = list(rows(episode))
            for row, expected in enumerate(truth):
                at = place[index, row]
                assert given["mask"][at] == ("valid" if plan.episodes[index].validation else "train")
                assert_equal(given["actions"][at], expected.action)
                assert_equal(given["obs state"][at], expected.state)
                assert given["row"][at] == row and given["dones"][at] == (row == len(truth) - 1)
                assert given["rewards"][at] == (row == len(truth) - 1 and plan.episodes[index].success is True)
                for camera, picture in expected.pictures.items():
                    assert_equal(given[f"obs {camera}_image"][at], picture)


def test_depth_is_what_was_recorded(tmp_path: Path) -> None:
    one = exported(tmp_path / "set", record_depth(tmp_path / "data"), "robomimic", depth=True)
    (given,) = read_by("robomimic", "read_robomimic.py", [one.out], tmp_path)
    for index, episode in enumerate(one.episodes):
        mine = np.flatnonzero(given["demo"] == index)
        mine = mine[np.argsort(given["frame"][mine])]
        for stream, expected in depths(episode).items():
            assert_equal(given[f"obs {stream}"][mine], expected[..., None])
