"""Consumers that no registry has, by their own repositories: what docs/datasets.md says was proven once, to be done again.

python -m tests.consumers.proven_once act|dp|umi|openpi|gr00t CLONE PYTHON

CLONE: a checkout of the consumer's repository. PYTHON: of an environment with what its loader imports (torch, zarr 2, imagecodecs …).
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.consumers.exported_sets import SIDES, Set, exported, record
from tests.consumers.test_zarr import check_numbers, check_pictures
from tests.consumers.truth import assert_equal, check_picture, rows


def check_act(one: Set, given: dict[str, Any], video: str) -> None:
    """Every row's state and pictures; every action, with ACT's shift by one; the padding."""
    longest = max(episode.length for episode in one.plan.episodes)
    assert given["stats action_mean"].shape == (len(one.plan.dim_names),)
    for index, episode in enumerate(one.episodes):
        truth = list(rows(episode))
        actions = np.stack([truth[min(row, len(truth) - 1)].action for row in range(longest)])
        for start in range(longest):
            expected = truth[min(start, len(truth) - 1)]
            assert_equal(given[f"qpos {index}"][start], expected.state)
            shifted = actions[max(0, start - 1) :]
            np.testing.assert_array_equal(given[f"actions {index}"][start, : len(shifted)], shifted)
            assert given[f"pads {index}"][start].tolist() == [at >= len(shifted) for at in range(longest)]
            for camera, picture in expected.pictures.items():
                assert_equal(given[f"{camera} {index}"][start], picture)


def check_buffer(one: Set, given: dict[str, Any], video: str) -> None:
    """Every row of a replay buffer."""
    first = 0
    for index, episode in enumerate(one.episodes):
        truth = list(rows(episode))
        check_numbers(one.plan.format, given, first, truth, episode, one)
        assert str(given["meta instruction"][index]) == truth[0].instruction
        for row, expected in enumerate(truth):
            check_pictures(given, first + row, expected, video)
        first += len(truth)
    assert first == one.plan.frames == len(given["data action"])


def check_openpi(one: Set, given: dict[str, Any], video: str) -> None:
    """Every row as openpi's ALOHA transform hands it on: as it is, and turned to what π was trained on."""
    turned = np.array([1, -1, -1, 1, 1, 1, 1, 1, -1, -1, 1, 1, 1, 1])
    at = 0
    for episode in one.episodes:
        for expected in rows(episode):
            np.testing.assert_array_equal(given["state"][at], expected.state)
            np.testing.assert_array_equal(given["actions"][at], expected.action)
            joints = [place for place in range(14) if place not in (6, 13)]
            np.testing.assert_allclose(given["state of pi"][at][joints], (turned * expected.state)[joints])
            assert np.isfinite(given["state of pi"][at]).all() and np.isfinite(given["actions of pi"][at]).all()
            for name, camera in (("base_0_rgb", "cam_high"), ("left_wrist_0_rgb", "cam_left_wrist")):
                assert given[f"{name} is there"][at]
                check_picture(given[name][at], expected.pictures[camera])
            assert not given["right_wrist_0_rgb is there"][at]
            at += 1
    assert at == one.plan.frames == len(given["state"])


def check_gr00t(one: Set, given: dict[str, Any], video: str) -> None:
    """Every row by the names of meta/modality.json put together again, its text and its pictures; the statistics, of all of them."""
    at = 0
    for episode in one.episodes:
        for expected in rows(episode):
            np.testing.assert_array_equal(given["state"][at], expected.state)
            np.testing.assert_array_equal(given["action"][at], expected.action)
            assert given["text"][at] == expected.instruction
            for camera, picture in expected.pictures.items():
                check_picture(given[camera][at], picture)
            at += 1
    assert at == one.plan.frames == len(given["state"])
    for kind in ("state", "action"):
        table = given[kind].astype(np.float64)
        for name, right in (
            ("mean", table.mean(axis=0)), ("std", table.std(axis=0)), ("min", table.min(axis=0)), ("max", table.max(axis=0)),
            ("q01", np.quantile(table, 0.01, axis=0)), ("q99", np.quantile(table, 0.99, axis=0)),
        ):  # fmt: skip
            np.testing.assert_allclose(given[f"{kind} {name}"], right, rtol=1e-6, atol=1e-9)


CONSUMERS: dict[str, tuple[str, tuple[str, ...], Callable[[Set, dict[str, Any], str], None]]] = {
    "act": ("act", ("raw",), check_act),
    "dp": ("dp-zarr", ("h264", "as-shot"), check_buffer),
    "gr00t": ("lerobot-v2.1", ("h264", "as-shot"), check_gr00t),
    "openpi": ("lerobot-v2.1", ("h264",), check_openpi),
    "umi": ("umi-zarr", ("as-shot", "jpeg", "raw"), check_buffer),
}


def main(name: str, clone: Path, python: Path) -> None:
    """Record, export, let the consumer read, compare."""
    format_name, videos, check = CONSUMERS[name]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        episodes = record(folder / "data")
        cases = [(sides, video) for sides in (SIDES if name != "openpi" else SIDES[:1]) for video in videos]
        sets = [
            exported(folder / f"set-{place}", episodes[sides], format_name, video=video)
            for place, (sides, video) in enumerate(cases)
        ]
        script = Path(__file__).with_name(f"read_{name}.py")
        path = os.pathsep.join([str(clone), *filter(None, [os.environ.get("CONSUMER_PATH", "")])])
        command = [python, script, folder, *(one.out for one in sets)]
        subprocess.run(command, check=True, cwd=folder, env=os.environ | {"PYTHONPATH": path})
        for place, (one, (sides, video)) in enumerate(zip(sets, cases, strict=True)):
            with np.load(folder / f"{place}.npz") as given:
                check(one, dict(given), video)
            print(f"{format_name}, {' and '.join(sides)}, {video}: {one.plan.frames} frames, all right")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]).absolute(), Path(sys.argv[3]).absolute())
