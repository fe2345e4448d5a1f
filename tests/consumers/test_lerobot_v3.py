"""LeRobot 0.4.4's own loader, shuffled, in two workers, gives back every frame and every action."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from station.datasets.plan import Plan
from tests.consumers.environments import read_by
from tests.consumers.truth import assert_equal, check_picture, rows
from tests.station.datasets.exported import export_to
from tests.station.datasets.recorded import BIMANUAL, SINGLE, Recorded, make

pytestmark = [pytest.mark.consumers, pytest.mark.timeout(600)]
CASES = [(sides, video) for sides in (BIMANUAL, SINGLE) for video in ("h264", "as-shot")]


class Read(NamedTuple):
    """A dataset, where it came from, and what the loader gave of it."""

    plan: Plan
    episodes: list[Path]
    """By the dataset's numbers."""
    given: dict[str, Any]


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> list[Read]:
    folder = tmp_path_factory.mktemp("lerobot")
    plans, sources, outs = [], [], []
    for place, (sides, video) in enumerate(CASES):
        texts = ("hand it over", "put it back")
        data = folder / f"data-{place}"
        made = [
            make(data, Recorded(30 + 7 * k, sides, size=(320, 240), episode=k, instruction=texts[k % 2]))
            for k in range(3)
        ]
        outs.append(folder / f"set-{place}")
        plan = export_to(outs[-1], data, video=video).plan
        plans.append(plan)
        sources.append([made[int(str(plan.sources[one.source].source.facts["episode"]))] for one in plan.episodes])
    given = read_by("lerobot-v3", "read_lerobot.py", outs, folder)
    return [Read(*one) for one in zip(plans, sources, given, strict=True)]


@pytest.mark.parametrize("case", range(len(CASES)), ids=["-".join((*sides, video)) for sides, video in CASES])
def test_every_frame_and_action(read: list[Read], case: int) -> None:
    plan, episodes, given = read[case]
    assert given["length"] == plan.frames == sum(30 + 7 * k for k in range(3)) == len(given["index"])
    place = {
        (int(e), int(f)): p for p, (e, f) in enumerate(zip(given["episode_index"], given["frame_index"], strict=True))
    }
    assert len(place) == plan.frames
    for index, episode in enumerate(episodes):
        for row, expected in enumerate(rows(episode)):
            at = place[index, row]
            assert_equal(given["observation.state"][at], expected.state)
            assert_equal(given["action"][at], expected.action)
            assert given["tasks"][at] == expected.instruction
            assert given["row"][at] == row
            for camera, picture in expected.pictures.items():
                check_picture(given[f"observation.images.{camera}"][at], picture)


@pytest.mark.parametrize("case", range(len(CASES)))
def test_statistics_are_of_all_values(read: list[Read], case: int) -> None:
    _, episodes, given = read[case]
    values = np.stack([row.action for episode in episodes for row in rows(episode)]).astype(np.float64)
    for name, right in (
        ("mean", values.mean(axis=0)),
        ("std", values.std(axis=0)),
        ("q99", np.quantile(values, 0.99, axis=0)),
    ):
        np.testing.assert_allclose(given[f"stats action {name}"], right, rtol=1e-5, atol=1e-6)
