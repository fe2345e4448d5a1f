"""On the path of every process of a rig under test: the wall clock jumps an hour to and fro, three times a second.

Time goes on being right where it must be; whoever counts with this clock is found out.
"""

import time

_HOUR_NS = 3_600_000_000_000
_true_ns = time.time_ns


def _stepped_ns() -> int:
    return _true_ns() + (time.monotonic_ns() // 333_000_000 % 3 - 1) * _HOUR_NS


time.time_ns = _stepped_ns
time.time = lambda: _stepped_ns() / 1e9
