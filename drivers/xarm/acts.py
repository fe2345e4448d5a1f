"""What only an operator beside the arm may ask of it: ending a stop, motors on, the gripper set up. Step by step, none waits.

The order is UFACTORY's (xArm-Python-SDK, "error handling"): errors and warnings cleared, motors on. It is told to follow by whoever
engages.
"""

from collections.abc import Callable, Iterator

from drivers.xarm import codes
from drivers.xarm.desk import Desk
from drivers.xarm.reports import Status
from station.bus.messages import Act
from station.clock import NS_PER_S, Clock
from station.errors import CommandRefused

RECOVER = Act("recover", "its error is cleared and its motors get power, brakes released; it then holds where it is")
POWER_ON = Act(
    "power_on", "its motors get power and its brakes are released: it may sink a little; it then holds where it is"
)
ACTIVATE = Act(
    "activate_gripper",
    "the flange is set to the gripper's baud rate (it starts anew for that) and its error cleared; a Robotiq's fingers move to both ends",
)
_ANSWER_NS, _POWER_NS, _GRIPPER_NS = 7 * NS_PER_S, 5 * NS_PER_S, 10 * NS_PER_S
_STANDS_NS = 3 * NS_PER_S // 2
"""How long a report may take to say that an error is over."""


class Acts:
    """The acts of one arm."""

    def __init__(self, node: str, desk: Desk, status: Callable[[], Status], clock: Clock) -> None:
        self._node, self._desk, self._status, self._clock = node, desk, status, clock

    def recover(self) -> Iterator[str]:
        """End whatever stopped it. Raises CommandRefused where that cannot be done (yet)."""
        yield from self._asked("clean", "its error to be cleared")
        yield from self._cleared()
        if not self._status().enabled:
            yield from self.power_on()
            yield from self._cleared()

    def power_on(self) -> Iterator[str]:
        """Motors on, brakes released."""
        yield from self._cleared()
        yield from self._asked("enable", "power")
        yield from self._until(lambda: self._status().enabled, "its motors", _POWER_NS, "its motors stay off")

    def set_up_gripper(self) -> Iterator[str]:
        """The flange and the gripper."""
        yield from self._asked("set_up_gripper", "the gripper")
        yield from self._until(lambda: not self._desk.trouble, "the gripper", _GRIPPER_NS, self._desk.trouble)

    def _cleared(self) -> Iterator[str]:
        """Reports come five times a second: an error that stands is told again."""
        begun_ns, until_ns = self._clock(), self._clock() + _STANDS_NS
        while (code := self._status().error) or self._status().arrived_ns < begun_ns:
            if self._clock() > until_ns:
                why, what = codes.error(code) if code else ("its controller says nothing", "look at the network cable")
                raise self._refused(f"still: {why}", f"{what}, ask again")
            yield "its controller to say that the error is over"

    def _asked(self, what: str, waited_for: str) -> Iterator[str]:
        asked, until_ns = self._desk.ask(what), self._clock() + _ANSWER_NS
        while asked.why is None:
            if self._clock() > until_ns:
                raise self._refused("its controller does not answer", "look at the network cable, ask again")
            self._desk.hear()
            yield waited_for
        if asked.why:
            raise self._refused(asked.why, "look at UFACTORY Studio, ask again")

    def _until(self, true: Callable[[], bool], what: str, within_ns: int, otherwise: str) -> Iterator[str]:
        until_ns = self._clock() + within_ns
        while not true():
            if self._clock() > until_ns:
                raise self._refused(otherwise or f"waited in vain for {what}", "look at UFACTORY Studio, ask again")
            yield what

    def _refused(self, why: str, do: str) -> CommandRefused:
        return CommandRefused(f"{self._node}: {why}. Next: {do}")
