"""How a task's comparison is said: on the terminal and on the page."""

from typing import Any

from station.datasets.stats import SIGMAS, Numbers, Share, Stats, wide
from station.episodes.quality.facts import FACTS
from station.episodes.quality.words import number


def headline(stats: Stats) -> str:
    """How many, how long."""
    speed = "" if stats.speed_median_rad_s is None else f", median speed {stats.speed_median_rad_s:.2f} rad/s"
    behind = "" if stats.measured == stats.episodes else f"; {stats.episodes - stats.measured} without a quality card"
    return f"{stats.episodes} episodes, {stats.minutes:.1f} min, {stats.rows} rows{speed}{behind}"


def lengths(stats: Stats) -> str:
    """The episodes' lengths in one line."""
    return (
        f"length: median {stats.length_median_s:.1f} s, MAD {stats.length_mad_s:.2f} s, from {stats.length_least_s:.1f} "
        f"to {stats.length_most_s:.1f} s"
    )


def rule() -> str:
    """What is unlike the others."""
    return (
        f"Further from the median than {SIGMAS:g} · 1.4826 · MAD (MAD: the median distance from the median), and than what matters of that "
        "number. A hint for a person; nothing is left out because of it."
    )


def sentence(outlier: Any) -> str:
    """One outlier with its reason."""
    what = "length, s" if outlier.fact == "length_s" else FACTS[outlier.fact].what
    return (
        f"{outlier.episode}: {outlier.fact} {number(outlier.value)}, the others {number(outlier.median)} ± {number(outlier.mad, 2)} "
        f"(median ± MAD; {outlier.sigmas:.1f} σ): {what}"
    )


def by(stats: Stats) -> dict[str, tuple[Share, ...]]:
    """Who, when, where."""
    return {"operator": stats.by_operator, "hour": stats.by_hour, "scene": stats.by_scene}


def verdicts(share: Share) -> str:
    """Successes of those that were judged: an episode without a verdict is no failure."""
    judged = share.successes + share.failures
    rest = share.episodes - judged
    told = f"{share.successes} of {judged}" if judged else ""
    return " and ".join(part for part in (told, f"{rest} not judged" if rest else "") if part)


def vector_row(each: Numbers) -> tuple[str, ...]:
    """One number of the vector, and what is to be said of it."""
    note = "constant" if each.constant else "a few rows set its scale" if wide(each) else ""
    return (
        each.name,
        *(number(value) for value in (each.least, each.q01, each.q99, each.most)),
        number(each.spread, 2),
        note,
    )
