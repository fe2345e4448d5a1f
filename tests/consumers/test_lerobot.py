"""LeRobot's own loaders, 0.4.4 for format 3.0 and 0.3.3 for 2.1, shuffled, in two workers, give back every frame and every action."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from tests.consumers.environments import read_by
from tests.consumers.exported_sets import SIDES, Set, exported
from tests.consumers.truth import assert_equal, check_picture, rows
from tests.station.datasets.exported import export_to
from tests.station.datasets.test_dataset_marks import marked

pytestmark = [pytest.mark.consumers, pytest.mark.timeout(600)]
FORMATS = ("lerobot-v3", "lerobot-v2.1")
CASES = [(sides, video) for sides in SIDES for video in ("h264", "as-shot")]


class Read(NamedTuple):
    """A dataset, and what the loader gave of it."""

    set: Set
    given: dict[str, Any]


@pytest.fixture(scope="module", params=FORMATS)
def read(
    request: pytest.FixtureRequest, recorded: dict[Sequence[str], list[Path]], tmp_path_factory: pytest.TempPathFactory
) -> list[Read]:
    return read_sets(request.param, request.param, recorded, tmp_path_factory.mktemp(request.param))


def read_sets(
    format_name: str, environment: str, recorded: dict[Sequence[str], list[Path]], folder: Path
) -> list[Read]:
    """Each case exported, and what the loader in that environment gives of it."""
    sets = [
        exported(folder / f"set-{place}", recorded[sides], format_name, video=video)
        for place, (sides, video) in enumerate(CASES)
    ]
    for one in sets:
        assert len(list(one.out.glob("videos/**/*.mp4"))) >= 2 * len(one.plan.cameras)
        assert len(list(one.out.glob("data/**/*.parquet"))) >= 2
    given = read_by(environment, "read_lerobot.py", [one.out for one in sets], folder)
    return [Read(*one) for one in zip(sets, given, strict=True)]


@pytest.mark.parametrize("case", range(len(CASES)), ids=["-".join((*sides, video)) for sides, video in CASES])
def test_every_frame_and_action(read: list[Read], case: int) -> None:
    whole(read[case])


def whole(one: Read) -> None:
    """Every frame, every action, every text is there, in its place."""
    (_, plan, episodes), given = one
    assert given["length"] == plan.frames == sum(30 + 7 * k for k in range(3)) == len(given["index"])
    numbers = zip(given["episode_index"].tolist(), given["frame_index"].tolist(), strict=True)
    place = {key: at for at, key in enumerate(numbers)}
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
    (_, plan, episodes), given = read[case]
    values = np.stack([row.action for episode in episodes for row in rows(episode)]).astype(np.float64)
    right = {"mean": values.mean(axis=0), "std": values.std(axis=0)}
    if plan.format == "lerobot-v3":  # 2.1 has no quantiles
        right["q99"] = np.quantile(values, 0.99, axis=0)
    for name, expected in right.items():
        np.testing.assert_allclose(given[f"stats action {name}"], expected, rtol=1e-5, atol=1e-6)


def test_what_was_marked_is_each_frames_subtask(tmp_path: Path) -> None:
    marked(tmp_path / "data")
    export_to(tmp_path / "set", tmp_path / "data")
    [given] = read_by("lerobot-v3", "read_lerobot.py", [tmp_path / "set"], tmp_path)
    by_frame = dict(zip(given["frame_index"].tolist(), given["subtasks"].tolist(), strict=True))
    assert [by_frame[frame] for frame in (0, 3, 4, 19, 20, 38, 39)] == [
        "",
        "",
        "reach",
        "reach",
        "grasp",
        "grasp",
        "place",
    ]
