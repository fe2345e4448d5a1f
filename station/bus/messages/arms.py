"""What is particular about an arm, said by its driver: its geometry, its zeros, its gripper, what an operator may ask of it."""

from typing import Literal

from station.bus.messages.header import Message
from station.files.calibration_files import GripperRange

ArmMode = Literal["ready", "hold", "stopped", "guiding", "off"]
"""`ready`: it follows goals. `hold`: it stays where it is until an operator engages. `stopped`: it stopped itself (protective stop,
reflex, emergency stop, a servo that shut down), and only an operator's `Recover` ends that. `guiding`: a person moves it by hand, it takes
no goal. `off`: nothing holds it but its brakes, if it has any.
"""
EffortUnit = Literal["mA", "A", "N·m", "N", "0.1 %", ""]
"""Of what an arm says of a joint's effort; "" where it says nothing, and the numbers are 0."""


class Hinge(Message, frozen=True):
    """One joint of a chain: where it stands on the link before it, and the axis it turns about (both as URDF has them)."""

    name: str
    xyz_m: tuple[float, float, float]
    rpy_rad: tuple[float, float, float] = (0.0, 0.0, 0.0)
    axis: tuple[float, float, float] = (0.0, 0.0, 1.0)


class Chain(Message, frozen=True):
    """An arm's geometry, from its base to the point between its fingertips. All hinges at 0 rad."""

    hinges: tuple[Hinge, ...]
    """In the order of the arm's vector, gripper left out."""
    tip_xyz_m: tuple[float, float, float]
    """On the last link: the point between the fingertips."""
    tip_rpy_rad: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """There x points out of the gripper, and z up when the arm lies level."""


class Zeros(Message, frozen=True):
    """How an arm counts its joints from its encoders, where people measure that: q = sign · (angle − offset). (D,), gripper left out."""

    found_by: Literal["rest stops", "quarter turns"]
    """`quarter turns`: servos sit on their horns in steps of 90° (`station calibrate gello`)."""
    offsets_rad: tuple[float, ...]
    signs: tuple[int, ...]


class GripperFacts(Message, frozen=True):
    """What an arm's gripper is, for those who measure it. The vector's last number is its opening, 0 closed to 1 open."""

    what: str
    """Its name, for people."""
    travel: GripperRange | None = None
    """The servo's angle and the finger's position, open and closed, as they should be; None where its maker measured them."""
    linkage: tuple[float, float] | None = None
    """Horn radius and arm length of its crank, m; None where finger and servo move in proportion."""


class Act(Message, frozen=True):
    """Something that only an operator beside the arm may ask of it (`Recover`, `Perform`)."""

    name: str
    """`recover`, `activate_gripper`, `guide`, `end_guide` …"""
    does: str
    """What happens, for the question before it: "its fingers close and open once"."""


class CheckItem(Message, frozen=True):
    """What a driver found of its own for `station check`: a payload, a firmware, a safety configuration that is another than last time."""

    name: str
    verdict: Literal["pass", "warn", "fail"]
    value: str
    next: str = ""
    """What to do about it."""
