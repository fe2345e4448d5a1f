"""What a controller's log says of an arm, and how that is judged."""

import numpy as np
import pytest

from station.clock import NS_PER_S
from tests.system.arm_trials import Trial, failures, table, went

HAPPENED_NS = NS_PER_S
AT = np.arange(0, 5 * NS_PER_S, NS_PER_S // 500, dtype=np.int64)
WELL = Trial(0, "follower_right", "protective stop", 40, 40, "it stopped", "P", "", 0.0, 0.05, 0.01, 0.6)


def track(*moves: tuple[float, float, float]) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
    """Two joints; the first goes at rad/s from one second to another."""
    velocity = np.zeros(len(AT))
    for speed, begin_s, end_s in moves:
        velocity[(begin_s * NS_PER_S <= AT) & (end_s * NS_PER_S > AT)] = speed
    return np.stack([np.cumsum(velocity) / 500, np.zeros(len(AT))], axis=1)


def test_an_arm_that_stops_and_stays_has_not_moved() -> None:
    did = went(AT, track((0.5, 0.0, 1.2)), HAPPENED_NS, False)
    assert did.moved_rad == 0
    assert did.still_after_s == pytest.approx(0.2, abs=0.01)
    assert did.went_rad == pytest.approx(0.1, abs=0.002)
    assert did.fastest_rad_s == pytest.approx(0.5, abs=0.02)


def test_one_that_goes_on_later_has() -> None:
    did = went(AT, track((0.5, 0.0, 1.2), (-2.0, 3.0, 3.1)), HAPPENED_NS, False)
    assert did.moved_rad == pytest.approx(0.2, abs=0.01)
    assert did.fastest_rad_s == pytest.approx(2.0, abs=0.05)


def test_one_that_stayed_engaged_may_move() -> None:
    assert went(AT, track((0.5, 0.0, 5.0)), HAPPENED_NS, True).moved_rad == 0


def test_what_is_not_kept_is_told() -> None:
    assert not failures([WELL], 3.14)
    said = failures(
        [
            WELL,
            Trial(1, "follower_right", "silent link", 40, 38, "", "P", "station recover", 0.2, 0.0, 0.0, 4.0),
            Trial(2, "", "driver killed", 0, 0, "", "", "", 0.0, 0.0, 0.0, 0.0, "no hold within 60 s"),
        ],
        3.14,
    )
    assert ["2 of 40 acknowledged" in said[0], "0.2 rad" in said[1], "never said station recover" in said[2]] == [
        True
    ] * 3
    assert "4.0 rad/s" in said[3]
    assert "no hold within 60 s" in said[4]
    assert len(said) == 5


def test_the_table_has_a_row_a_fault() -> None:
    assert "| protective stop | 2 | 80 | 0 | 0.0000 | 2 | 0.05, 0.05 | 0.010 | 0.60 |" in table([WELL, WELL])
