"""Which rows of an episode are data, and in which unbroken stretches they lie. Pure.

A row that nobody commanded (hold, a ramp to the start pose, parking), that a source commanded which was not asked for, whose action is
no number, or that was trimmed, is never filled in: the stretch ends before it and another one may begin behind it. Rows of a stall
that went on stay, and are flagged.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from station.datasets.episode_numbers import EpisodeNumbers, Table
from station.datasets.selection import Seconds, SourceKind, Trim

ActionOf = Literal["asked", "sent", "human"]
"""What the source asked for (`/action`), what came out of ramp and limits (`/action_sent`), what the human asked for."""

_PEOPLE = ("leader", "vr", "guide")
_WHY = ("", "hold", "not asked for", "no number", "by hand", "idle end", "too short")
"""Why a row is no data; the first is a row that is."""
DATA, HOLD, OTHER, NAN, BY_HAND, IDLE, SHORT = range(len(_WHY))


class Stretch(NamedTuple):
    """Consecutive rows: `first` … `end` − 1."""

    first: int
    end: int


class RowsKept(NamedTuple):
    """What of an episode is data."""

    stretches: tuple[Stretch, ...]
    left_out: dict[str, int]
    """Rows by reason."""


def action_of(numbers: EpisodeNumbers, which: ActionOf) -> Table:
    """(T, D) the chosen action."""
    return {"asked": numbers.asked, "sent": numbers.sent, "human": numbers.human}[which]


def rows_kept(
    numbers: EpisodeNumbers,
    sources: Sequence[SourceKind],
    which: ActionOf,
    trim: Trim,
    by_hand: Sequence[tuple[float, float]],
    shortest_s: Seconds,
) -> RowsKept:
    """`by_hand`: ranges (from, to) in seconds from the first row; without any, all of it."""
    why = _by_command(numbers, sources)
    action = action_of(numbers, which)
    finite = np.isfinite(action).all(axis=1) & np.isfinite(numbers.qpos).all(axis=1)
    why[(why == DATA) & ~finite] = NAN
    if by_hand:
        seconds = (numbers.ticks_ns - numbers.ticks_ns[0]) / 1e9
        inside = np.any([(seconds >= first) & (seconds <= last) for first, last in by_hand], axis=0)
        why[(why == DATA) & ~inside] = BY_HAND
    stretches = _stretches(why == DATA, numbers)
    if trim.idle_ends and stretches:
        head, tail = _idle_ends(numbers, action, stretches[0].first, stretches[-1].end, trim)
        outside = np.ones(len(why), bool)
        outside[head:tail] = False
        why[(why == DATA) & outside] = IDLE
        stretches = _stretches(why == DATA, numbers)
    shortest = max(2, round(shortest_s * numbers.tick_hz))
    kept = tuple(stretch for stretch in stretches if stretch.end - stretch.first >= shortest)
    for stretch in stretches:
        if stretch not in kept:
            why[stretch.first : stretch.end] = SHORT
    counts = np.bincount(why, minlength=len(_WHY))
    return RowsKept(kept, {_WHY[code]: int(counts[code]) for code in range(1, len(_WHY)) if counts[code]})


def _by_command(numbers: EpisodeNumbers, sources: Sequence[SourceKind]) -> NDArray[np.uint8]:
    """Who commanded the row, and is that asked for?

    demo: a person, and no policy has commanded before · correction: a person who took over from a running policy ·
    policy: the policy itself · recovery: a person after a policy that runs no more.
    """
    why = np.full(len(numbers.source), OTHER, np.uint8)
    people, policy = _is(numbers, *_PEOPLE), _is(numbers, "policy")
    after = np.logical_or.accumulate(policy | numbers.intervention)
    kinds: dict[SourceKind, NDArray[np.bool_]] = {
        "demo": people & ~numbers.intervention & ~after,
        "correction": people & numbers.intervention,
        "policy": policy,
        "recovery": people & ~numbers.intervention & after,
    }
    for kind in sources:
        why[kinds[kind]] = DATA
    why[_is(numbers, "none", "hold", "opening", "park")] = HOLD
    return why


def _is(numbers: EpisodeNumbers, *names: str) -> NDArray[np.bool_]:
    places = [place for place, name in enumerate(numbers.source_names) if name in names]
    return np.isin(numbers.source, places)


def _stretches(kept: NDArray[np.bool_], numbers: EpisodeNumbers) -> list[Stretch]:
    """Runs of kept rows whose ticks follow each other on the grid."""
    ticks = np.rint((numbers.ticks_ns - numbers.ticks_ns[:1]) * (numbers.tick_hz / 1e9)).astype(np.int64)
    begins = kept & ~np.concatenate([[False], kept[:-1] & (np.diff(ticks) == 1)])
    firsts = np.flatnonzero(begins)
    ends = np.flatnonzero(kept & ~np.concatenate([kept[1:] & ~begins[1:], [False]])) + 1
    return [Stretch(int(first), int(end)) for first, end in zip(firsts, ends, strict=True)]


def _idle_ends(numbers: EpisodeNumbers, action: Table, first: int, end: int, trim: Trim) -> tuple[int, int]:
    """(first, end) without the idle ends, as far as these are long enough to be cut."""
    limits = np.array([trim.idle_aperture if unit == "1" else trim.idle_rad for unit in numbers.units])
    both = np.concatenate([numbers.qpos[first:end] / limits, action[first:end] / limits], axis=1)
    both = both[:, np.isfinite(both).all(axis=0)]  # a human's action has gaps inside
    head = _idle_rows(both)
    if head == len(both):
        return first, end  # nothing moved at all: that is for a filter to say, not for a trim
    tail = _idle_rows(both[::-1])
    margin, shortest = round(trim.margin_s * numbers.tick_hz), round(trim.shortest_idle_s * numbers.tick_hz)
    cut_head, cut_tail = (max(0, rows - margin) if rows >= shortest else 0 for rows in (head, tail))
    return first + cut_head, end - cut_tail


def _idle_rows(scaled: NDArray[np.float64]) -> int:
    """How many rows from the beginning on stay within 1 of the first one."""
    moved = np.flatnonzero((np.abs(scaled - scaled[:1]) > 1).any(axis=1))
    return int(moved[0]) if len(moved) else len(scaled)
