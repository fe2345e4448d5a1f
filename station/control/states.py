"""The pilot's table of states, and the gate of two-sided differences. Pure.

idle ──align──► aligning ──arrive──► engaged
 ▲                 │ hold               │ hold
 └──disengage── hold ◄──────────────────┘        from hold only an operator's act (align, disengage) leads on

A start sequence (source `opening`) first aligns everybody with the start pose and waits there for the operator's hands:
aligning ──stand──► waiting ──align (both grippers closed)──► aligning
"""

from collections.abc import Sequence
from math import degrees, tau
from typing import Literal, NamedTuple

from station.bus.messages import Dimension, SourceName

State = Literal["idle", "aligning", "waiting", "engaged", "hold"]
Event = Literal["align", "arrive", "stand", "parked", "hold", "disengage"]

TRANSITIONS: dict[tuple[State, Event], State] = {
    ("idle", "align"): "aligning",
    ("idle", "hold"): "hold",
    ("idle", "disengage"): "idle",
    ("aligning", "arrive"): "engaged",
    ("aligning", "stand"): "waiting",
    ("aligning", "parked"): "idle",
    ("aligning", "hold"): "hold",
    ("aligning", "disengage"): "idle",
    ("waiting", "align"): "aligning",
    ("waiting", "hold"): "hold",
    ("waiting", "disengage"): "idle",
    ("engaged", "align"): "aligning",
    ("engaged", "hold"): "hold",
    ("engaged", "disengage"): "idle",
    ("hold", "align"): "aligning",
    ("hold", "hold"): "hold",
    ("hold", "disengage"): "idle",
}
"""Every transition there is; an event without an entry does not happen in that state."""

MAY_COMMAND: tuple[SourceName, ...] = ("leader", "vr", "policy", "replay")
"""What `Engage` takes. Park has a request of its own."""
HELD_BY_HAND: tuple[SourceName, ...] = ("leader", "vr")
"""Sources that a person holds: they must be near the follower's pose before anything moves."""
GATE_RAD = 0.8
"""How far a joint of a hand-held source may be from the follower's when engaging, at the servo. Source: GELLO's
start gate (`experiments/run_env.py`); there the sign was not looked at, here |difference| counts."""


class Difference(NamedTuple):
    """The joint that is farthest from where its source is."""

    joint: str
    rad: float
    """Source minus follower."""


def worst_difference(dimensions: Sequence[Dimension], source: Sequence[float], follower: Sequence[float]) -> Difference:
    """The worst joint of one arm, (D,) each, in its units. Compliant dimensions don't count: an object may hold a gripper open.

    Raises ValueError if the three are not equally long.
    """
    differences = [
        Difference(dimension.name, (wanted - found) * abs(dimension.rad_per_unit))
        for dimension, wanted, found in zip(dimensions, source, follower, strict=True)
        if not dimension.compliant
    ]
    return max(differences, key=lambda difference: abs(difference.rad), default=Difference("", 0.0))


def bring(node: str, dimensions: Sequence[Dimension], source: Sequence[float], follower: Sequence[float]) -> list[str]:
    """For the hand on arm `node`: its joints that are too far from the follower's to engage, and which way they go, (D,) each.

    In steps of 5°: it is read while the hand moves.
    """
    words = []
    for dimension, wanted, found in zip(dimensions, source, follower, strict=True):
        rad = (found - wanted) * abs(dimension.rad_per_unit)
        if not dimension.compliant and abs(rad) > GATE_RAD:
            words.append(
                f"{node}: {'raise' if rad > 0 else 'lower'} {dimension.name} by {5 * round(degrees(abs(rad)) / 5)}°"
            )
    return words


def too_far(source: str, follower: str, difference: Difference) -> str:
    """What to tell the operator if that difference is too large to engage; "" if it is not."""
    if abs(difference.rad) <= GATE_RAD:
        return ""
    side, way = ("above", "lower") if difference.rad > 0 else ("below", "raise")
    turns = round(difference.rad / tau)
    if turns:
        whole = "one whole turn" if abs(turns) == 1 else f"{abs(turns)} whole turns"
        back = "one turn" if abs(turns) == 1 else f"{abs(turns)} turns"
        left = abs(difference.rad - turns * tau)
        rest = f", {left:.2f} rad aside" if left > GATE_RAD else ""
        return (
            f"{source}.{difference.joint} is {whole} {side} {follower}.{difference.joint}{rest}: it looks the same, and the "
            f"follower would go all the way round. Next: turn it back by {back}; where a servo only counts from another turn, switch "
            f"{source}'s power off and on with the joint near the follower's; then engage again"
        )
    return (
        f"{source}.{difference.joint} is {abs(difference.rad):.2f} rad {side} {follower}.{difference.joint}: "
        f"{way} it until they differ by less than {GATE_RAD:g} rad, then engage again"
    )
