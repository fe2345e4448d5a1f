"""What only an operator beside the arm may ask of it: ending a stop, the hand's homing. Step by step, none waits.

Brakes and FCI are Desk's, which wants a person's password: no act of the station unlocks a joint.
"""

from collections.abc import Callable, Iterator

from drivers.franka import errors, states
from drivers.franka.states import State
from station.bus.messages import Act
from station.clock import NS_PER_S, Clock
from station.devices.networked.beside import Asked
from station.errors import CommandRefused

RECOVER = Act("recover", "its errors are cleared; it then holds where it is")
ACTIVATE = Act("activate_gripper", "the hand's fingers open and close to both ends")
_ANSWER_NS, _STANDS_NS = 12 * NS_PER_S, 2 * NS_PER_S
_HOMING_NS = 12 * NS_PER_S
Ask = Callable[[str], Asked]
"""Has something done."""


class Acts:
    """The acts of one arm."""

    def __init__(self, node: str, arm: Ask, hand: Ask, state: Callable[[], State], clock: Clock) -> None:
        self._node, self._arm, self._hand, self._state, self._clock = node, arm, hand, state, clock

    def recover(self) -> Iterator[str]:
        """End whatever stopped it. Raises CommandRefused where that cannot be done (yet)."""
        if self._state().mode == states.USER_STOPPED:
            raise self._refused("its stop is still pressed", "when all is clear release it, ask again")
        if self._state().errors or self._state().mode in (states.REFLEX, states.RECOVERING):
            yield from self._asked(
                self._arm("recover"), "its errors to be cleared", _ANSWER_NS, "look at Desk, ask again"
            )
        yield from self._cleared()

    def set_up_gripper(self) -> Iterator[str]:
        """The hand finds its ends."""
        yield from self._asked(
            self._hand("home"), "the hand's way to both ends", _HOMING_NS, "look what is between its fingers, ask again"
        )

    def _cleared(self) -> Iterator[str]:
        until_ns = self._clock() + _STANDS_NS
        while self._state().errors or self._state().mode in (states.REFLEX, states.RECOVERING):
            if self._clock() > until_ns:
                why, what = errors.told(self._state().errors)
                raise self._refused(f"still: {why or 'its reflex'}", f"{what or 'look at Desk'}, ask again")
            yield "the robot to say that it is over"

    def _asked(self, asked: Asked, waited_for: str, within_ns: int, do: str) -> Iterator[str]:
        until_ns = self._clock() + within_ns
        while asked.why is None:
            if self._clock() > until_ns:
                raise self._refused(f"waited in vain for {waited_for}", do)
            yield waited_for
        if asked.why:
            raise self._refused(asked.why, do)

    def _refused(self, why: str, do: str) -> CommandRefused:
        return CommandRefused(f"{self._node}: {why}. Next: {do}")
