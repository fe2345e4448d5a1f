"""Whoever asks from a console's page, perhaps not beside the arms: needs control, and leave for what moves them. Pure."""

from collections.abc import Callable
from functools import partial

from station.bus.messages import Control, Motion
from station.bus.requests import (
    Allow,
    AskLeave,
    ControlRequest,
    Done,
    KeepControl,
    LeaveControl,
    Refused,
    SessionRequest,
    StillThere,
    TakeControl,
    Who,
)
from station.session.control_right import ControlRight
from station.session.effects import Asker
from station.session.motion_leave import MotionLeave, motion_of
from station.session.ports import Ports

Do = Callable[[SessionRequest, Asker, Who], None]


class Elsewhere:
    """Of one session. `do` is called with what was allowed, a count-down later."""

    def __init__(self, ports: Ports, do: Do) -> None:
        self._ports, self._do = ports, do
        self._control, self._leave = ControlRight(ports), MotionLeave(ports)
        self._holds = 0

    @property
    def told(self) -> tuple[Control, Motion | None]:
        """For every client."""
        return self._control.told, self._leave.told

    @property
    def motion(self) -> int:
        """The number of what is asked for from afar; 0: nothing is."""
        return self._leave.number

    def heard(self, who: Who) -> None:
        """Somebody asks for something."""
        self._control.heard(who)

    def control(self, request: ControlRequest, asker: Asker, who: Who) -> None:
        """A page asks about itself."""
        control, answer = self._control, partial(self._ports.answer, asker)
        match request:
            case TakeControl():
                control.take(who, asker)
            case LeaveControl():
                answer(control.leave(who))
            case KeepControl():
                answer(control.keep(who))
            case StillThere():
                answer(Done())
            case AskLeave():
                if why := control.refusal(request, who):
                    answer(Refused(why))
                elif who.at_rig:
                    answer(Done())
                else:
                    self._leave.ask(request.what, who, asker, partial(answer, Done()))

    def refusal(self, request: SessionRequest, who: Who) -> str:
        """Why a page may not ask for that; "" if it may, or is no page."""
        return self._control.refusal(request, who)

    def waits(self, request: SessionRequest, asker: Asker, who: Who, rollouts: bool) -> bool:
        """Does it have to be allowed first? Then `do` comes later, or `asker` hears why not."""
        what = "" if who.at_rig else motion_of(request, rollouts)
        if what:
            self._leave.ask(what, who, asker, partial(self._do, request, asker, who))
        return bool(what)

    def allow(self, request: Allow, asker: Asker, who: Who) -> None:
        """Somebody's word on what waits."""
        self._ports.answer(asker, self._leave.allow(request.yes, who))

    def held(self) -> None:
        """The arms were held: what waits does not happen."""
        self._leave.cancel("the arms were held meanwhile")

    def heard_pilot(self, holds: int) -> None:
        """How often the pilot has held so far in its life."""
        if holds > self._holds:
            self.held()
        self._holds = holds

    def time(self) -> None:
        """Wishes pass, and lapse."""
        self._control.time()
        self._leave.time()
