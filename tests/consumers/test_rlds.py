"""TensorFlow Datasets gives back every frame and every action, of both splits."""

from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
import pytest

from tests.consumers.environments import read_by
from tests.consumers.exported_sets import SIDES, exported, record_depth
from tests.consumers.truth import assert_equal, check_picture, depths, rows

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]
CASES = [(sides, video) for sides in SIDES for video in ("as-shot", "jpeg")]


def test_every_frame_and_action(recorded: dict[Sequence[str], list[Path]], tmp_path: Path) -> None:
    sets = [
        exported(tmp_path / f"set-{place}", recorded[sides], "rlds", video=video)
        for place, (sides, video) in enumerate(CASES)
    ]
    assert all(len(list(one.out.glob("rlds/1.0.0/*.tfrecord*"))) >= 2 for one in sets)
    read = read_by("rlds", "read_rlds.py", [one.out for one in sets], tmp_path)
    for one, given, (_, video) in zip(sets, read, CASES, strict=True):
        numbers = zip(given["episode"].tolist(), given["frame"].tolist(), strict=True)
        place = {key: at for at, key in enumerate(numbers)}
        assert len(place) == one.plan.frames
        for index, episode in enumerate(one.episodes):
            planned, truth = one.plan.episodes[index], list(rows(episode))
            for row, expected in enumerate(truth):
                at = place[index, row]
                assert_equal(given["action"][at], expected.action)
                assert_equal(given["observation state"][at], expected.state)
                assert given["language_instruction"][at].decode() == expected.instruction
                assert given["row"][at] == row
                assert [given[name][at] for name in ("is_first", "is_last")] == [row == 0, row == len(truth) - 1]
                assert given["split"][at] == ("val" if planned.validation else "train")
                assert (b"success" in given["path"][at]) == (planned.success is True)
                for camera, picture in expected.pictures.items():
                    check_picture(given[f"observation {camera}"][at], picture)
                    if video == "as-shot":
                        assert given[f"stored {camera}"][at] == sum_of(episode, camera, row)


def test_depth_is_what_was_recorded(tmp_path: Path) -> None:
    one = exported(tmp_path / "set", record_depth(tmp_path / "data"), "rlds", depth=True)
    (given,) = read_by("rlds", "read_rlds.py", [one.out], tmp_path)
    for index, episode in enumerate(one.episodes):
        mine = np.flatnonzero(given["episode"] == index)
        assert given["frame"][mine].tolist() == list(range(one.plan.episodes[index].length))
        for stream, expected in depths(episode).items():
            assert_equal(given[f"observation {stream}"][mine], expected[..., None])


def sum_of(episode: Path, camera: str, row: int) -> int:
    """Of a JPEG's bytes, as the camera made it."""
    with h5py.File(episode, "r", locking=False) as file:
        place = [str(name) for name in file.attrs["camera_names"]].index(camera)
        length = int(file["/compress_len"][place, row])
        return int(file[f"/observations/images/{camera}"][row, :length].astype(np.uint64).sum())
