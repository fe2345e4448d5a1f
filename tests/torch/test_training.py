"""From episode files to a policy folder, and from a checkpoint on."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from station.errors import PolicyError
from station.policy.backend import Observation, open_backend
from station.policy.folder import Image, load_policy
from station.training.learning.batches import Batches, Disorder, statistics
from station.training.learning.demonstrations import Demonstration, demonstrations
from tests.station.training.learning import made

pytestmark = [pytest.mark.torch, pytest.mark.timeout(300)]

IMAGE = Image(*made.SIZE)
Make = Callable[..., Any]
"""Makes a Learner; torch is imported by tests only."""


@pytest.fixture(scope="module")
def demos(tmp_path_factory: pytest.TempPathFactory) -> list[Demonstration]:
    folder = tmp_path_factory.mktemp("episodes")
    for number in range(6):
        made.write(folder, number)
    return demonstrations(folder, "", ["cam_high"], IMAGE)


@pytest.fixture
def learner(demos: list[Demonstration], tmp_path: Path) -> Make:
    from station.training.learning.learner import Learner, Recipe

    def make(folder: str = "training", **changes: object) -> Learner:
        settings = {
            "steps": 40, "batch": 8, "chunk": 6, "hidden_dim": 32, "feedforward_dim": 32, "encoder_layers": 1,
            "widths": (8, 8, 16, 16), "learning_rate": 3e-3, "disorder": Disorder(0.01, 1, 0.05),
        }  # fmt: skip
        recipe = Recipe(("cam_high",), IMAGE, **{**settings, **changes})  # type: ignore[arg-type]
        normalization = statistics(demos)
        batches = Batches(demos, normalization, recipe.chunk, recipe.rate_hz, IMAGE)
        return Learner(recipe, normalization, batches, tmp_path / folder)

    return make


def test_two_steps_lower_the_loss_of_what_they_were_made_on(learner: Make) -> None:
    one = learner(dropout=0.0, disorder=Disorder(0.0, 0, 0.0), batch=64, learning_rate=0.1)
    losses = [one.learn_step() for _ in range(3)]
    assert losses[2] < losses[0]


def test_it_learns_and_says_so(learner: Make) -> None:
    one = learner(steps=300)
    found = list(one.learn(10.0, every=100))
    assert [judgement.step for judgement in found] == [100, 200, 300]
    assert found[-1].loss < 0.8 * found[0].loss
    assert found[-1].grasp_rad < 0.5 * found[0].grasp_rad, "of a demonstration that was held out"
    assert one.best == min(found, key=lambda judgement: judgement.loss)


def test_the_time_is_kept_and_another_sitting_ends_where_one_would_have(learner: Make) -> None:
    import torch

    whole = learner("whole", steps=12)
    list(whole.learn(10.0, every=4))
    clock = itertools.count()
    first = learner("parts", steps=12)
    assert [found.step for found in first.learn(7 / 60, every=4, clock_s=lambda: float(next(clock)))] == [4, 6]
    second = learner("parts", steps=12)
    assert second.step == 6
    assert second.best == first.best
    list(second.learn(10.0, every=4))
    assert second.step == 12
    ours, theirs = (torch.load(file, weights_only=True)["student"] for file in (second.checkpoint, whole.checkpoint))
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_a_checkpoint_of_something_else_is_refused(learner: Make) -> None:
    list(learner(steps=1).learn(10.0))
    with pytest.raises(PolicyError, match="of another recipe, or of other demonstrations"):
        learner(steps=1, seed=7)


def test_what_was_learnt_is_exported_small_and_runs(learner: Make, tmp_path: Path, demos: list[Demonstration]) -> None:
    one = learner(steps=20)
    list(one.learn(10.0))
    assert one.export(tmp_path / "policy", made.NAMES, "go to the red one", ["by a test"]).relative < 1e-4
    policy = load_policy(tmp_path / "policy")
    assert (policy.chunk, policy.rate_hz, policy.newest_dims) == (6, 12.5, (2,))
    assert policy.instruction == "go to the red one"
    assert policy.dim_names == made.NAMES
    assert (tmp_path / "policy" / "policy.onnx").stat().st_size < 1_000_000
    images = np.zeros((1, 1, 3, made.SIZE[1], made.SIZE[0]), np.float32)
    assert open_backend(policy).infer(Observation(0, 0, np.zeros((1, 3), np.float32), images)).shape == (6, 3)


def test_the_recipe_that_ships_stays_below_five_megabytes(tmp_path: Path, demos: list[Demonstration]) -> None:
    from station.training.learning.learner import LARGEST_BYTES, Learner, Recipe

    def trained(name: str, **changes: Any) -> Learner:
        recipe = Recipe(("cam_high",), IMAGE, steps=1, batch=2, **changes)
        batches = Batches(demos, statistics(demos), recipe.chunk, recipe.rate_hz, IMAGE)
        one = Learner(recipe, statistics(demos), batches, tmp_path / name)
        list(one.learn(10.0))
        return one

    trained("training").export(tmp_path / "policy", made.NAMES, "", [])
    assert (tmp_path / "policy" / "policy.onnx").stat().st_size < LARGEST_BYTES
    with pytest.raises(PolicyError, match="at most 5000000 ship"):
        trained("big", hidden_dim=256, feedforward_dim=1024).export(tmp_path / "too-big", made.NAMES, "", [])
    assert not (tmp_path / "too-big").exists()


def test_what_had_no_time_is_not_exported(learner: Make, tmp_path: Path) -> None:
    one = learner()
    assert list(one.learn(0.0)) == []
    with pytest.raises(PolicyError, match="nothing was learnt yet"):
        one.export(tmp_path / "policy", made.NAMES, "", [])
    assert not (tmp_path / "policy").exists()


def test_the_command_trains_and_exports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from station.training.learning.__main__ import train

    for number in range(3):
        made.write(tmp_path / "data" / "reach", number)
    out = tmp_path / "policy"
    train(tmp_path / "data", out, cameras="cam_high", image="64x48", steps=2, minutes=5.0, batch=4, task="reach")
    said = capsys.readouterr().out
    assert "2 episodes to learn from, 1 held out; step 0 of 2" in said
    assert "step      2  held out: actions" in said
    assert load_policy(out).cameras == ("cam_high",)
    assert "# trained by station.policy.training on 3 episodes, 2 steps, seed 0" in (out / "policy.yaml").read_text()
