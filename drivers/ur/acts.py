"""What only an operator beside the arm may ask of it: ending a stop, motors on, the gripper's activation. Step by step, none waits.

The order is the dashboard's (Universal Robots, "Dashboard Server e-Series"); automatic resets of protective stops are against its terms.
"""

from collections.abc import Callable, Generator, Iterator

from drivers.ur import conditions
from drivers.ur.conditions import EMERGENCY, FAULT, PROTECTIVE, SAFEGUARD
from drivers.ur.dashboard import Dashboard, remote_control
from drivers.ur.robotiq import Robotiq
from drivers.ur.rtde import State
from station.bus.messages import Act
from station.clock import NS_PER_S, Clock
from station.errors import CommandRefused

RECOVER = Act(
    "recover",
    "what stopped it is unlocked, its motors get power and its brakes are released; it then holds where it is",
)
POWER_ON = Act(
    "power_on", "its motors get power and its brakes are released: it may sink a little; it then holds where it is"
)
ACTIVATE = Act("activate_gripper", "the gripper's fingers move to both ends")

_UNLOCK_NS, _POWER_NS, _FINGERS_NS, _AGAIN_NS = 12 * NS_PER_S, 20 * NS_PER_S, 10 * NS_PER_S, NS_PER_S
_BUTTON_NS = 3 * NS_PER_S
"""How long an emergency stop may take to be over once power was asked for."""


class Acts:
    """The acts of one arm."""

    def __init__(self, node: str, dashboard: Dashboard, state: Callable[[], State], clock: Clock) -> None:
        self._node, self._dashboard, self._state, self._clock = node, dashboard, state, clock

    def recover(self) -> Iterator[str]:
        """End whatever stop it is in. Raises CommandRefused where that cannot be done from here (yet)."""
        yield from self._in_remote_control()
        stop = conditions.stop_of(self._state())
        if stop == SAFEGUARD:
            raise self._refused("its safeguard is still open", "close it, reset it, ask again")
        if stop == PROTECTIVE:
            yield from self._unlock()
        elif stop == FAULT:
            yield from self._asked("close safety popup")
            yield from self._asked("restart safety")
            yield from self._until(
                lambda: not conditions.stop_of(self._state()), "the restart of its safety system", _POWER_NS
            )
        elif stop == EMERGENCY:
            yield from self._asked("close safety popup")
        if not conditions.powered(self._state()):
            yield from self.power_on()
        if left := conditions.stop_of(self._state()):
            raise self._refused(f"it is still in its {left} stop", "look at the pendant, ask again")

    def power_on(self) -> Iterator[str]:
        """Motors on, brakes released."""
        yield from self._in_remote_control()
        yield from self._asked("close popup")
        yield from self._asked("power on")
        on = (conditions.IDLE, conditions.RUNNING)
        pressed = "it is still in its emergency stop: a button is down"
        yield from self._until(
            lambda: conditions.stop_of(self._state()) != EMERGENCY, "the button", _BUTTON_NS, pressed
        )
        yield from self._until(lambda: self._state().robot_mode in on, "power", _POWER_NS, "it stays without power")
        yield from self._asked("brake release")
        yield from self._until(lambda: conditions.powered(self._state()), "its brakes", _POWER_NS, "its brakes stay on")

    def activate(self, gripper: Robotiq) -> Iterator[str]:
        """The fingers go to both ends."""
        if gripper.missing:
            raise self._refused(
                f"the gripper does not answer ({gripper.missing})", "look at its cable and its URCap, ask again"
            )
        gripper.activate()
        yield from self._until(lambda: gripper.begun, "the gripper's reset", _FINGERS_NS)
        yield from self._until(lambda: gripper.active, "the gripper's way to both ends", _FINGERS_NS, gripper.trouble)

    def _unlock(self) -> Iterator[str]:
        """The robot refuses for the first seconds of a stop: it is asked once a second until it agrees."""
        yield from self._asked("close safety popup")
        until_ns, answer = self._clock() + _UNLOCK_NS, ""
        while self._clock() < until_ns:
            answer = yield from self._asked("unlock protective stop")
            again_ns = self._clock() + _AGAIN_NS
            while self._clock() < again_ns:
                if not conditions.stop_of(self._state()):
                    return
                yield "the seconds that the robot asks for after a stop"
        raise self._refused(f"it refuses: {answer}", "look at the pendant, ask again")

    def _in_remote_control(self) -> Iterator[str]:
        """Only then does it do what it is told from here."""
        if remote_control((yield from self._asked("is in remote control"))) is False:
            raise self._refused("its pendant is in local control", "switch it to remote control, ask again")

    def _asked(self, line: str) -> Generator[str, None, str]:
        """What it answers, once it does."""
        asked = self._dashboard.ask(line)
        while asked.answer is None:
            yield f"the answer to `{line}`"
        if not asked.answer:
            raise self._refused(
                f"its dashboard server does not answer ({self._dashboard.missing})",
                "enable it on the pendant (Settings, Security, Services), or do it there",
            )
        return asked.answer

    def _until(self, true: Callable[[], bool], what: str, within_ns: int, otherwise: str = "") -> Iterator[str]:
        until_ns = self._clock() + within_ns
        while not true():
            if self._clock() > until_ns:
                raise self._refused(otherwise or f"waited in vain for {what}", "look at the pendant, ask again")
            yield what

    def _refused(self, why: str, do: str) -> CommandRefused:
        return CommandRefused(f"{self._node}: {why}. Next: {do}")
