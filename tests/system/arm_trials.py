"""What faults did to arms on the network (`arm_faults`), judged and tabled. Pure."""

from collections import Counter
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from station.clock import NS_PER_S

STOPS_NS = NS_PER_S
"""By then an arm that stops has stopped: the watchdog's time, the gate's, the lag behind its target."""
MOVED_RAD, STILL_RAD = 0.01, 2e-3
"""More is a motion; less is a joint that stands."""
WINDOW_NS = NS_PER_S // 20
Times = NDArray[np.int64]
Joints = NDArray[np.float64]
"""When, ns, (N,); where the joints were then, rad, (N, J)."""


class Trial(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one fault did."""

    number: int
    arm: str
    fault: str
    acknowledged: int
    rows: int
    ended: str
    """Why the episode ended by itself."""
    named: str
    """The panel's words with its name and the next act in them; "" where it has no name."""
    missing: str
    """What the panel should have said and did not."""
    moved_rad: float
    """From its stop to the next engagement, of the joint that went farthest."""
    still_after_s: float
    went_rad: float
    """From the fault until it stood still."""
    fastest_rad_s: float
    """Of any joint, over 50 ms."""
    broke: str = ""
    """What did not come at all, whereupon the run was ended."""

    @property
    def lost(self) -> int:
        """Acknowledged rows that are not in the file."""
        return max(0, self.acknowledged - self.rows)


class Went(NamedTuple):
    """What an arm did after something happened."""

    moved_rad: float
    still_after_s: float
    went_rad: float
    fastest_rad_s: float


def went(at: Times, joints: Joints, happened_ns: int, went_on: bool) -> Went:
    """By its controller's log, from then on. `went_on`: it was engaged all the while, and may move."""
    after = at >= happened_ns
    at, joints = at[after], joints[after]
    top = round(fastest(at, joints), 3)
    if went_on:
        return Went(0.0, 0.0, 0.0, top)
    moved = np.ptp(joints[at >= happened_ns + STOPS_NS], axis=0).max()
    moving = np.flatnonzero(np.abs(joints - joints[-1]).max(axis=1) > STILL_RAD)
    still_s = (at[moving[-1]] - happened_ns) / NS_PER_S if len(moving) else 0.0
    return Went(
        round(float(moved), 5), round(float(still_s), 3), round(float(np.abs(joints - joints[0]).max()), 4), top
    )


def fastest(at: Times, joints: Joints) -> float:
    """The highest mean speed of any joint over a window, rad/s."""
    ends = np.searchsorted(at, at + WINDOW_NS)
    whole = ends < len(at)
    if not whole.any():
        return 0.0
    starts, ends = np.flatnonzero(whole), ends[whole]
    spans_s = (at[ends] - at[starts]) / NS_PER_S
    return float((np.abs(joints[ends] - joints[starts]).max(axis=1) / spans_s).max())


def failures(done: list[Trial], limit_rad_s: float) -> list[str]:
    """What was promised and not kept."""
    wrong = []
    for one in done:
        told = f"{one.number}, {one.fault}"
        if one.broke:
            wrong.append(f"{told}: {one.broke}")
        if one.lost:
            wrong.append(f"{told}: {one.lost} of {one.acknowledged} acknowledged rows are missing")
        if one.moved_rad > MOVED_RAD:
            wrong.append(f"{told}: {one.arm} went {one.moved_rad} rad without engagement")
        if one.missing:
            wrong.append(f"{told}: the panel never said {one.missing}; it said {one.named}")
        if one.fastest_rad_s > limit_rad_s:
            wrong.append(f"{told}: {one.arm} went at {one.fastest_rad_s} rad/s, the limit is {limit_rad_s:g}")
    return wrong


def table(done: list[Trial]) -> str:
    """Markdown, a row per fault."""
    lines = [
        "| what happened | times | acknowledged rows | lost | moved without engagement, rad at most | named, with the next act "
        "| stood still after, s: median, worst | having gone, rad at most | fastest rad/s |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for fault, times in sorted(Counter(one.fault for one in done).items()):
        of = [one for one in done if one.fault == fault]
        still = sorted(one.still_after_s for one in of)
        named = f"{sum(bool(one.named) and not one.missing for one in of)}" if any(one.named for one in of) else "–"
        lines.append(
            f"| {fault} | {times} | {sum(one.acknowledged for one in of)} | {sum(one.lost for one in of)} "
            f"| {max(one.moved_rad for one in of):.4f} | {named} | {still[len(still) // 2]:.2f}, {still[-1]:.2f} "
            f"| {max(one.went_rad for one in of):.3f} | {max(one.fastest_rad_s for one in of):.2f} |"
        )
    return "\n".join(lines)
