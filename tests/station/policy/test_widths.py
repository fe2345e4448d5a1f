"""Policies of other widths than ALOHA's: they load and ask for every joint; on other arms they say which joints they want."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from station.bus.requests import Done, LoadPolicy, Refused, StartPolicy, StopPolicy
from station.errors import PolicyError
from station.policy.claims import policy_points, refuse_policy
from station.policy.folder import load_policy
from tests.station import mixed_arms
from tests.station.policy import policies
from tests.station.policy.surroundings import Bench, Runs

RIGS = sorted(mixed_arms.RIGS)


def written(folder: Path, name: str, tmp_path: Path) -> Path:
    """A policy for that rig, which asks for where the arms are."""
    vector = mixed_arms.vector_of(name, tmp_path)
    width, there = len(vector.names), mixed_arms.middle(vector).tolist()
    numbers = {"mean": there, "std": [0.05] * width}
    return policies.write(
        folder, state_dim=width, action_dim=width, dim_names=list(vector.names), units=list(vector.units), chunk=60,
        image={"width": 64, "height": 48}, normalization={"state": numbers, "action": numbers},
    )  # fmt: skip


@pytest.mark.parametrize("name", RIGS)
@pytest.mark.usefixtures("runtime")
def test_it_fits_its_own_rig_and_on_another_it_says_which_joints_it_wants(name: str, tmp_path: Path) -> None:
    policy = load_policy(written(tmp_path / "cube", name, tmp_path))
    own = mixed_arms.vector_of(name, tmp_path)
    refuse_policy(policy, own)
    assert all(not point.found for point in policy_points(policy, own))
    for other in RIGS:
        vector = mixed_arms.vector_of(other, tmp_path)
        if other == name:
            continue
        with pytest.raises(PolicyError) as caught:
            refuse_policy(policy, vector)
        if len(vector.names) != len(own.names):
            assert caught.value.key == "state_dim"
            arm, _, joint = own.names[0].partition("_")
            assert f"it wants {arm} {joint}, " in str(caught.value)
            arm, _, joint = vector.names[0].partition("_")
            assert f"; mixed has {arm} {joint}, " in str(caught.value)


@pytest.mark.usefixtures("runtime")
def test_one_that_names_no_joints_says_so_beside_those_of_the_rig(tmp_path: Path) -> None:
    policy = load_policy(policies.write(tmp_path / "cube", cameras=[]))
    with pytest.raises(
        PolicyError, match="which joints it wants it does not say; mixed has left shoulder_pan, shoulder_lift"
    ):
        refuse_policy(policy, mixed_arms.vector_of("a UR beside a ViperX", tmp_path))


@pytest.fixture(params=["two of seven joints", pytest.param("seven joints beside six", marks=pytest.mark.rig)])
def bench(request: pytest.FixtureRequest, runtime: str, tmp_path: Path) -> Iterator[tuple[str, Bench]]:
    rig, vector = mixed_arms.rig_of(request.param, tmp_path), mixed_arms.vector_of(request.param, tmp_path)
    bench, runs = Bench(rig, mixed_arms.followers(request.param), tuple(mixed_arms.middle(vector).tolist())), Runs(rig)
    yield request.param, bench
    runs.close()
    bench.close()


@pytest.mark.slow
def test_it_runs_as_a_shadow_and_for_all_to_hear(bench: tuple[str, Bench], tmp_path: Path) -> None:
    name, around = bench
    around.load(written(tmp_path / "cube", name, tmp_path))
    assert isinstance(around.ask(StartPolicy(shadow=True)), Done)
    around.until(lambda: len(around.shadow_setpoints) >= 10)
    assert {len(one.goal) for one in around.shadow_setpoints if not one.hold} == {mixed_arms.WIDTHS[name]}
    assert not around.setpoints
    assert isinstance(around.ask(StopPolicy()), Done)
    assert isinstance(around.ask(StartPolicy()), Done)
    around.until(lambda: len(around.setpoints) >= 10)
    there = mixed_arms.middle(mixed_arms.vector_of(name, tmp_path))
    for asked in around.setpoints:
        # the state is the mean, so that every row is the mean and a fifth of a deviation: pixels are 51/255
        np.testing.assert_allclose(asked.goal, there + 0.2 * 0.05, atol=1e-3)


@pytest.mark.slow
def test_the_runner_refuses_another_width_by_its_joints(bench: tuple[str, Bench], tmp_path: Path) -> None:
    name, around = bench
    around.load(written(tmp_path / "cube", name, tmp_path))
    other = written(tmp_path / "other", "a UR beside a ViperX", tmp_path)
    reply = around.ask(LoadPolicy(str(other)))
    assert isinstance(reply, Refused)
    assert (
        f"14, but the vector of rig mixed has {mixed_arms.WIDTHS[name]} dimensions: it wants left shoulder_pan, "
        in reply.why
    )
