"""Readings of the robot, as the process with the library in it (`vendor_process`) tells them, one message each. Pure.

The library is the robot's only client: whoever commands an FR3 reads it as well. `T` and a reading; `N` what it is, once; `D`, a number
and why, when something that was asked is done.
"""

import json
import math
import struct
from collections.abc import Iterator
from typing import NamedTuple

from station.clock import NS_PER_MS
from station.devices.networked.reader import Broken

OTHER, IDLE, MOVE, GUIDING, REFLEX, USER_STOPPED, RECOVERING = range(7)
"""`franka::RobotMode`."""
JOINTS = 7
_PACKED = struct.Struct("<QQ7d7d7dBQdd")
STATE, NOTE, DONE = b"T", b"N", b"D"


class State(NamedTuple):
    """One reading. (7,) each."""

    arrived_ns: int
    clock_ms: int
    """The robot's own, in whole milliseconds."""
    position_rad: tuple[float, ...]
    velocity_rad_s: tuple[float, ...]
    torque_nm: tuple[float, ...]
    """Measured in its joints, gravity's part among it."""
    mode: int
    errors: int
    """A bit each, in the order of `errors.NAMES`."""
    heard: float
    """Which share of the commands of the last tenth of a second came in time; 0 while it is not commanded."""
    payload_kg: float
    """What Desk and the station said of hand and load."""
    clocked: bool = True
    """Is its clock one?"""

    @property
    def device_ns(self) -> int | None:
        """When it was taken, by the robot's clock."""
        return self.clock_ms * NS_PER_MS if self.clocked else None

    @property
    def effort(self) -> tuple[float, ...]:
        """The joints' torques, N·m."""
        return self.torque_nm


def packed(state: State) -> bytes:
    """As it goes over the socket."""
    numbers = (*state.position_rad, *state.velocity_rad_s, *state.torque_nm)
    rest = (state.mode, state.errors, state.heard, state.payload_kg)
    return STATE + _PACKED.pack(state.arrived_ns, state.clock_ms, *numbers, *rest)


class Note(NamedTuple):
    """What the process found when it had connected, or why it could not."""

    why: str = ""
    server: int = 0
    """The version of the robot's server."""
    real_time: str = ""
    """Why commands do not leave in real time; "" where they do."""
    library: str = ""
    """franky's version."""


def noted(note: Note) -> bytes:
    """As it goes over the socket."""
    return NOTE + json.dumps(note._asdict()).encode()


def done(number: int, why: str) -> bytes:
    """What was asked under that number is done, or why not."""
    return DONE + struct.pack("<I", number) + why.encode()[:500]


class Told:
    """Messages → readings; notes and answers are kept aside."""

    def __init__(self) -> None:
        self.note: Note | None = None
        """None while it has not connected."""
        self.answers: dict[int, str] = {}
        self.clocked = True

    def take(self, got: bytes, _: int) -> Iterator[State]:
        """Raises Broken for a number that is none, and for a robot that could not be connected to."""
        if got[:1] == NOTE:
            self.note = Note(**json.loads(got[1:]))
            if self.note.why:
                raise Broken(self.note.why)
        elif got[:1] == DONE:
            (number,) = struct.unpack_from("<I", got, 1)
            self.answers[number] = got[5:].decode(errors="replace")
        elif got[:1] == STATE:
            yield self._state(got)

    def _state(self, got: bytes) -> State:
        arrived_ns, clock_ms, *numbers, mode, errors, heard, payload_kg = _PACKED.unpack_from(got, 1)
        if not all(map(math.isfinite, numbers)):
            raise Broken("a number that is none")
        q, dq, torque = (tuple(numbers[JOINTS * block : JOINTS * (block + 1)]) for block in range(3))
        return State(arrived_ns, clock_ms, q, dq, torque, mode, errors, heard, payload_kg, self.clocked)


def runs_true(states: "list[State]", within: float = 0.02) -> bool:
    """Does the robot's clock go as fast as ours, as far as some readings can say? One that does not stamps nothing."""
    if len(states) < 2:
        return True
    ours_ns, its_ns = (
        states[-1].arrived_ns - states[0].arrived_ns,
        (states[-1].clock_ms - states[0].clock_ms) * NS_PER_MS,
    )
    return abs(its_ns - ours_ns) <= within * ours_ns + 5 * NS_PER_MS
