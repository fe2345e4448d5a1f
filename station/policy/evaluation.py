"""Trials of policies, pure: in which order, how sure one may be of what came out, and how it is told.

Trial k of every policy is in scene k, and the policies take turns in blocks, in an order drawn anew for each block: what drifts
during a day (light, wear, the operator) drifts for all of them alike.
"""

import csv
import io
import math
import random
from collections.abc import Callable, Sequence
from statistics import NormalDist
from typing import NamedTuple

CONFIDENCE = 0.95
FEW = 20
"""Below this many trials it is said how little they tell."""
_BISECTIONS = 60
_COLUMNS = ("trial", "policy", "scene", "success", "seconds", "helped", "why", "episode")


class Turn(NamedTuple):
    """One trial to be made."""

    number: int
    """From 1, in the order in which they are made."""
    policy: int
    scene: int


class Trial(NamedTuple):
    """One trial that was made."""

    turn: Turn
    success: bool
    seconds: float
    """How long the policy ran."""
    helped: bool = False
    """Somebody took over: no success, whatever came of it."""
    why: str = ""
    """Of a failure, where it is known."""
    episode: str = ""
    """The file of its episode, from the folder of the results."""


class Interval(NamedTuple):
    """Between which success rates the true one lies, CONFIDENCE of the times."""

    low: float
    high: float


class Result(NamedTuple):
    """What the trials of one policy say."""

    trials: int
    successes: int
    wilson: Interval
    clopper_pearson: Interval
    median_s: float
    """How long its successes took; NaN without one."""

    @property
    def rate(self) -> float:
        """Successes per trial; NaN without any trial."""
        return self.successes / self.trials if self.trials else math.nan


def turns(policies: int, trials: int, seed: int) -> list[Turn]:
    """Every policy `trials` times, interleaved; the same for the same seed. Scenes are numbered from `seed`·1000."""
    order = random.Random(seed)
    planned: list[Turn] = []
    for block in range(trials):
        for policy in order.sample(range(policies), policies):
            planned.append(Turn(len(planned) + 1, policy, 1000 * seed + block))
    return planned


def wilson(successes: int, trials: int, confidence: float = CONFIDENCE) -> Interval:
    """Wilson 1927: (p + z²/2n ± z·√(p(1−p)/n + z²/4n²)) / (1 + z²/n). The whole range where there is no trial."""
    if not trials:
        return Interval(0.0, 1.0)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    rate, spread = successes / trials, z * z / trials
    half = z * math.sqrt(rate * (1 - rate) / trials + spread / (4 * trials))
    middle = rate + spread / 2
    low, high = (middle - half) / (1 + spread), (middle + half) / (1 + spread)
    return Interval(0.0 if successes == 0 else max(0.0, low), 1.0 if successes == trials else min(1.0, high))


def clopper_pearson(successes: int, trials: int, confidence: float = CONFIDENCE) -> Interval:
    """Clopper & Pearson 1934: the rates at which so many successes, or so few, have a chance of (1 − confidence) / 2."""
    tail = (1 - confidence) / 2
    low = 0.0 if successes == 0 else _rate_where(lambda p: _at_least(successes, trials, p) < tail)
    high = 1.0 if successes == trials else _rate_where(lambda p: _at_least(successes + 1, trials, p) < 1 - tail)
    return Interval(low, high)


def _at_least(successes: int, trials: int, rate: float) -> float:
    """P(X ≥ successes), X binomial."""
    return math.fsum(_chance(k, trials, rate) for k in range(successes, trials + 1))


def _chance(successes: int, trials: int, rate: float) -> float:
    if rate in (0.0, 1.0):
        return float(successes == round(rate * trials))
    log_ways = math.lgamma(trials + 1) - math.lgamma(successes + 1) - math.lgamma(trials - successes + 1)
    return math.exp(log_ways + successes * math.log(rate) + (trials - successes) * math.log1p(-rate))


def _rate_where(below: Callable[[float], bool]) -> float:
    """Where `below`, true for small rates, becomes false."""
    low, high = 0.0, 1.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle) else (low, middle)
    return (low + high) / 2


def results(trials: Sequence[Trial], policies: int) -> list[Result]:
    """One per policy, in their order."""
    found = []
    for policy in range(policies):
        own = [trial for trial in trials if trial.turn.policy == policy]
        times = sorted(trial.seconds for trial in own if trial.success)
        median = (times[(len(times) - 1) // 2] + times[len(times) // 2]) / 2 if times else math.nan
        n, k = len(own), len(times)
        found.append(Result(n, k, wilson(k, n), clopper_pearson(k, n), median))
    return found


def told(result: Result) -> str:
    """A result as one sentence; with few trials, how little it says."""
    if not result.trials:
        return "no trial"
    low, high = (f"{100 * bound:.0f}" for bound in result.wilson)
    exact = "–".join(f"{100 * bound:.0f}" for bound in result.clopper_pearson)
    text = f"{result.successes} of {result.trials}: {100 * result.rate:.0f} %, between {low} and {high} % (Clopper–Pearson {exact})"
    if result.trials < FEW:
        width = 100 * (result.wilson.high - result.wilson.low)
        text += f"; {result.trials} trials leave {width:.0f} points open, {FEW} or more are wanted"
    return text


def letters(policies: int) -> list[str]:
    """What blind policies are called: A, B, … Whoever names them has shuffled them."""
    return [chr(ord("A") + i) for i in range(policies)]


def as_csv(trials: Sequence[Trial], names: Sequence[str]) -> str:
    """One row per trial, in the order in which they were made."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for trial in trials:
        number, policy, scene = trial.turn
        said = (f"{trial.seconds:.2f}", int(trial.helped), trial.why, trial.episode)
        writer.writerow([number, names[policy], scene, int(trial.success), *said])
    return text.getvalue()


def from_csv(text: str) -> tuple[list[str], list[Trial]]:
    """What `as_csv` wrote: names of policies in the order in which they appear, and the trials. Raises ValueError for what is none."""
    rows = csv.DictReader(io.StringIO(text))
    if tuple(rows.fieldnames or ()) != _COLUMNS:
        raise ValueError(f"its columns are not {', '.join(_COLUMNS)}")
    names: list[str] = []
    trials: list[Trial] = []
    for row in rows:
        if any(row.get(column) is None for column in _COLUMNS):
            raise ValueError(f"row {len(trials) + 1} is not whole")
        if row["policy"] not in names:
            names.append(row["policy"])
        turn = Turn(int(row["trial"]), names.index(row["policy"]), int(row["scene"]))
        said = row["success"] == "1", float(row["seconds"]), row["helped"] == "1"
        trials.append(Trial(turn, *said, row["why"], row["episode"]))
    return names, trials
