"""THE driver contract, on one page. Read this and one sibling driver; you need nothing else to write one.

A driver is a class named by a package entry point in the group `station.drivers`; the rig file's `driver:` is that
name. The station runs each device in a process of its own (`station.devices.serving`), which owns the loop, the bus, stamps,
health, signals, a measured latency (taken off `captured_at_ns` before it is published) and, for arms, the last gate. A
driver knows its device and nothing of any other.

Rules every driver keeps (`station.devices.conformance` checks them, yours too):
  - its module imports without the vendor's SDK until `open()`: the rig loader reads `Settings` from it;
  - it opens twice cleanly, and leaves no thread or descriptor behind after `close()`;
  - `captured_at_ns` rises and never repeats within a stream, and can be true (`station.borders.stamps`); it is when the world looked
    like that, never when somebody got round to it;
  - what `describe()` declares is what flows, at the declared rate ± 5 %;
  - no call blocks for a second; unplugged is a DeviceError within 1 s, and a later `open()` succeeds once it is back
    (what people take off and put on again, a headset, says nothing meanwhile and needs no `open()`);
  - nothing it does drops a raised arm: torque goes off in `torque` when it is asked to, and nowhere else;
  - nothing it does clears a stop, moves a gripper to find its stops, or lets a hand guide the arm, but an operator's act (`act`);
  - what is true of this device alone (its joints and their limits, the unit of their effort, whose clock, its chain, its gripper,
    its zeros) is said by `describe()`: nobody else asks for its model or its settings.
"""

from collections.abc import Iterator
from typing import Any, ClassVar, Literal, NamedTuple, Protocol, runtime_checkable

from station.bus.messages import Description, Dimension, Message, StreamDescription
from station.clock import Clock
from station.safety.condition import Condition

__all__ = [
    "ArmDriver",
    "Condition",
    "Description",
    "Dimension",
    "Driver",
    "GentleArm",
    "Place",
    "Reading",
    "Role",
    "StreamDescription",
]

Role = Literal["leader", "follower", "camera", "vr"]


class Place(NamedTuple):
    """Where a driver finds itself."""

    node: str
    """Its name on the bus: `leader_left`, `cam_high`."""
    role: Role
    clock: Clock
    velocity_rad_s: float
    """The rig's velocity limit, for servos that can keep one themselves."""
    resume_ms: float
    """The rig's `resume_ms`: how long a silence ends by itself, for servos whose own watchdog must wait that long."""


class Reading(NamedTuple):
    """What one `read()` brought."""

    kind: str
    captured_at_ns: int
    body: Message
    payload: tuple[bytes, ...] = ()


class Driver(Protocol):
    """Every device. Raise a DeviceError that names device, port, expected, found and the next act."""

    Settings: ClassVar[Any]
    """A frozen msgspec struct, unknown fields refused: the rig file's keys of this device, `driver` aside. An arm's has a `port` (a
    serial device) or an `address` (a host on the network), or both as alternatives with a default of "".
    """
    paced: ClassVar[bool]
    """True: the host calls `read()` at the declared rate (arms). False: `read()` blocks until the device pushes (cameras)."""

    def __init__(self, settings: Any, place: Place) -> None: ...
    def opens_with(self) -> tuple[str, ...]:
        """Modules that `open()` imports, the vendor's library among them: the host imports them before its process takes its
        real-time priority, so that a second of importing is in nobody's way. No more than these settings need: a
        node that was killed is back the sooner.
        """

    def open(self) -> None:
        """Find, check and prepare the device. Torque that is on stays on, torque that is off stays off."""

    def describe(self) -> Description:
        """After `open()`."""

    def read(self) -> list[Reading]:
        """The next readings; empty when there was none in time (under 1 s) or a bad one (counted in `health`)."""

    def health(self) -> dict[str, float]:
        """Slow numbers, units in the names; must not touch the wire."""

    def warnings(self) -> tuple[str, ...]:
        """What is wrong just now but not worth stopping for: a silent servo by name, a hot one."""

    def close(self) -> None:
        """Let go of the port. Torque stays as it is; a servo's watchdog is disarmed first."""


@runtime_checkable
class ArmDriver(Driver, Protocol):
    """An arm. Leader and follower are roles: one driver serves both. Only the host's gate calls `write`, `torque` and `act`."""

    def goal(self) -> tuple[float, ...]:
        """The goal the arm holds (read back from it) where torque is on, else the present position. (D,)"""

    def measured(self) -> tuple[float | None, ...]:
        """The newest position in command units, None for a joint that did not answer. (D,)"""

    def effort(self) -> tuple[float | None, ...]:
        """The newest efforts in each dimension's `effort_unit`, None where there is none. (D,)"""

    def write(self, goal: tuple[float, ...]) -> int:
        """Send a goal that the gate has passed; returns when it left, ns. CommandRefused where the arm can take none."""

    def condition(self) -> Condition:
        """How the arm is just now, as last read. What the host does about it:

        `ready`: follows; with a `why`, does not go on by itself after a stall. `hold`: holds until an operator engages (saying it once
        is enough). `stopped`: holds, and takes torque, goals and operators' engaging only after `act("recover")`, even if the driver
        says `ready` sooner. `guiding`: writes nothing; afterwards holds where the arm is. `off`: writes nothing until torque is on.
        """

    def torque(self, on: bool, free: tuple[str, ...] = ()) -> None:
        """On: goal := present position first, then torque (motors on, brakes released), then the arm's own watchdog. Off: it goes limp, or
        its brakes hold it.

        On with `free`: those dimensions go limp, the others have torque. Raises CommandRefused, with nothing changed,
        unless all of them are compliant: a joint that is let go of drops the arm.
        """

    def torque_on(self) -> bool:
        """Do motors hold any joint, as last read."""

    def act(self, name: str) -> Iterator[str]:
        """Do one of the acts that `describe()` names, step by step: the host takes one step after each `read()`, none of which takes a
        second, and what is yielded says what is being waited for. Over when the iterator ends; afterwards the host holds the arm
        where `goal()` says. Raises CommandRefused, from any step, with the reason why it could not be done and the next act.
        """


@runtime_checkable
class GentleArm(ArmDriver, Protocol):
    """An arm that can be driven so that one hand stops it, as its `describe()` says (`gentle`)."""

    def torque_gently(self, free: tuple[str, ...] = ()) -> None:
        """As `torque(True, free)`, with that little force, on joints that have torque already too. `torque(True)` ends it."""
