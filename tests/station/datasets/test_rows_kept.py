"""Rows become stretches of data: nothing is filled in, nothing is bridged."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.datasets.episode_numbers import EpisodeNumbers
from station.datasets.rows_kept import RowsKept, Stretch, rows_kept
from station.datasets.selection import SourceKind, Trim

NAMES = ("none", "leader", "vr", "policy", "replay", "park", "hold", "opening")


def numbers(sources: list[str], **changed: Any) -> EpisodeNumbers:
    rows = len(sources)
    moving = np.linspace(0, 1, max(rows, 1), dtype=np.float32)[:rows, None] * np.ones((1, 2), np.float32)
    given: dict[str, Any] = {
        "tick_hz": 50.0, "ticks_ns": np.arange(rows) * 20_000_000, "dim_names": ("waist", "gripper"), "units": ("rad", "1"),
        "qpos": moving, "qvel": moving, "effort": moving, "asked": moving, "sent": moving, "human": moving,
        "source": np.array([NAMES.index(name) for name in sources], np.uint8), "source_names": NAMES,
        "intervention": np.zeros(rows, bool), "stalled": np.zeros(rows, bool),
    }  # fmt: skip
    return EpisodeNumbers(**(given | changed))


def kept(
    found: EpisodeNumbers, sources: tuple[SourceKind, ...] = ("demo",), idle_ends: bool = False, **more: Any
) -> RowsKept:
    return rows_kept(found, sources, more.get("action", "asked"), Trim(idle_ends), more.get("by_hand", ()), 0.0)


def test_a_hold_ends_a_stretch_and_another_begins_behind_it() -> None:
    found = kept(numbers(["leader"] * 10 + ["hold"] * 3 + ["leader"] * 7))
    assert found.stretches == (Stretch(0, 10), Stretch(13, 20))
    assert found.left_out == {"hold": 3}


def test_a_number_that_is_none_ends_a_stretch_and_never_becomes_a_zero() -> None:
    human = np.ones((20, 2), np.float32)
    human[5] = np.nan
    found = kept(numbers(["leader"] * 20, human=human), action="human")
    assert found.stretches == (Stretch(0, 5), Stretch(6, 20))
    assert found.left_out == {"no number": 1}


def test_a_tick_that_is_missing_ends_a_stretch() -> None:
    ticks = np.arange(20) * 20_000_000
    ticks[8:] += 20_000_000
    assert kept(numbers(["leader"] * 20, ticks_ns=ticks)).stretches == (Stretch(0, 8), Stretch(8, 20))


def test_rows_of_a_stall_stay() -> None:
    assert kept(numbers(["leader"] * 20, stalled=np.ones(20, bool))).stretches == (Stretch(0, 20),)


@pytest.mark.parametrize(
    ("asked", "stretches"),
    [
        (("policy",), [(0, 10), (20, 25)]),
        (("correction",), [(10, 20)]),
        (("recovery",), [(25, 30)]),
        (("demo",), []),
        (("policy", "correction"), [(0, 25)]),
    ],
)
def test_whose_rows_count(asked: tuple[SourceKind, ...], stretches: list[tuple[int, int]]) -> None:
    """A policy, a person who takes over, the policy again, and a person when it runs no more."""
    taken_over = np.zeros(30, bool)
    taken_over[10:20] = True
    rows = ["policy"] * 10 + ["leader"] * 10 + ["policy"] * 5 + ["leader"] * 5
    assert [tuple(found) for found in kept(numbers(rows, intervention=taken_over), asked).stretches] == stretches


def test_idle_ends_are_cut_to_their_margin_and_idle_inside_stays() -> None:
    at = np.concatenate([np.zeros(50), np.linspace(0, 1, 20), np.ones(60), np.linspace(1, 0, 20), np.zeros(10)])
    moving = np.repeat(at[:, None], 2, axis=1).astype(np.float32)
    found = kept(numbers(["leader"] * 160, qpos=moving, asked=moving), idle_ends=True)
    (stretch,) = found.stretches
    assert 38 <= stretch.first <= 42  # moves by 0.02 rad in row 51, 10 rows of margin before it
    assert stretch.end == 160  # 10 rows at rest are shorter than half a second
    assert found.left_out == {"idle end": stretch.first}


def test_an_episode_in_which_nothing_moves_is_not_trimmed_away() -> None:
    still = np.zeros((100, 2), np.float32)
    found = kept(numbers(["leader"] * 100, qpos=still, asked=still), idle_ends=True)
    assert found.stretches == (Stretch(0, 100),)


def test_ranges_by_hand() -> None:
    found = kept(numbers(["leader"] * 100), by_hand=((0.2, 0.4), (1.0, 9.0)))
    assert found.stretches == (Stretch(10, 21), Stretch(50, 100))


@given(
    st.lists(st.sampled_from(NAMES), min_size=1, max_size=60),
    st.sets(st.integers(0, 59)),
    st.sets(st.integers(0, 59)),
    st.sets(st.sampled_from(["demo", "correction", "policy", "recovery"]), min_size=1),
)
def test_every_row_is_data_or_counted_and_no_stretch_holds_one_that_is_not(
    names: list[str], gaps: set[int], absent: set[int], asked: set[SourceKind]
) -> None:
    ticks = np.arange(len(names), dtype=np.int64) * 20_000_000
    for gap in gaps:
        ticks[gap:] += 20_000_000
    action = np.ones((len(names), 2), np.float32)
    action[[row for row in absent if row < len(names)]] = np.nan
    found = kept(numbers(names, ticks_ns=ticks, asked=action), tuple(asked))
    rows = [row for first, end in found.stretches for row in range(first, end)]
    assert len(rows) == len(set(rows))
    assert len(rows) + sum(found.left_out.values()) == len(names)
    for first, end in found.stretches:
        assert end - first >= 2
        assert np.isfinite(action[first:end]).all()
        assert (np.diff(ticks[first:end]) == 20_000_000).all()
        assert not {"hold", "none", "opening", "park", "replay"} & set(names[first:end])
