"""How regular a stream is, measured on the stamps of its samples as they come. Pure; memory does not grow with their number."""

from array import array
from typing import NamedTuple

import numpy as np

from station.clock import NS_PER_MS, NS_PER_S

GAP = 1.5
"""Median intervals: longer is a gap. The same as LeRobot's dataset doctor."""
_BINS_A_PERIOD = 200
_PERIODS = 20
_SHARE = 99


class Regularity(NamedTuple):
    """What came out. Times None where there are fewer than two samples."""

    samples: int
    rate_hz: float | None
    jitter_p99_ms: float | None
    gaps: int
    longest_gap_ms: float | None
    longest_gap_at_ns: int
    """When it began."""


class StampGauge:
    """One stream. Intervals go into bins of a 200th of the declared period, up to 20 periods; a longer one is counted as a gap."""

    def __init__(self, declared_hz: float, otherwise_hz: float = 50.0) -> None:
        """`otherwise_hz`: what its bins are made for where it declares no rate."""
        self._bin_ns = NS_PER_S / (declared_hz if declared_hz > 0 else otherwise_hz) / _BINS_A_PERIOD
        self._bins = array("L", bytes(array("L").itemsize * (_BINS_A_PERIOD * _PERIODS + 1)))
        self._last = len(self._bins) - 1
        self._first_ns = self._previous_ns = 0
        self._samples = 0
        self._longest_ns, self._longest_at_ns = 0, 0

    def take(self, captured_at_ns: int) -> None:
        """The next sample's stamp; one that does not rise is left out."""
        if self._samples == 0:
            self._first_ns = captured_at_ns
        else:
            interval_ns = captured_at_ns - self._previous_ns
            if interval_ns <= 0:
                return
            self._bins[min(int(interval_ns / self._bin_ns), self._last)] += 1
            if interval_ns > self._longest_ns:
                self._longest_ns, self._longest_at_ns = interval_ns, self._previous_ns
        self._previous_ns = captured_at_ns
        self._samples += 1

    def regularity(self) -> Regularity:
        """Of what was taken so far."""
        if self._samples < 2:
            return Regularity(self._samples, None, None, 0, None, 0)
        counts = np.frombuffer(self._bins, np.dtype(f"u{self._bins.itemsize}")).astype(np.int64)
        intervals_ns = (np.arange(len(counts)) + 0.5) * self._bin_ns
        intervals = self._samples - 1
        median_ns = float(intervals_ns[np.searchsorted(np.cumsum(counts), (intervals + 1) / 2)])
        off_ns = np.abs(intervals_ns - median_ns)
        order = np.argsort(off_ns, kind="stable")
        jitter_ns = off_ns[order][np.searchsorted(np.cumsum(counts[order]), intervals * _SHARE / 100)]
        return Regularity(
            self._samples, intervals * NS_PER_S / (self._previous_ns - self._first_ns), float(jitter_ns) / NS_PER_MS,
            int(counts[intervals_ns > GAP * median_ns].sum()), self._longest_ns / NS_PER_MS, self._longest_at_ns,
        )  # fmt: skip
