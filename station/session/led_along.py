"""The leaders in a policy's sitting: whether they go along is asked once, and what it takes to take over with them. Pure."""

from typing import Literal, NamedTuple

from station.bus.messages import PilotState
from station.bus.pending import Outcome, Then, as_reply
from station.bus.requests import Done, DriveLeaders, LeadersAlong, Refused
from station.session.effects import Asker
from station.session.ports import Ports
from station.session.situation import Situation


class Told(NamedTuple):
    """As `SessionState` has it."""

    leaders: Literal["", "ask", "on", "off"] = ""
    stiff: bool = False
    to_fit: str = ""


class LedAlong:
    """Of one sitting after another."""

    def __init__(self, sitting: Situation, ports: Ports) -> None:
        self._sitting, self._ports = sitting, ports
        self._answered = False
        """Has somebody said in this sitting whether they do?"""

    def opened(self, pilot: PilotState | None) -> None:
        """A policy's sitting begins: what was said in the last one does not count."""
        self._answered = False
        wanted = self._setting == "on"
        if pilot is not None and pilot.drivable and pilot.along != wanted:
            self._drive(wanted, lambda _: None)

    def ask(self, request: LeadersAlong, asker: Asker, pilot: PilotState | None) -> None:
        """They do from now on, or do not."""
        if self.told(pilot).leaders == "":
            why = "no leader of this rig goes along while a policy commands (`teleop.driven_leaders` in the rig file)"
            self._ports.answer(asker, Refused(f"{why}. Next: bring them to their followers by hand, then take over"))
            return
        along = request.along if request.along is not None else not (pilot is not None and pilot.along)

        def then(outcome: Outcome) -> None:
            self._answered = self._answered or isinstance(outcome, Done)
            self._ports.answer(asker, as_reply(outcome))

        self._drive(along, then)

    def told(self, pilot: PilotState | None) -> Told:
        """What clients show."""
        if pilot is None or not self._sitting.rollouts or self._sitting.phase == "ended":
            return Told()
        leaders: Literal["", "ask", "on", "off"] = ""
        if pilot.drivable and self._setting != "off":
            asks = self._setting == "ask" and not self._answered
            leaders = "on" if pilot.along else "ask" if asks else "off"
        return Told(leaders, bool(pilot.stiff), pilot.to_fit)

    @property
    def _setting(self) -> Literal["ask", "on", "off"]:
        return self._sitting.rig.teleop.driven_leaders

    def _drive(self, along: bool, then: Then) -> None:
        self._ports.pilot(DriveLeaders(along), then)
