"""What an arm's own readings say against going on: silence, divergence, overload. Pure, given the time.

A reading that was not taken (None) is no number: it neither starts nor ends a suspicion, it only grows old.
"""

from collections.abc import Sequence
from typing import NamedTuple

from station.bus.messages import Dimension
from station.clock import NS_PER_S

LASTING_NS = 300 * NS_PER_S // 1000
"""How long divergence or overload must last before it counts: longer than the lag and the inrush of a quick motion. A choice of this
station's, as are the two below."""
BETWEEN_NS = LASTING_NS // 3
"""The most that counts of the time between two readings that both say so: a computer that stalled for 300 ms between two moments of a
quick motion has seen two moments, not 300 ms."""
SILENT_NS = NS_PER_S // 2
"""A servo silent for longer puts the arm in hold. The pilot gives a silent arm as long (`station.control.arms`)."""
OVERLOAD_SHARE = 0.9
"""Near the shutdown level: this share of a dimension's `overload`, in its unit of effort."""


class Finding(NamedTuple):
    """Why to hold, and which dimensions to bring back to where they are."""

    why: str
    """A sentence for the operator: which dimensions, and what to look at."""
    retreat: tuple[int, ...]
    """Their places in the arm's dimensions, each below D."""
    pressed: bool = False
    """Because of where the arm was led, not of what it is."""


class _Suspicion(NamedTuple):
    """Readings of one dimension that all say so."""

    lasted_ns: int
    newest_ns: int


class Watch:
    """Watches one arm's readings. Positions (D,) in the units of its dimensions, efforts (D,) in their units of effort."""

    def __init__(self, dimensions: Sequence[Dimension], divergence_rad: float) -> None:
        """`divergence_rad`: how far a servo may be from its goal, rad at the servo (the rig file's `safety`)."""
        self._dimensions = tuple(dimensions)
        self._divergence_rad = divergence_rad
        self.measured: list[float | None] = []
        """The last position heard of each dimension, None before the first."""
        self.warnings: tuple[str, ...] = ()
        self._heard_ns: list[int] = []
        self._diverged: list[_Suspicion | None] = []
        self._overloaded: list[_Suspicion | None] = []
        self.reset(0)

    def reset(self, now_ns: int) -> None:
        """Forget everything; every servo counts as heard at `now_ns` (monotonic, as in `look`)."""
        count = len(self._dimensions)
        self.measured = [None] * count
        self._heard_ns = [now_ns] * count
        self.forgive()

    def forgive(self) -> None:
        """Start counting divergence and overload anew (silence ends only by an answer)."""
        self._diverged = [None] * len(self._dimensions)
        self._overloaded = [None] * len(self._dimensions)
        self.warnings = ()

    def look(
        self,
        now_ns: int,
        goal: Sequence[float],
        measured: Sequence[float | None],
        effort: Sequence[float | None],
    ) -> Finding | None:
        """Take one reading in; what it says against going on, the gravest first, or None.

        `goal`, `measured`, `effort`: (D,) each, None in the latter two for a servo that did not answer or does not measure it. Silence
        counts after `SILENT_NS`, |goal − measured| > `divergence_rad` and |effort| ≥ `OVERLOAD_SHARE` · overload after `LASTING_NS`
        of readings that all say so, of which no two count for more than `BETWEEN_NS`. Raises ValueError if one of them is not D long.
        """
        silent, diverged, overloaded, warnings = [], [], [], []
        for i, (dimension, wanted, position, exerted) in enumerate(
            zip(self._dimensions, goal, measured, effort, strict=True)
        ):
            if position is not None:
                self._heard_ns[i] = now_ns
                self.measured[i] = position
                if not dimension.compliant:
                    off_rad = abs(wanted - position) * abs(dimension.rad_per_unit)
                    diverged += self._lasting(self._diverged, i, off_rad > self._divergence_rad, now_ns)
            elif now_ns - self._heard_ns[i] > SILENT_NS:
                silent.append(i)
            if exerted is not None and dimension.overload is not None:
                near = abs(exerted) >= OVERLOAD_SHARE * dimension.overload
                overloaded += self._lasting(self._overloaded, i, near, now_ns)
                if near:
                    warnings.append(
                        f"{dimension.name} near overload: {abs(exerted):.4g} of {dimension.overload:.4g} {dimension.effort_unit}"
                    )
        self.warnings = tuple(warnings)
        return self._finding(silent, diverged, overloaded)

    def _lasting(self, suspicions: list[_Suspicion | None], i: int, wrong: bool, now_ns: int) -> list[int]:
        """[i] if dimension i has been wrong for `LASTING_NS`, else []."""
        if not wrong:
            suspicions[i] = None
            return []
        before = suspicions[i]
        lasted_ns = 0 if before is None else before.lasted_ns + min(now_ns - before.newest_ns, BETWEEN_NS)
        suspicions[i] = _Suspicion(lasted_ns, now_ns)
        return [i] if lasted_ns >= LASTING_NS else []

    def _finding(self, silent: list[int], diverged: list[int], overloaded: list[int]) -> Finding | None:
        if not (silent or diverged or overloaded):
            return None
        reasons = []
        if silent:
            reasons.append(f"{self._names(silent)} silent for more than {SILENT_NS / NS_PER_S:g} s: check its cable")
        if diverged:
            reasons.append(
                f"{self._names(diverged)} more than {self._divergence_rad:g} rad from the goal: is the arm blocked?"
            )
        if overloaded:
            reasons.append(f"{self._names(overloaded)} near overload: take the load off before the servo trips")
        retreat = tuple(i for i, dimension in enumerate(self._dimensions) if i in overloaded or not dimension.compliant)
        pressed = bool(diverged or overloaded) and not silent
        return Finding("; ".join(reasons), retreat if diverged else tuple(overloaded), pressed)

    def _names(self, indices: Sequence[int]) -> str:
        return ", ".join(self._dimensions[i].name for i in indices)
