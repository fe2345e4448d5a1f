"""A collection plan: its order, what comes next, and that only what is there counts."""

import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.episodes.collection import (
    Collected,
    CollectionPlan,
    Combination,
    combinations,
    done,
    following,
    instruction,
    left,
    order,
    strange_operator,
    tallied,
)

PLAN = CollectionPlan(each=3, scenes=("left", "right"), objects=("red cube", "blue cube"), seed=7)


def recorded(plan: CollectionPlan, episodes: list[Collected], times: int, operator: str = "") -> list[Collected]:
    """So many more, each of what the plan wants next."""
    for _ in range(times):
        staged = following(plan, tallied(plan, episodes), operator)
        assert staged is not None
        episodes = [*episodes, Collected(len(episodes), staged.scene, staged.object, staged.operator or operator, None)]
    return episodes


def test_every_block_of_the_order_has_every_combination_once() -> None:
    drawn = order(PLAN)
    assert len(drawn) == PLAN.wanted == 12
    for block in range(3):
        assert sorted(drawn[4 * block : 4 * block + 4]) == sorted(combinations(PLAN))


def test_the_order_is_the_seeds_and_stays_what_it_is() -> None:
    first = [(one.scene, one.object) for one in order(PLAN)[:4]]
    assert first == [("right", "blue cube"), ("left", "blue cube"), ("left", "red cube"), ("right", "red cube")], (
        "a plan that is half recorded must go on in the same order"
    )
    assert order(PLAN) == order(PLAN) != order(msgspec.structs.replace(PLAN, seed=8))


def test_what_was_recorded_in_order_is_followed_by_the_rest_of_the_order() -> None:
    episodes = recorded(PLAN, [], 12)
    assert [Combination(e.scene, e.object, "") for e in episodes] == order(PLAN)
    tallies = tallied(PLAN, episodes)
    assert (done(PLAN, tallies), left(PLAN, tallies, "ada"), following(PLAN, tallies, "ada")) == (12, 0, None)


@given(st.integers(0, 11), st.integers(0, 2**31), st.booleans())
def test_a_deleted_episode_and_a_failure_come_again_and_nothing_else_does(which: int, seed: int, failed: bool) -> None:
    plan = msgspec.structs.replace(PLAN, seed=seed)
    episodes = recorded(plan, [], 12)
    gone = episodes[which]
    episodes = [e for e in episodes if e is not gone] + ([gone._replace(success=False)] if failed else [])
    tallies = tallied(plan, episodes)
    assert following(plan, tallies, "") == Combination(gone.scene, gone.object, "")
    assert (done(plan, tallies), left(plan, tallies, "")) == (11, 1)
    assert tallies[Combination(gone.scene, gone.object, "")].failures == failed
    again = [*episodes, gone._replace(number=12, success=True)]
    assert following(plan, tallied(plan, again), "") is None


@given(st.lists(st.integers(0, 3), max_size=30), st.integers(0, 1000))
def test_whatever_was_recorded_out_of_order_the_plan_ends_with_each_of_everything(taken: list[int], seed: int) -> None:
    plan = msgspec.structs.replace(PLAN, seed=seed)
    all_of_them = combinations(plan)
    episodes = [Collected(n, all_of_them[i].scene, all_of_them[i].object, "", None) for n, i in enumerate(taken)]
    episodes = recorded(plan, episodes, left(plan, tallied(plan, episodes), ""))
    tallies = tallied(plan, episodes)
    assert following(plan, tallies, "") is None and done(plan, tallies) == plan.wanted
    assert all(tally.counted >= plan.each for tally in tallies.values())
    assert len(episodes) == sum(max(plan.each, taken.count(i)) for i in range(4))


def test_more_than_is_wanted_of_one_fills_no_other() -> None:
    episodes = [Collected(n, "left", "red cube", "", None) for n in range(9)]
    tallies = tallied(PLAN, [*episodes, Collected(9, "elsewhere", "red cube", "", None)])
    assert (done(PLAN, tallies), left(PLAN, tallies, "")) == (3, 9)


def test_each_operator_is_staged_their_own() -> None:
    plan = CollectionPlan(each=2, scenes=("left", "right"), operators=("ada", "ben"))
    episodes = recorded(plan, [], 4, "ada")
    assert {episode.operator for episode in episodes} == {"ada"}
    tallies = tallied(plan, episodes)
    assert following(plan, tallies, "ada") is None
    assert (left(plan, tallies, "ada"), left(plan, tallies, "ben"), done(plan, tallies)) == (0, 4, 4)
    assert following(plan, tallies, "ben") is not None
    assert "names ada, ben" in strange_operator(plan, "eve") and following(plan, tallies, "eve") is None
    assert not strange_operator(plan, "ben") and not strange_operator(PLAN, "eve")


def test_the_instruction_has_what_is_staged_in_it() -> None:
    plan = msgspec.structs.replace(PLAN, instruction="put the {object} from the {scene} into {the bowl}")
    staged = Combination("left", "red cube", "")
    assert instruction(plan, staged, "other") == "put the red cube from the left into {the bowl}"
    assert instruction(PLAN, staged, "other") == "other"


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ({}, "each"),
        ({"each": 0}, ">= 1"),
        ({"each": 1, "scenes": ["a", "a"]}, "'a' is there twice"),
        ({"each": 1, "scenes": [" a"]}, "regex"),
        ({"each": 1, "objects": ["a\u0007b"]}, "cannot be seen"),
        ({"each": 1, "scenes": ["a"], "places": {"b": {}}}, "none of the scenes"),
        ({"each": 1, "scenes": ["a"], "places": {"a": {"cam": [0.5, 1.5]}}}, "<= 1"),
        ({"each": 10_000, "scenes": ["a", "b"]}, "20000 episodes"),
        ({"each": 1, "scene": ["a"]}, "unknown field"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_with_what_is_wrong(what: dict[str, object], why: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=why):
        msgspec.convert(what, CollectionPlan)


def test_drawing_disturbs_nobody_elses_chance() -> None:
    random.seed(1)
    expected = random.random()
    random.seed(1)
    order(PLAN)
    assert random.random() == expected
