"""What would move arms, asked by somebody who is not beside them: allowed by somebody who is within 20 s, then counted down. Pure."""

import itertools
from collections.abc import Callable
from typing import NamedTuple

from station.bus.messages import Motion
from station.bus.requests import Align, Done, HandOver, OpenSession, Refused, Reply, SessionRequest, Start, Who
from station.bus.requests.time_outs import ALLOWED_S, COUNT_DOWN_S
from station.clock import NS_PER_S
from station.session.effects import Asker
from station.session.ports import Ports


class _Asked(NamedTuple):
    motion: Motion
    asker: Asker
    then: Callable[[], None]


class MotionLeave:
    """One wish at a time. `changed` for whoever shows it is the state itself (`told`)."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._numbers = itertools.count(1)
        self._asked: _Asked | None = None

    @property
    def told(self) -> Motion | None:
        """What is asked for, for every client."""
        return self._asked.motion if self._asked is not None else None

    @property
    def number(self) -> int:
        """Of what is asked for and not allowed yet; 0: nothing is."""
        return self._asked.motion.number if self._asked is not None else 0

    def ask(self, what: str, who: Who, asker: Asker, then: Callable[[], None]) -> None:
        """`then` is called once it is allowed and counted down; `asker` is answered only where it is not."""
        if self._asked is not None:
            why = f"{self._asked.motion.asked_by} asks for something that moves arms already. Next: wait a moment"
            self._ports.answer(asker, Refused(why))
            return
        until_ns = self._ports.now_ns + round(ALLOWED_S * NS_PER_S)
        self._asked = _Asked(Motion(next(self._numbers), str(who), what, until_ns), asker, then)

    def allow(self, yes: bool, who: Who) -> Reply:
        """Somebody's word on it."""
        asked = self._asked
        if asked is None:
            return Refused("nobody asks for anything that would move the arms")
        if not yes:
            self.cancel(f"{who} did not allow it")
            return Done()
        if not who.at_rig:
            return Refused(
                "only somebody at the rig can allow that: at its terminal, pedal, headset or a page paired there"
            )
        if asked.motion.moves_ns:
            return Done("it is allowed already")
        motion = asked.motion
        moves_ns = self._ports.now_ns + round(COUNT_DOWN_S * NS_PER_S)
        self._asked = asked._replace(
            motion=Motion(motion.number, motion.asked_by, motion.what, motion.until_ns, moves_ns)
        )
        return Done(motion.what)

    def cancel(self, why: str) -> None:
        """It does not happen."""
        asked, self._asked = self._asked, None
        if asked is not None:
            self._ports.answer(asked.asker, Refused(f"not done: {why}"))

    def time(self) -> None:
        """Nobody said yes in time, or the count-down is over."""
        asked, now_ns = self._asked, self._ports.now_ns
        if asked is None:
            return
        if asked.motion.moves_ns == 0 and now_ns >= asked.motion.until_ns:
            self.cancel(f"nobody at the rig allowed it within {ALLOWED_S:g} s")
        elif 0 < asked.motion.moves_ns <= now_ns:
            self._asked = None
            asked.then()


def motion_of(request: SessionRequest, rollouts: bool) -> str:
    """What arms do because of it, for whoever is to allow it; "" if they do nothing. `rollouts`: a policy's sitting is open."""
    if isinstance(request, OpenSession):
        return "" if request.source == "policy" else f"begin the sitting {request.task}: the arms align"
    if isinstance(request, Align):
        return "go on: the arms align again"
    if isinstance(request, HandOver):
        return "hand over between the policy and hands"
    if isinstance(request, Start) and rollouts:
        return "let the policy command the arms"
    return ""
