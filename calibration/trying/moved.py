"""Which joint of which arm a hand has moved, from where every arm was before and where it is now. Pure."""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from calibration.arms.zeros import wrap
from station.bus.messages import Dimension

Array = NDArray[np.float64]
Poses = Mapping[str, Array]
"""Per arm its whole vector, (D,)."""

LEAST_RAD = float(np.radians(8.0))
"""A hand that means to move a joint moves it further; one that brushes an arm does not."""
LEAST_APERTURE = 0.2
"""The same of a gripper, 0 closed to 1 open."""


class Move(NamedTuple):
    """How far one joint of one arm was moved."""

    node: str
    joint: str
    by: float
    """In the dimension's unit."""
    unit: str

    @property
    def share(self) -> float:
        """Of what counts as moved: 1 and more was."""
        return abs(self.by) / (LEAST_RAD if self.unit == "rad" else LEAST_APERTURE)

    @property
    def amount(self) -> str:
        """For people: degrees, or a share of the gripper's travel."""
        return f"{np.degrees(self.by):+.0f}°" if self.unit == "rad" else f"{100 * self.by:+.0f} %"


def moves(before: Poses, now: Poses, dimensions: Mapping[str, Sequence[Dimension]]) -> list[Move]:
    """Every joint of every arm that was read both times, the one that moved farthest first."""
    found = []
    for node in before.keys() & now.keys():
        for place, dimension in enumerate(dimensions[node]):
            by = now[node][place] - before[node][place]
            if dimension.unit == "rad":
                by = float(wrap(np.asarray(by)))
            found.append(Move(node, dimension.name, float(by), dimension.unit))
    return sorted(found, key=lambda move: (-move.share, move.node, move.joint))


Judgement = Literal["right", "nothing", "arm", "joint", "sign"]


def judge(node: str, joint: str, sign: int, seen: Sequence[Move]) -> tuple[Judgement, Move | None]:
    """What is to be made of what was read while somebody moved `joint` of `node` in the direction that should read as `sign`.

    `right`: it was read as it should. `nothing`: no joint moved far enough. `arm`, `joint`: another one did. `sign`: it was read the
    other way round. With the move that says so; None where no arm was read.
    """
    if not seen:
        return "nothing", None
    most = seen[0]
    if most.share < 1.0:
        return "nothing", most
    if most.node != node:
        return "arm", most
    if most.joint != joint:
        return "joint", most
    return ("right" if most.by * sign > 0 else "sign"), most
