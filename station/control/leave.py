"""Letting go of an arm, and its driver's acts. Pure, given the time: what may do it, and how the arm's host is told that it may.

An arm's torque goes off on an operator's act alone: `park --release` asked twice, or a leader that is in the operator's hand. The
host takes `TorqueOff` only with the number of a leave that it was given just before, for this one time. An act (`recover` and what else
its driver has) is asked for by an operator beside the arm, and needs its own leave in the same way.
"""

import secrets
from collections.abc import Callable, Iterable

from station.bus.requests import ActLeave, ArmRequest, Perform, Refused, Reply, TorqueLeave, TorqueOff, Why
from station.clock import NS_PER_S
from station.control.arms import Answer, Ports

CONFIRM_NS = 120 * NS_PER_S
"""How long an operator may think between the first and the second time."""


def _drawn() -> str:
    return secrets.token_hex(16)


def let_go(arm: str, why: Why, ports: Ports, then: Answer, drawn: Callable[[], str] = _drawn) -> None:
    """Take one arm's torque off, with leave. `then` gets the host's answer."""
    number = drawn()
    _with_leave(arm, TorqueLeave(number, why), TorqueOff(number), ports, then)


def perform(arm: str, act: str, ports: Ports, then: Answer, drawn: Callable[[], str] = _drawn) -> None:
    """Have one arm do one of its driver's acts, with leave. `then` gets the host's answer when it is over."""
    number = drawn()
    _with_leave(arm, ActLeave(number, act), Perform(act, number), ports, then)


def _with_leave(arm: str, leave: ArmRequest, request: ArmRequest, ports: Ports, then: Answer) -> None:
    def may(reply: Reply) -> None:
        if isinstance(reply, Refused):
            then(reply)
        else:
            ports.ask(arm, request, then)

    ports.ask(arm, leave, may)


class Confirmations:
    """`park --release` is done the second time it is asked, with what the first answer gave."""

    def __init__(self, drawn: Callable[[], str] = _drawn) -> None:
        self._drawn = drawn
        self._given: dict[str, tuple[frozenset[str], int]] = {}

    def give(self, arms: Iterable[str], now_ns: int) -> str:
        """A confirmation for these arms, good once, for two minutes."""
        self._given = {token: given for token, given in self._given.items() if given[1] > now_ns}
        token = self._drawn()
        self._given[token] = frozenset(arms), now_ns + CONFIRM_NS
        return token

    def take(self, token: str, arms: Iterable[str], now_ns: int) -> str:
        """Use it up. Returns why it is none for these arms; "" if it is."""
        confirmed, until_ns = self._given.pop(token, (frozenset[str](), 0))
        if not confirmed or now_ns > until_ns:
            return (
                "that is no confirmation, or one that was used or is older than 2 minutes: no arm is let go of. "
                "Next: ask for the release anew, and then once more with what the answer gives"
            )
        if others := sorted(set(arms) - confirmed):
            return (
                f"the confirmation was for {', '.join(sorted(confirmed))}, not for {', '.join(others)}: no arm is let go of. "
                "Next: ask for the release of each arm anew"
            )
        return ""
