"""Grippers: from the servo's angle to 0 closed … 1 open, and to the finger's position. Pure.

ALOHA normalises twice: an *action* gripper is the servo's angle between its closed and open angle, a *qpos* gripper is
the finger's position between its closed and open position; the linkage makes them differ by up to 0.09 in mid-travel.
Nothing is clipped here, as in ALOHA's code. Source of the constants: `constants.py` of tonyzhaozh/aloha,
MarkFzp/mobile-aloha and Interbotix/aloha; of the linkage: `xs_sdk_obj.cpp` of interbotix_ros_core.
"""

import math
from typing import Literal, NamedTuple

from station.kinematics.linkage import finger_m

Generation = Literal["aloha1", "mobile", "aloha2"]


class Travel(NamedTuple):
    """Where a gripper is open and closed: the servo's angle (rad), the finger's position (m)."""

    open_rad: float
    close_rad: float
    open_m: float
    close_m: float

    def command(self, rad: float) -> float:
        """The servo's angle normalised: (x − close) / (open − close)."""
        return (rad - self.close_rad) / (self.open_rad - self.close_rad)

    def rad(self, command: float) -> float:
        """The inverse of `command`."""
        return self.close_rad + command * (self.open_rad - self.close_rad)

    def rate(self, rad_s: float) -> float:
        """Velocity of `command`, 1/s."""
        return rad_s / (self.open_rad - self.close_rad)


class Linkage(NamedTuple):
    """Horn radius h and arm length L, m: position = h·sin θ + √(L² − h²·cos² θ)."""

    horn_m: float
    arm_m: float

    def position_m(self, rad: float) -> float:
        """The finger's position, m."""
        return finger_m(rad, self.horn_m, self.arm_m)

    def angle_rad(self, position_m: float) -> float:
        """The servo's angle, −π/2 to π/2, at a finger's position: the law of cosines, L² = h² + p² − 2·h·p·sin θ.

        Raises ValueError for a position that no angle gives.
        """
        nearest, farthest = self.arm_m - self.horn_m, self.arm_m + self.horn_m
        if not nearest - _MEASURED_M <= position_m <= farthest + _MEASURED_M:
            raise ValueError(
                f"no angle puts this arm's fingers at {position_m:g} m: they go from {nearest:.4f} to {farthest:.4f} m. "
                "Next: give metres as its linkage has them, or leave them out"
            )
        sine = (self.horn_m**2 + position_m**2 - self.arm_m**2) / (2 * self.horn_m * position_m)
        return math.asin(max(-1.0, min(1.0, sine)))

    def velocity_m_s(self, rad: float, rad_s: float) -> float:
        """The finger's velocity, m/s."""
        across = self.horn_m * math.cos(rad)
        slope = across + across * self.horn_m * math.sin(rad) / math.sqrt(self.arm_m**2 - across**2)
        return slope * rad_s

    def aperture(self, rad: float, travel: Travel) -> float:
        """The finger's position normalised, 0 closed … 1 open."""
        return (self.position_m(rad) - travel.close_m) / (travel.open_m - travel.close_m)

    def aperture_velocity(self, rad: float, rad_s: float, travel: Travel) -> float:
        """Velocity of `aperture`, 1/s."""
        return self.velocity_m_s(rad, rad_s) / (travel.open_m - travel.close_m)


LEADER: dict[Generation, Travel] = {
    "aloha1": Travel(0.3083, -0.6842, 0.02417, 0.01244),
    "mobile": Travel(-0.8, -1.65, 0.02417, 0.01244),
    "aloha2": Travel(0.8298, -0.0552, 0.0323, 0.0185),
}
FOLLOWER: dict[Generation, Travel] = {
    "aloha1": Travel(1.4910, -0.6213, 0.05800, 0.01844),
    "mobile": Travel(1.4910, -0.6213, 0.05800, 0.01844),
    "aloha2": Travel(1.6214, 0.6197, 0.0579, 0.0440),
}
CURRENT_LIMIT: dict[Generation, int] = {"aloha1": 200, "mobile": 300, "aloha2": 300}
"""Follower grippers' Current Limit, units of 2.69 mA. Source: READMEs of aloha and mobile-aloha, Interbotix' code."""

_MEASURED_M = 0.0005
"""A position that was measured by hand may lie so far beyond the linkage's end."""
LEAST_TRAVEL_RAD = 0.05
_REACH_RAD = math.pi
"""A servo in a position mode counts one turn: ±π about its middle."""
_OFF_SHARE = 0.1
"""Of the fingers' travel: how far given metres may be from the linkage's. A calliper's millimetre, and 0.02 for ALOHA's own."""
_BEYOND_RAD = 0.1
"""How far a travel may go beyond the dead point (90°), where the fingers come back in: ALOHA 2's goes 0.05."""


class Ends(NamedTuple):
    """A travel as somebody gave it; None for what was not given."""

    open_rad: float | None
    close_rad: float | None
    open_m: float | None
    close_m: float | None


def travel(given: Ends, linkage: Linkage | None) -> Travel:
    """The travel that was given, with what was not given derived from the linkage. Raises ValueError for what cannot be true.

    Without a linkage (a leader that has no fingers) only the angles say anything; the metres are then 1 and 0.
    """
    for name, value in zip(Ends._fields, given, strict=True):
        if value is not None and not math.isfinite(value):
            raise ValueError(f"{name} is {value}, no number")
    if linkage is None:
        return _bare(given)
    whole = Travel(
        _angle("open", given.open_rad, given.open_m, linkage), _angle("close", given.close_rad, given.close_m, linkage),
        0.0, 0.0,
    )  # fmt: skip
    _check_angles(whole.open_rad, whole.close_rad)
    _check_reach(whole)
    by_linkage = whole._replace(open_m=linkage.position_m(whole.open_rad), close_m=linkage.position_m(whole.close_rad))
    _check_opens(by_linkage)
    _check_metres(given, by_linkage)
    return by_linkage._replace(
        open_m=by_linkage.open_m if given.open_m is None else given.open_m,
        close_m=by_linkage.close_m if given.close_m is None else given.close_m,
    )


def _bare(given: Ends) -> Travel:
    if given.open_rad is None or given.close_rad is None:
        raise ValueError("give open_rad and close_rad: this arm has no linkage that they could be derived from")
    _check_angles(given.open_rad, given.close_rad)
    if (given.open_m is None) != (given.close_m is None):
        raise ValueError("give both of open_m and close_m, or neither: without a linkage one does not say the other")
    open_m, close_m = (1.0, 0.0) if given.open_m is None or given.close_m is None else (given.open_m, given.close_m)
    if open_m <= close_m:
        raise ValueError(
            f"open_m ({open_m:g}) must be above close_m ({close_m:g}): open is where fingers are farther apart"
        )
    return Travel(given.open_rad, given.close_rad, open_m, close_m)


def _angle(end: str, rad: float | None, at_m: float | None, linkage: Linkage) -> float:
    if rad is not None:
        return rad
    if at_m is None:
        raise ValueError(f"give {end}_rad, or {end}_m, from which it follows")
    return linkage.angle_rad(at_m)


def _check_angles(open_rad: float, close_rad: float) -> None:
    if abs(open_rad - close_rad) < LEAST_TRAVEL_RAD:
        raise ValueError(f"open_rad and close_rad must be at least {LEAST_TRAVEL_RAD:g} rad apart")
    if abs(open_rad - close_rad) >= math.tau:
        raise ValueError(
            f"open_rad {open_rad:g} and close_rad {close_rad:g} are more than a turn apart. Next: give radians, not degrees"
        )


def _check_reach(ends: Travel) -> None:
    """In the arm's own range, and on one side of the dead point, where one aperture is one angle."""
    for name, rad in (("open_rad", ends.open_rad), ("close_rad", ends.close_rad)):
        if abs(rad) > _REACH_RAD:
            raise ValueError(
                f"{name} {rad:g} is out of the servo's reach, ±{_REACH_RAD:.2f} rad. Next: radians, not degrees?"
            )
    low, high = sorted((ends.open_rad, ends.close_rad))
    for dead in (-math.pi / 2, math.pi / 2):
        if low < dead - _BEYOND_RAD and high > dead + _BEYOND_RAD:
            raise ValueError(
                f"open_rad {ends.open_rad:g} and close_rad {ends.close_rad:g} lie on both sides of {dead:.2f} rad, where the "
                "linkage turns the fingers back. Next: read both angles again with the fingers at their stops"
            )


def _check_opens(by_linkage: Travel) -> None:
    if by_linkage.open_m <= by_linkage.close_m:
        raise ValueError(
            f"the linkage has the fingers at {by_linkage.open_m:.4f} m at open_rad {by_linkage.open_rad:g} and at "
            f"{by_linkage.close_m:.4f} m at close_rad {by_linkage.close_rad:g}, farther apart when closed. Next: swap open and close"
        )


def _check_metres(given: Ends, by_linkage: Travel) -> None:
    allowed_m = _OFF_SHARE * (by_linkage.open_m - by_linkage.close_m)
    for end, at_m, rad, true_m in (
        ("open", given.open_m, by_linkage.open_rad, by_linkage.open_m),
        ("close", given.close_m, by_linkage.close_rad, by_linkage.close_m),
    ):
        if at_m is not None and abs(at_m - true_m) > allowed_m:
            raise ValueError(
                f"{end}_m {at_m:g} contradicts {end}_rad {rad:g}, where the linkage has the fingers at {true_m:.4f} m. Next: leave "
                "open_m and close_m out, they follow from the angles; or correct the angles"
            )
