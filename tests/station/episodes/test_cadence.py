from pathlib import Path

import numpy as np
import pytest

from station.episodes.cadence import CLIP, Arrays, StreamCadence, cadence, in_words, read_cadence, together
from station.errors import EpisodeError

MS = 1_000_000
NAMES = ("none", "leader", "vr", "policy", "replay", "park", "hold")


def arrays(rows: int = 100, **changed: object) -> Arrays:
    setpoint = np.zeros((rows, 3), np.float32)
    made = Arrays(
        tick_ns=np.arange(rows, dtype=np.int64) * 20 * MS, late=np.zeros(rows, bool), action=setpoint, action_sent=setpoint.copy(),
        source=np.ones(rows, np.uint8), source_names=NAMES,
        ages_ns={"cam_high": np.full(rows, 8 * MS, np.int64)}, is_new={"cam_high": np.arange(rows) % 2 == 0},
        lost={"cam_high": 3},
    )  # fmt: skip
    return made._replace(**changed)  # type: ignore[arg-type]


def test_a_calm_episode() -> None:
    report = cadence(arrays())
    assert report.rows == 100
    assert (report.seconds, report.rate_hz) == pytest.approx((2.0, 50.0))
    assert (report.late, report.clipped, report.holds, report.held_rows, report.lost) == (0, 0, 0, 0, 3)
    assert report.streams["cam_high"] == StreamCadence(8.0, 8.0, 0.5, 3)


def test_missing_ticks_lower_the_rate() -> None:
    times = np.delete(np.arange(100, dtype=np.int64) * 20 * MS, range(40, 60))
    assert cadence(arrays(80, tick_ns=times)).rate_hz == pytest.approx(79 / 1.98)


def test_only_what_differs_by_more_than_a_servo_tick_while_somebody_commands_is_a_clip() -> None:
    sent = np.zeros((100, 3), np.float32)
    sent[3, 1], sent[4, 2], sent[50, 0] = 0.9 * CLIP, 2 * CLIP, -0.1
    source = np.ones(100, np.uint8)
    source[50] = NAMES.index("hold")
    assert cadence(arrays(action_sent=sent, source=source)).clipped == 1


def test_holds_are_counted_as_stretches() -> None:
    source = np.ones(100, np.uint8)
    source[:5] = source[20:30] = source[99] = NAMES.index("hold")
    report = cadence(arrays(source=source))
    assert (report.holds, report.held_rows) == (3, 16)
    assert "holds 3 (16 rows)" in in_words(report)


def test_the_tail_of_the_ages_shows() -> None:
    ages = np.full(100, 5 * MS, np.int64)
    ages[90:] = 70 * MS
    stream = cadence(arrays(ages_ns={"cam_high": ages})).streams["cam_high"]
    assert (stream.age_p50_ms, stream.age_p99_ms) == (5.0, 70.0)


@pytest.mark.parametrize("rows", [0, 1])
def test_next_to_nothing_is_no_error(rows: int) -> None:
    report = cadence(arrays(rows))
    assert report.rows == rows
    assert in_words(report)


def test_a_sitting_is_the_sum_with_the_worst_ages() -> None:
    calm = cadence(arrays())
    old = cadence(
        arrays(50, ages_ns={"cam_high": np.full(50, 40 * MS, np.int64)}, is_new={"cam_high": np.ones(50, bool)})
    )
    both = together([calm, old])
    assert (both.rows, both.lost) == (150, 6)
    assert both.rate_hz == pytest.approx(50.0)
    assert both.streams["cam_high"].age_p99_ms == 40.0
    assert both.streams["cam_high"].new_share == pytest.approx((100 * 0.5 + 50) / 150)
    assert together([]).rows == 0


def test_what_is_no_episode_is_refused(tmp_path: Path) -> None:
    (tmp_path / "episode_0.hdf5").write_bytes(b"no")
    with pytest.raises(EpisodeError, match=r"not a whole HDF5 file.*Next: "):
        read_cadence(tmp_path / "episode_0.hdf5")
