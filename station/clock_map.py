"""A device's clock in the host's: which host time a device's stamp is. Pure; nothing here reads a clock.

A stamp reaches us some time after it was taken: host = device + offset(t) + delay, where the delay is never below its
minimum and often above it, and the offset drifts by some parts per million. The line that lies under all points
(device, host − device) and nearest to them is the least squares of nobody and the right answer here: late arrivals do
not pull at it. It is an edge of the lower convex hull, the one over the mean abscissa (Moon, Skelly, Towsley,
"Estimation and removal of clock skew from network delay measurements", INFOCOM 1999).
"""

from collections import deque
from itertools import pairwise
from typing import NamedTuple

WINDOW_NS = 20_000_000_000
"""Long enough to tell drift from jitter, short enough to follow a warming oscillator."""
BIN_NS = 250_000_000
"""Of each bin only the least delayed point is kept: 80 points in all."""
DRIFT_SPAN_NS = 5_000_000_000
"""Before this much has been seen the drift is taken as 0 (at 100 ppm that is 0.5 ms)."""
MAX_DRIFT = 500e-6
"""No crystal is worse; a steeper edge is jitter."""
LATE_NS = 250_000_000
"""An arrival (one way) this far off the line is not believed …"""
EARLY_NS = 50_000_000
"""… nor, once a prompt one was seen, this much before it, which no delay explains (users bear 100 ms) …"""
JUMPS_BELIEVED = 10
"""… until this many in a row say the same: then the device's clock was set, or its counter began anew."""
EXCLUDED_BELIEVED = 3
"""The same for round trips that exclude the line by their own uncertainty: they can't be mere lateness."""
EXCLUDED_SLACK_NS = 2_000_000
"""What the line may be wrong by while the drift is not known."""
STEP_NS = 10_000_000
"""Within this of the line a least delay may change; off it by more for `STEP_BELIEVED_NS`, the clock was set."""
STEP_BELIEVED_NS = 1_000_000_000
"""Longer than any stall of the host delays every single arrival."""


class _Point(NamedTuple):
    device_ns: int
    bound_ns: int
    """host + uncertainty − device: the offset is at most this."""
    uncertainty_ns: int

    @property
    def least_ns(self) -> int:
        """The offset is at least this; for round trips only."""
        return self.bound_ns - 2 * self.uncertainty_ns


class ClockMap:
    """Maps one device's clock to the host's, from pairs of stamps.

    Two ways to feed it. One way (a camera): `observe(stamp, arrival)`; what `to_host` gives is later than the truth by
    the least delay, which no one-way observation can tell from the offset. Round trip (a headset): `observe(stamp,
    midpoint, half the round trip)`; the least delay is then taken off, as right as the best round trip was symmetric.

    A device's clock may be set. A round trip bounds the offset from both sides, so a few that exclude the line are
    enough. One way, an arrival before the line can't be, so a few are enough as well; later arrivals may be lateness,
    and become a step when for a second not one has come in time.
    """

    def __init__(self) -> None:
        self.restarts = 0
        """How often the device's clock was found to have been set."""
        self._points: deque[_Point] = deque()
        self._strangers: list[_Point] = []
        """In a row, not believed so far; they agree with each other."""
        self._late: list[_Point] = []
        """In a row, believed, but none as early as the line says it could have been."""
        self._slope = 0.0
        self._x0_ns = 0
        self._y0_ns = 0
        self._least0_ns: int | None = None
        self._last: tuple[int, int] | None = None

    @property
    def ready(self) -> bool:
        """Has anything been observed."""
        return bool(self._points)

    @property
    def doubted(self) -> bool:
        """Was the last observation not believed; more of them would settle it."""
        return bool(self._strangers)

    @property
    def drift_ppm(self) -> float:
        """How much faster the host's clock runs than the device's, parts per million."""
        return self._slope * 1e6

    @property
    def uncertainty_ns(self) -> int:
        """Half the shortest round trip in the window; 0 for one-way observations, which cannot know."""
        return min((point.uncertainty_ns for point in self._points), default=0)

    def observe(self, device_ns: int, host_ns: int, uncertainty_ns: int = 0) -> bool:
        """The device said `device_ns` at host time `host_ns` ± `uncertainty_ns`. False if it is not believed."""
        point = _Point(device_ns, host_ns + uncertainty_ns - device_ns, uncertainty_ns)
        if self._points and self._strange(point):
            if self._strangers and not _agree(self._strangers[-1], point):
                self._strangers.clear()
            self._strangers.append(point)
            if len(self._strangers) < (EXCLUDED_BELIEVED if uncertainty_ns else JUMPS_BELIEVED):
                return False
            self._restart(self._strangers)
            return True
        self._strangers.clear()
        off_ns = self._off_ns(point)
        if off_ns < -STEP_NS:  # nothing older bounds anything any more
            self._points.clear()
        if self._keep(point):
            self._fit()
        if off_ns <= STEP_NS:
            self._late.clear()
            return True
        self._late.append(point)
        if len(self._late) >= JUMPS_BELIEVED and abs(device_ns - self._late[0].device_ns) >= STEP_BELIEVED_NS:
            self._restart(self._late[len(self._late) // 2 :])  # the first ones may be stragglers from before
        return True

    def _strange(self, point: _Point) -> bool:
        """Can this observation not be, if the line is right."""
        off_ns = point.bound_ns - self._line_ns(point.device_ns)
        if not point.uncertainty_ns:
            return abs(off_ns) > LATE_NS or (off_ns < -EARLY_NS and self._established)
        slack_ns = EXCLUDED_SLACK_NS + MAX_DRIFT * abs(point.device_ns - self._x0_ns)
        if point.least_ns - self._line_ns(point.device_ns) > slack_ns:
            return True
        least0_ns = self._least0_ns
        if least0_ns is None:
            return False
        least_ns = least0_ns + self._slope * (point.device_ns - self._x0_ns)
        return point.bound_ns < least_ns - slack_ns

    def _off_ns(self, point: _Point) -> float:
        """How far over the line it is, beyond what its own longer round trip explains; below 0 under it."""
        if not self._points:
            return 0.0
        off_ns = point.bound_ns - self._line_ns(point.device_ns)
        longer_ns = max(0, 2 * (point.uncertainty_ns - self.uncertainty_ns))
        return off_ns if off_ns < 0 else max(0.0, off_ns - longer_ns)

    @property
    def _established(self) -> bool:
        """Has a prompt arrival certainly been among those seen."""
        return self._points[-1].device_ns - self._points[0].device_ns >= STEP_BELIEVED_NS

    def _restart(self, points: list[_Point]) -> None:
        """The clock was set: only these count from here."""
        self.restarts += 1
        self._points.clear()
        self._last = None
        for point in sorted(points):
            self._keep(point)
        self._strangers, self._late = [], []
        self._fit()

    def to_host(self, device_ns: int) -> int:
        """Host time of a device's stamp, ns. For rising stamps it rises, however the estimate moves in between.

        Raises LookupError before the first observation.
        """
        if not self._points:
            raise LookupError("no pair of stamps has been observed yet")
        host_ns = device_ns + round(self._line_ns(device_ns)) - self.uncertainty_ns
        if self._last is not None and device_ns > self._last[0]:
            host_ns = max(host_ns, self._last[1] + 1)
        if self._last is None or device_ns > self._last[0]:
            self._last = (device_ns, host_ns)
        return host_ns

    def _line_ns(self, device_ns: int) -> float:
        return self._y0_ns + self._slope * (device_ns - self._x0_ns)

    def _keep(self, point: _Point) -> bool:
        """Take a point into its bin; True if that changed anything."""
        points = self._points
        expired = False
        while points and points[0].device_ns < point.device_ns - WINDOW_NS:
            points.popleft()
            expired = True
        if not points or point.device_ns // BIN_NS > points[-1].device_ns // BIN_NS:
            points.append(point)
            return True
        if point.bound_ns < points[-1].bound_ns:
            points[-1] = point._replace(device_ns=max(point.device_ns, points[-1].device_ns))
            return True
        return expired

    def _fit(self) -> None:
        points = self._points
        self._x0_ns = points[-1].device_ns
        self._slope = 0.0
        if points[-1].device_ns - points[0].device_ns >= DRIFT_SPAN_NS:
            self._slope = min(MAX_DRIFT, max(-MAX_DRIFT, _edge_slope(points)))
        self._y0_ns = min(round(p.bound_ns - self._slope * (p.device_ns - self._x0_ns)) for p in points)
        least = [round(p.least_ns - self._slope * (p.device_ns - self._x0_ns)) for p in points if p.uncertainty_ns]
        self._least0_ns = max(least, default=None)


def _agree(one: _Point, other: _Point) -> bool:
    """May both be of the same clock."""
    if not (one.uncertainty_ns and other.uncertainty_ns):
        return abs(one.bound_ns - other.bound_ns) <= LATE_NS
    return max(one.least_ns, other.least_ns) <= min(one.bound_ns, other.bound_ns) + EXCLUDED_SLACK_NS


def _edge_slope(points: "deque[_Point]") -> float:
    """The slope of the lower hull's edge over the mean abscissa; points come in rising device time."""
    hull: list[_Point] = []
    for point in points:
        while len(hull) > 1 and _above(hull[-2], hull[-1], point):
            hull.pop()
        hull.append(point)
    mean_ns = sum(point.device_ns for point in points) / len(points)
    for left, right in pairwise(hull):
        if right.device_ns >= mean_ns:
            return (right.bound_ns - left.bound_ns) / (right.device_ns - left.device_ns)
    raise AssertionError("the hull spans the mean of its points")


def _above(left: _Point, middle: _Point, right: _Point) -> bool:
    """Does `middle` lie on or above the line from `left` to `right`."""
    return (middle.bound_ns - left.bound_ns) * (right.device_ns - left.device_ns) >= (
        right.bound_ns - left.bound_ns
    ) * (middle.device_ns - left.device_ns)
