"""The arms as the session sees them: aligned with their source, held on purpose, held because something is wrong. Pure."""

from collections.abc import Callable

from station.bus.messages import PilotState, SourceName
from station.bus.pending import Outcome, as_reply
from station.bus.requests import Done, Engage, HandOver, Hold, KeepHold, LeadersAlong, Opening, Refused
from station.session.effects import Asker
from station.session.led_along import LedAlong, Told
from station.session.phases import GOES_ON, PhaseEvent
from station.session.ports import Ports
from station.session.rollouts import Rollouts, taker
from station.session.situation import Situation

PAUSED = "paused by the operator"


class Engagement:
    """Who commands is the pilot's; what that means for the sitting is decided here."""

    def __init__(self, sitting: Situation, ports: Ports) -> None:
        self._sitting, self._ports = sitting, ports
        self.rollouts = Rollouts(sitting, ports)
        self._led_along = LedAlong(sitting, ports)
        self.paused = False
        """Does the operator hold the arms on purpose?"""
        self.holds = 0
        """How often the arms were held: a later hold is another one."""
        self._hold_asked = False
        """Did this session ask for the hold that is to come?"""
        self._pilot: PilotState | None = None
        self._aligning: object = None
        """The alignment that the phase `opening` waits for."""

    @property
    def pilot_state(self) -> str:
        """As last heard; "" if never."""
        return self._pilot.state if self._pilot is not None else ""

    @property
    def leaders(self) -> Told:
        """Those of a policy's sitting."""
        return self._led_along.told(self._pilot)

    def lead_along(self, request: LeadersAlong, asker: Asker) -> None:
        """Whether leaders go along while a policy commands."""
        self._led_along.ask(request, asker, self._pilot)

    def begin_rollouts(self) -> None:
        """A policy's sitting begins."""
        self.rollouts.opened()
        if self._sitting.rollouts:
            self._led_along.opened(self._pilot)

    def heard(self, state: PilotState, restarted: bool) -> None:
        """The pilot spoke: a hold stops the sitting until somebody acts. Another life commands nothing until an operator says so."""
        self._pilot = state
        if self._sitting.rollouts:  # between two of them the arms hold as it is; one that goes on, the recorder ends
            return
        if restarted and self._sitting.phase in ("ready", "reset"):
            self.hold("the pilot was restarted")
        if state.state == "hold" and self._sitting.phase in ("ready", "reset"):
            self.hold(state.why, paused=self.pauses(state))

    def pauses(self, state: PilotState) -> bool:
        """Is that hold the one which this session asked for?"""
        return self._hold_asked and state.asked

    def after_a_take(self) -> None:
        """No recording any more: does anybody command?"""
        self.paused = False
        sitting, pilot = self._sitting, self._pilot
        if sitting.rollouts:
            self.rollouts.end(pilot)
        elif pilot is not None and pilot.state in ("hold", "idle"):
            self.hold(sitting.why or pilot.why, paused=not sitting.why and self.pauses(pilot))

    def hold(self, why: str, paused: bool = False) -> None:
        """The phase `hold`, until somebody aligns again."""
        self._sitting.go("hold")
        self._sitting.why, self._sitting.reset_ends_ns = why, 0
        self.paused, self._hold_asked = paused, False
        self.holds += 1

    def align(self, asker: Asker, otherwise: PhaseEvent, fresh: bool = False) -> None:
        """Align the followers with the source; `otherwise`: what follows if they cannot be."""
        sitting = self._sitting
        sitting.why, self.paused, self._hold_asked = "", False, False
        self._aligning = aligning = object()

        def then(outcome: Outcome) -> None:
            if self._aligning is aligning:
                self._aligning = None
                sitting.go("aligned" if isinstance(outcome, Done) else otherwise)
                sitting.told(as_reply(outcome))
            self._ports.answer(asker, as_reply(outcome))

        opened = sitting.opened
        stiff = self._pilot is not None and self._pilot.stiff
        if opened.opening is not False and opened.source == "leader" and (fresh or stiff):
            self._ports.pilot(Opening(opened.opening is True), then)
        else:
            self._ports.pilot(Engage(opened.source), then)

    def forget(self) -> None:
        """The sitting is being closed: no alignment changes its phase any more."""
        self._aligning = None
        self.rollouts.forget()

    def pause(self, asker: Asker, recording: object, still: Callable[[], object]) -> None:
        """Hold the arms on purpose. `recording`: the take that goes on, None between two; `still` says which one later."""
        phase = self._sitting.phase
        self._hold_asked = True

        def held(outcome: Outcome) -> None:
            if isinstance(outcome, Done) and still() is recording and self._sitting.phase == phase:
                self.paused = recording is not None or not self._sitting.rollouts
                self.holds += phase in GOES_ON
            self._ports.answer(asker, as_reply(outcome))

        if phase == "recording":
            self._ports.sync(KeepHold(True), lambda _: self._ports.pilot(Hold(PAUSED), held))
        else:
            self._ports.pilot(Hold(PAUSED), held)

    def go_on(self, asker: Asker, recording: object, still: Callable[[], object]) -> None:
        """After a pause within an episode."""
        if not self.paused:
            self._ports.answer(asker, Refused(f"Align makes no sense while {self._sitting.phase} without a pause"))
            return

        self._command(self._sitting.opened.source, asker, recording, still)

    def hand_over(self, request: HandOver, asker: Asker, recording: object, still: Callable[[], object]) -> None:
        """Between a policy and hands, while it is recorded or between two rollouts."""
        sitting = self._sitting
        to = taker(request.to, self._pilot, "leader" if sitting.rig.leaders else "vr")
        if not sitting.rollouts:
            why = "no policy runs in this sitting that something could be taken from. Next: `station run`"
            self._ports.answer(asker, Refused(why))
        elif to == "policy" and sitting.phase not in GOES_ON:
            self._ports.answer(asker, Refused("the policy commands from the next episode on. Next: start it"))
        else:
            self._command(to, asker, recording, still, request.held)

    def _command(
        self, source: SourceName, asker: Asker, recording: object, still: Callable[[], object], held: bool = False
    ) -> None:  # fmt: skip
        """Have a source command, within an episode or between two of a policy's; a pause is over then."""

        def engaged(outcome: Outcome) -> None:
            if still() is not recording or not isinstance(outcome, Done) or not self.paused:
                self._ports.answer(asker, as_reply(outcome))
                return
            self.paused = self._hold_asked = False
            if not self._sitting.kept:
                self._ports.answer(asker, as_reply(outcome))
                return
            self._ports.sync(KeepHold(False), lambda kept: self._ports.answer(asker, as_reply(kept)))

        self._ports.pilot(Engage(source, held), engaged)
