"""What somebody who is asked which camera or arm this is sees meanwhile: its picture, and which joint of which arm moves in their hand.

Devices are only looked at and read (`station.rig.discovery`): nothing is written to an arm, and none gets torque.
"""

import math
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Generic, Protocol, TypeVar

from station.clock import NS_PER_S, Clock, monotonic_ns
from station.errors import StationError
from station.rig.discovery import Found, Joints, joints, pictures
from station.terminal.shown import shown

LOOK_NS = NS_PER_S // 5
"""Between two looks."""
AGAIN_NS = 5 * NS_PER_S
"""A device that failed is tried again then: its cable may be back."""
MOVED_RAD = math.radians(5)
"""Less is a hand that leans on the table, or a servo's last tick."""
T = TypeVar("T")


class Looker(Protocol):
    """Whoever shows what is seen: a job's `Speaker`."""

    def look(self, words: str, /, values: Mapping[str, float | str] | None = None, picture: bytes = b"") -> None:
        """Show this instead of the last one."""


class Stream(Generic[T]):
    """What a device gives one after the other; opened again a while after it failed."""

    def __init__(self, begin: Callable[[], Generator[T | None, None, None]], clock: Clock) -> None:
        self._begin, self._clock = begin, clock
        self._given: Generator[T | None, None, None] | None = None
        self._again_ns = 0
        self.why = ""
        """Why it gives nothing; "" while it does."""

    def next(self) -> T | None:
        """The next of it; None where there is none now."""
        if self._given is None:
            if self._clock() < self._again_ns:
                return None
            self._given = self._begin()
        try:
            found = next(self._given)
        except (StationError, OSError) as error:
            self._fail(shown(str(error)))
            return None
        except StopIteration:
            self._fail("it has ended")
            return None
        self.why = ""
        return found

    def _fail(self, why: str) -> None:
        self.why, self._given = why, None
        self._again_ns = self._clock() + AGAIN_NS

    def close(self) -> None:
        """Let go of the device."""
        if self._given is not None:
            self._given.close()
        self._given = None


class CameraSight:
    """The live picture of a camera. Call it many times a second, close it at the end."""

    def __init__(self, found: Found, looker: Looker, clock: Clock = monotonic_ns) -> None:
        self._looker, self._clock = looker, clock
        self._pictures = Stream(lambda: pictures(found), clock)
        self._due_ns = 0

    def __call__(self) -> None:
        """Take what came, so that what is shown is new; show it when it is due."""
        jpeg = self._pictures.next()
        why = self._pictures.why
        now_ns = self._clock()
        if now_ns < self._due_ns or not (jpeg or why):
            return
        self._due_ns = now_ns + LOOK_NS
        self._looker.look(f"no picture of it: {why}" if why else "what it sees now", picture=jpeg or b"")

    def close(self) -> None:
        """Let go of the camera."""
        self._pictures.close()


class Moves:
    """How far each joint of an arm has been from where it stood first. Pure."""

    def __init__(self) -> None:
        self.now: Joints = {}
        self._first: dict[str, float] = {}
        self._farthest: dict[str, float] = {}

    def take(self, reading: Joints) -> None:
        """One more reading, rad. A servo that goes on past its last tick begins at its first: no joint jumps by half a turn in a moment."""
        self.now = {**self.now, **reading}
        for joint, angle in reading.items():
            by = abs(math.remainder(angle - self._first.setdefault(joint, angle), math.tau))
            self._farthest[joint] = max(by, self._farthest.get(joint, 0.0))

    def forget(self) -> None:
        """From now on."""
        self._first, self._farthest = {}, {}

    @property
    def most(self) -> tuple[str, float]:
        """The joint that moved most, and how far, rad; ("", 0.0) before a reading."""
        return max(self._farthest.items(), key=lambda moved: moved[1], default=("", 0.0))


class ArmSights:
    """Where the joints of all the arms that were found stand, and which of them is in somebody's hand. Close it at the end."""

    def __init__(self, arms: Sequence[Found], looker: Looker, clock: Clock = monotonic_ns) -> None:
        self._looker, self._clock = looker, clock
        self._streams = {arm.port: Stream(lambda arm=arm: joints(arm), clock) for arm in arms}  # type: ignore[misc]
        self._moves = {arm.port: Moves() for arm in arms}
        self._due_ns = 0

    def of(self, arm: Found) -> Callable[[], None]:
        """For a question about this one, to be called many times a second: what moved before it counts no more."""
        for moves in self._moves.values():
            moves.forget()
        return lambda: self._look(arm.port)

    def _look(self, port: str) -> None:
        for each, stream in self._streams.items():
            reading = stream.next()
            if reading:
                self._moves[each].take(reading)
        now_ns = self._clock()
        if now_ns < self._due_ns:
            return
        self._due_ns = now_ns + LOOK_NS
        here = self._moves[port].now
        self._looker.look(self._words(port), {f"{joint}_deg": round(math.degrees(at), 1) for joint, at in here.items()})

    def _words(self, port: str) -> str:
        moved = {each: moves.most for each, moves in self._moves.items()}
        other = max(moved, key=lambda each: moved[each][1])
        joint, by = moved[other]
        if by >= MOVED_RAD:
            what = f"{joint}, {math.degrees(by):.0f}°"
            return f"this one moved: {what}" if other == port else f"not this one: {other} moved, its {what}"
        if self._streams[port].why:
            return f"its joints are not read: {self._streams[port].why}"
        return "nothing has moved yet: move an arm by hand to see which it is"

    def close(self) -> None:
        """Let go of the arms."""
        for stream in self._streams.values():
            stream.close()
