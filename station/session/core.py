"""The state machine of a sitting. Pure: events with the time in, effects out; the phases are a table (`station.session.phases`).

Every button, wherever it is, is one of `SessionRequest`. A request is answered when it is done, or refused with the reason.
Every question to a neighbour has an owner: the `Take` of the episode, or the alignment that the phase waits for; an answer that is
late changes nothing but that. A recording that goes on without anybody here wanting it is ended, and saved.
Defects are counted and told, and the episode is kept.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from station.borders.bounds import LARGEST_NUMBER
from station.bus.actions import allowed, offered
from station.bus.messages import Ending, EndReason, Phase, PilotState, RecorderState, SessionState
from station.bus.pending import Outcome
from station.bus.requests import (
    Align,
    Allow,
    CloseSession,
    ControlRequest,
    Discard,
    Disengage,
    Done,
    HandOver,
    Label,
    LeadersAlong,
    Note,
    OpenSession,
    Pause,
    Refused,
    Reply,
    SessionRequest,
    SetMark,
    Start,
    Stop,
    Undo,
    Who,
)
from station.clock import NS_PER_S
from station.rig.rig import Rig
from station.runtime.sitting import Sitting
from station.session import check_gate
from station.session.asked import absurd_length, impossible
from station.session.check_gate import CheckStanding
from station.session.disk_budget import DiskBudget
from station.session.effects import Asker, Effect, Neighbour
from station.session.elsewhere import Elsewhere
from station.session.engagement import Engagement
from station.session.overtaken import Overtaken, Seen
from station.session.phases import GOES_ON
from station.session.ports import Disk, Ports
from station.session.situation import Situation
from station.session.takes import Takes


class SessionCore:
    """One sitting after another at one rig. Every event returns what is to be done now, in this order."""

    def __init__(self, rig: Rig, disk: Disk, left: Sitting | None = None, sequence: int = 0) -> None:
        """`left`: the sitting of a life of this node that was killed; it is taken up once pilot and recorder were heard. `sequence`:
        where that of the states begins; higher than any of a life before.
        """
        self._disk, self._left = disk, left
        self._ports = Ports(disk)
        self._now = Situation(rig)
        self._arms = Engagement(self._now, self._ports)
        self._takes = Takes(self._now, self._ports, self._arms, self._settled)
        self._overtaken = Overtaken(sequence)
        self._elsewhere = Elsewhere(self._ports, self._allowed)
        self._recorder: RecorderState | None = None
        self._disk_budget: DiskBudget | None = None
        self._check: CheckStanding | None = None
        self._disk_due_ns = self._check_due_ns = 0
        self._closing: Asker | None = None
        self._leaving = self._disengaged = False

    # -- events --

    def request(
        self, request: SessionRequest | ControlRequest, asker: Asker, now_ns: int, who: Who
    ) -> Sequence[Effect]:
        """A button was pressed somewhere, by `who`."""
        self._ports.now_ns = now_ns
        self._elsewhere.heard(who)
        self._look()
        if isinstance(request, ControlRequest):
            self._elsewhere.control(request, asker, who)
        elif why := self._elsewhere.refusal(request, who) or self._refused(request, who):
            self._ports.answer(asker, Refused(why))
        elif isinstance(request, OpenSession) and (refused := self._gate(request, who)):
            self._ports.answer(asker, refused)  # before anybody is asked to allow it
        elif not self._elsewhere.waits(request, asker, who, self._now.rollouts):
            self._do(request, asker, who)
        return self._ports.done()

    def answered(self, node: Neighbour, number: int, outcome: Outcome, now_ns: int) -> Sequence[Effect]:
        """What came of a question to a neighbour."""
        self._ports.now_ns = now_ns
        self._ports.answered(node, number, outcome)
        return self._ports.done()

    def built(self, number: int, path: Path | None, error: str, now_ns: int) -> Sequence[Effect]:
        """An HDF5 is there, or will not be."""
        self._ports.now_ns = now_ns
        self._ports.built(number, path, error)
        return self._ports.done()

    def heard_pilot(self, state: PilotState, life: int, now_ns: int) -> Sequence[Effect]:
        """The pilot spoke."""
        self._ports.now_ns = now_ns
        self._elsewhere.heard_pilot(state.holds)
        self._arms.heard(state, self._ports.heard("pilot", life))
        self._takes.heard_pilot(state)
        return self._ports.done()

    def heard_runner(self, life: int, now_ns: int) -> Sequence[Effect]:
        """The policy's runner spoke."""
        self._ports.now_ns = now_ns
        self._ports.heard("policy", life)
        self._arms.rollouts.heard(life)
        return self._ports.done()

    def heard_recorder(self, state: RecorderState, life: int, now_ns: int) -> Sequence[Effect]:
        """The synchronizer spoke."""
        self._ports.now_ns = now_ns
        if self._ports.heard("synchronizer", life):
            self._takes.recorder_lost()
        if self._left is not None and self._arms.pilot_state:
            left, self._left = self._left, None
            self._takes.take_up(left, state)
        if self.knows:
            self._recorder = state
            self._takes.heard(state)
        return self._ports.done()

    def time(self, now_ns: int) -> Sequence[Effect]:
        """Look at the disk and at the check once a second, and end a timed reset: the next episode starts, as long as the one before."""
        self._ports.now_ns = now_ns
        self._ports.time()
        self._elsewhere.time()
        self._takes.time()
        sitting = self._now
        if now_ns >= self._check_due_ns:
            self._check_due_ns = now_ns + NS_PER_S
            self._check = self._disk.check()
        if now_ns >= self._disk_due_ns and sitting.kept and sitting.phase != "ended":
            self._disk_due_ns = now_ns + NS_PER_S
            self._look_at_the_disk()
        self._takes.stager.time()
        timed = sitting.opened.reset == "timed" and self._takes.repeats and not self._takes.enough
        if sitting.phase == "reset" and timed:
            if sitting.reset_ends_ns == 0:
                sitting.reset_ends_ns = now_ns + int(sitting.opened.reset_s * NS_PER_S)
            elif now_ns >= sitting.reset_ends_ns:
                if not sitting.rollouts:  # a policy's begins with its ramp, from the reset
                    sitting.go("reset over")
                self._start(Start(self._takes.seconds), sitting.told)
        return self._ports.done()

    # -- what is seen --

    @property
    def phase(self) -> Phase:
        """Where the sitting is."""
        return self._now.phase

    @property
    def knows(self) -> bool:
        """False while the sitting of a life before is still to be taken up: nothing true can be said of it yet."""
        return self._left is None

    def state(self) -> SessionState:
        """What every client shows."""
        self._look()
        sitting, finished, recorder = self._now, self._takes.finished, self._recorder
        control, motion = self._elsewhere.told
        leaders = self._arms.leaders
        state = SessionState(
            phase=sitting.phase, task=sitting.opened.task, operator=sitting.opened.operator, episode=sitting.number,
            recorded_ticks=sitting.recorded, saved=len(finished.saved), discarded=finished.discarded, ended_early=sitting.early,
            actions=(), paused=self._arms.paused,
            disk_left_s=min(self._disk_budget.left_s, LARGEST_NUMBER) if self._disk_budget is not None else 0.0,
            reset_ends_ns=sitting.reset_ends_ns, finalising=finished.building, saved_path=finished.path, why=sitting.why,
            newest=-1 if finished.newest is None else finished.newest, wanted=sitting.opened.episodes,
            stalls=recorder.stalls if recorder is not None else 0,
            stalled_rows=recorder.stalled_rows if recorder is not None else 0, sequence=self._overtaken.sequence,
            control=control, motion=motion, leaders=leaders.leaders, ended_by=sitting.ended_by,
            drift=sitting.drift, stiff=leaders.stiff, to_fit=leaders.to_fit,
            source=sitting.opened.source, kept=sitting.kept, check_due=self._check.due if self._check is not None else "",
            staging=self._takes.stager.told,
            marks=self._takes.marks.names, marked=self._takes.marks.count, mark=self._takes.marks.last,
        )  # fmt: skip
        if self._closing is not None:
            return state
        return msgspec.structs.replace(state, actions=tuple(action.name for action in offered(state)))

    def sitting(self) -> Sitting | None:
        """What the next life of this node must know, None while there is no sitting."""
        sitting, finished = self._now, self._takes.finished
        if sitting.phase == "ended":
            return None
        return Sitting(sitting.opened, sitting.number, tuple(finished.saved), finished.to_come, finished.discarded,
                       sitting.early, self._takes.seconds, sitting.check_result, finished.judged)  # fmt: skip

    def _look(self) -> None:
        """What buttons are about, for who presses one on this state or an earlier one."""
        finished = self._takes.finished
        saved = finished.saved[-1] if finished.saved else None
        self._overtaken.now(Seen(self._now.number, finished.newest, saved, self._arms.holds, self._elsewhere.motion))

    # -- requests --

    def _allowed(self, request: SessionRequest, asker: Asker, who: Who) -> None:
        """What was asked from afar, a count-down later: it may make no sense any more."""
        self._look()
        if why := self._refused(request, who):
            self._ports.answer(asker, Refused(why))
        else:
            self._do(request, asker, who)

    def _refused(self, request: SessionRequest, who: Who) -> str:
        return self._refusal(request) or self._overtaken.why(request, who.seen)

    def _refusal(self, request: SessionRequest) -> str:
        """Why that cannot be asked now; "" if it can."""
        phase = self._now.phase
        if why := impossible(request):
            return why
        if not self.knows:
            return "the session was restarted and takes up its sitting. Next: ask again in a moment"
        if self._closing is not None:
            return "the sitting is being closed. Next: wait until it is"
        if isinstance(request, allowed(phase)):
            return ""
        sensible = ", ".join(button.__name__ for button in allowed(phase) if button is not Allow) or "wait"
        return f"{type(request).__name__} makes no sense while {phase}. Next: {sensible}"

    def _do(self, request: SessionRequest, asker: Asker, who: Who) -> None:
        match request:
            case OpenSession():
                self._open(request, asker, who)
            case Start():
                self._start(request, lambda reply: self._ports.answer(asker, reply))
            case Stop() | Discard() | SetMark():
                self._of_the_take(request, asker)
            case Pause():
                self._elsewhere.held()
                self._arms.pause(asker, self._takes.current, lambda: self._takes.current)
            case Align():
                self._align(asker)
            case HandOver():
                self._arms.hand_over(request, asker, self._takes.current, lambda: self._takes.current)
            case LeadersAlong():
                self._arms.lead_along(request, asker)
            case CloseSession():
                self._close(asker)
            case Allow():
                self._elsewhere.allow(request, asker, who)
            case _:
                reply = self._finished(request, who)
                self._takes.stager.look()
                self._ports.answer(asker, reply)

    def _of_the_take(self, request: Stop | Discard | SetMark, asker: Asker) -> None:
        if isinstance(request, SetMark):
            self._takes.mark(request.name, asker)
        else:
            self._takes.stop(request, asker)

    def _finished(self, request: Label | Note | Undo, who: Who) -> Reply:
        finished = self._takes.finished
        if isinstance(request, Label):
            return finished.label(request.success)
        if isinstance(request, Note):
            return finished.note(self._noted(who), request.text)
        return finished.undo()

    def _noted(self, who: Who) -> int | None:
        """The episode that a note is for: the one that was recorded when it was begun, if it is there."""
        seen = self._overtaken.episode(who.seen)
        current = self._now.number if self.phase == "recording" else self._takes.finished.newest
        return seen if seen is not None and self._takes.finished.knows(seen) else current

    def _gate(self, request: OpenSession, who: Who) -> Refused | None:
        self._check = self._disk.check()
        return check_gate.refusal(self._check, request, who, self._now.rig)

    def _open(self, request: OpenSession, asker: Asker, who: Who) -> None:
        sitting, folder = self._now, self._now.folder_of(request)
        if refused := self._gate(request, who):
            self._ports.answer(asker, refused)
            return
        number = self._first_number(request, folder)
        if isinstance(number, Refused):
            self._ports.answer(asker, number)
            return
        sitting.opened, sitting.folder = request, folder
        assert self._check is not None
        sitting.check_result = check_gate.told(self._check, request, who)
        sitting.drift = self._disk.drift(folder) if request.kept else ""
        self._takes.open(number)
        sitting.go("open")
        self._arms.begin_rollouts()
        if sitting.rollouts:
            sitting.why, self._arms.paused = "", False
            sitting.go("reset wanted")  # nothing moves before the first episode
            self._ports.answer(asker, Done())
        else:
            self._arms.align(asker, "not opened", fresh=True)

    def _first_number(self, request: OpenSession, folder: Path) -> int | Refused:
        """Of the sitting's first episode; its folder is there then. What is not recorded needs none, and counts from 0."""
        if not request.kept:
            unguided = "only a policy's rollouts go unrecorded. Next: `station teleop` moves the arms without recording"
            return 0 if request.source == "policy" else Refused(unguided)
        if why := self._disk.another_rigs(folder):
            return Refused(why)
        try:
            return self._disk.prepare(folder)
        except OSError as error:
            return Refused(f"{folder} cannot be written: {error}. Next: name another folder with --data")

    def _align(self, asker: Asker) -> None:
        if self.phase in GOES_ON:
            self._arms.go_on(asker, self._takes.current, lambda: self._takes.current)
        else:
            self._now.go("align")
            self._arms.align(asker, "not aligned")

    def _start(self, request: Start, answer: Callable[[Reply], None]) -> None:
        self._takes.repeats, self._now.reset_ends_ns = False, 0
        refuses = absurd_length(request.seconds, self._now.rig.tick_hz)
        if self._now.kept:
            self._look_at_the_disk()
            refuses = refuses or (self._now.why if self._disk_budget is None else self._disk_budget.refuses)
        if refuses:
            answer(Refused(refuses))
        elif self._now.rollouts:
            self._arms.rollouts.begin(lambda: self._takes.start(request, answer), answer)
        else:
            self._takes.start(request, answer)

    def _look_at_the_disk(self) -> None:
        sitting, recorder = self._now, self._recorder
        try:
            self._disk_budget = self._disk.disk_budget(
                sitting.folder, recorder.bytes_per_s if recorder is not None else 0.0
            )
        except OSError as error:
            self._disk_budget = None
            sitting.why = why = (
                f"{sitting.folder} is gone: {error.strerror}. Next: bring the disk back, then `station episodes recover`; "
                "or name another folder with --data"
            )
        else:
            why = self._disk_budget.ends(recorder.journal_bytes) if recorder is not None else ""
        if why and sitting.phase == "recording":
            self._takes.end_early(Ending(EndReason.DISK_FULL, why))

    # -- the end --

    def _close(self, asker: Asker) -> None:
        self._closing, self._leaving, self._disengaged = asker, False, False
        take = self._takes.current
        if take is None:
            self._leave()
        else:
            self._now.go("close")
            take.end(Ending(EndReason.STOPPED))  # once that is over it leaves

    def _settled(self) -> None:
        """A take is over, or built."""
        if self._closing is not None and self._takes.current is None:
            if not self._leaving:
                self._leave()
            self._finish_closing()

    def _leave(self) -> None:
        self._now.go("close")
        self._leaving = True
        self._arms.forget()
        if self._now.rollouts:
            self._arms.rollouts.stop()
        self._ports.pilot(Disengage(), lambda _: self._disengage_answered())

    def _disengage_answered(self) -> None:
        self._disengaged = True
        self._finish_closing()

    def _finish_closing(self) -> None:
        finished = self._takes.finished
        if self._closing is not None and self._takes.current is None and self._disengaged and not finished.building:
            self._now.go("closed")
            asker, self._closing = self._closing, None
            self._ports.answer(asker, Done(f"{len(finished.saved)} saved" if self._now.kept else ""))
