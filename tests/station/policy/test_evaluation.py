"""The order of trials, and how sure one may be of what they say."""

import csv
import io
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from station.policy.evaluation import (
    Trial,
    Turn,
    as_csv,
    clopper_pearson,
    from_csv,
    letters,
    results,
    told,
    turns,
    wilson,
)


@pytest.mark.parametrize(
    ("successes", "trials", "expected"),
    [(10, 10, (0.722, 1.0)), (8, 10, (0.490, 0.943)), (25, 50, (0.366, 0.634)), (0, 10, (0.0, 0.278)), (0, 0, (0, 1))],
)
def test_wilson_as_published(successes: int, trials: int, expected: tuple[float, float]) -> None:
    assert wilson(successes, trials) == pytest.approx(expected, abs=5e-4)


@pytest.mark.slow
@given(st.integers(0, 300), st.data())
def test_clopper_pearson_is_the_beta_quantiles(trials: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, trials))
    low, high = clopper_pearson(successes, trials)
    assert low == pytest.approx(0.0 if successes == 0 else beta.ppf(0.025, successes, trials - successes + 1), abs=1e-9)
    assert high == pytest.approx(
        1.0 if successes == trials else beta.ppf(0.975, successes + 1, trials - successes), abs=1e-9
    )
    if trials:
        assert low <= successes / trials <= high
        inner = wilson(successes, trials)
        assert 0 <= inner.low <= successes / trials <= inner.high <= 1


@given(st.integers(1, 5), st.integers(1, 30), st.integers(0, 50))
def test_policies_take_turns_in_the_same_scenes(policies: int, trials: int, seed: int) -> None:
    planned = turns(policies, trials, seed)
    assert [turn.number for turn in planned] == list(range(1, policies * trials + 1))
    for policy in range(policies):
        assert [turn.scene for turn in planned if turn.policy == policy] == list(
            range(1000 * seed, 1000 * seed + trials)
        )
    for block in range(trials):
        assert {turn.policy for turn in planned[block * policies : (block + 1) * policies]} == set(range(policies))
    assert planned == turns(policies, trials, seed)


def test_the_order_is_drawn_and_letters_say_nothing() -> None:
    firsts = {turn.policy for turn in turns(3, 20, 1)[::3]}
    assert firsts == {0, 1, 2}, "no policy always goes first"
    assert letters(3) == ["A", "B", "C"]


def made(policy: int, successes: int, failures: int) -> list[Trial]:
    verdicts = [True] * successes + [False] * failures
    return [Trial(Turn(i + 1, policy, i), ok, 4.0 + i) for i, ok in enumerate(verdicts)]


def test_results_are_per_policy_and_few_trials_say_so() -> None:
    first, second, third = results(made(0, 3, 1) + made(1, 0, 25), 3)
    assert (first.trials, first.successes, first.rate, first.median_s) == (4, 3, 0.75, 5.0)
    assert first.wilson == wilson(3, 4) and first.clopper_pearson == clopper_pearson(3, 4)
    assert told(first) == (
        "3 of 4: 75 %, between 30 and 95 % (Clopper–Pearson 19–99); 4 trials leave 65 points open, 20 or more are wanted"
    )
    assert told(second) == "0 of 25: 0 %, between 0 and 13 % (Clopper–Pearson 0–14)"
    assert math.isnan(second.median_s)
    assert told(third) == "no trial" and math.isnan(third.rate)


def test_the_table_reads_back() -> None:
    trials = [
        Trial(Turn(1, 1, 0), True, 7.25),
        Trial(Turn(2, 0, 0), False, 30.0, True, 'somebody took over, "again"'),
    ]
    rows = list(csv.DictReader(io.StringIO(as_csv(trials, ["act", "diffusion"]))))
    assert rows[0] == {
        "trial": "1", "policy": "diffusion", "scene": "0", "success": "1", "seconds": "7.25", "helped": "0", "why": "", "episode": "",
    }  # fmt: skip
    assert rows[1]["why"] == 'somebody took over, "again"'
    names, read = from_csv(as_csv(trials, ["act", "diffusion"]))
    assert names == ["diffusion", "act"], "in the order in which they appear"
    assert [(names[each.turn.policy], each.turn.number, *each[1:]) for each in read] == [
        ("diffusion", 1, *trials[0][1:]), ("act", 2, *trials[1][1:]),
    ]  # fmt: skip
