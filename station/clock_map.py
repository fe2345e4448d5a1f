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
JUMP_NS = 250_000_000
"""An observation this far off the line is not believed …"""
JUMPS_BELIEVED = 10
"""… until this many in a row say so: then the device's clock was set, or its counter began anew."""


class _Point(NamedTuple):
    device_ns: int
    bound_ns: int
    """host + uncertainty − device: the offset is at most this."""
    uncertainty_ns: int


class ClockMap:
    """Maps one device's clock to the host's, from pairs of stamps.

    Two ways to feed it. One way (a camera): `observe(stamp, arrival)`; what `to_host` gives is later than the truth by
    the least delay, which no one-way observation can tell from the offset. Round trip (a headset): `observe(stamp,
    midpoint, half the round trip)`; the least delay is then taken off, as right as the best round trip was symmetric.
    """

    def __init__(self) -> None:
        self.restarts = 0
        """How often the device's clock was found to have been set."""
        self._points: deque[_Point] = deque()
        self._jumps = 0
        self._slope = 0.0
        self._x0_ns = 0
        self._y0_ns = 0
        self._last: tuple[int, int] | None = None

    @property
    def ready(self) -> bool:
        """Has anything been observed."""
        return bool(self._points)

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
        if self._points and abs(point.bound_ns - self._line_ns(device_ns)) > JUMP_NS:
            self._jumps += 1
            if self._jumps < JUMPS_BELIEVED:
                return False
            self._points.clear()
            self._last = None
            self.restarts += 1
        self._jumps = 0
        if self._keep(point):
            self._fit()
        return True

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
