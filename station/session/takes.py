"""The takes of a sitting, one after the other: begun, ended, built, and those that nobody waits for. Pure."""

from collections.abc import Callable
from pathlib import Path

from station.bus.messages import Ending, EndReason, PilotState, RecorderState
from station.bus.requests import Discard, Done, RecordingInfo, Refused, Reply, Start, Stop
from station.episodes.naming import journal_path
from station.runtime.sitting import Sitting
from station.session.effects import Asker
from station.session.engagement import Engagement
from station.session.finished_episodes import FinishedEpisodes
from station.session.marks import Marks
from station.session.phases import PhaseEvent
from station.session.ports import Ports
from station.session.situation import Situation
from station.session.stager import Stager
from station.session.strays import Strays
from station.session.take import Over, Take
from station.session.unrecorded import Unrecorded

KILLED = Ending(EndReason.SESSION_KILLED)


class Takes:
    """`settled` is called when a take is over, and when a built one is there: a sitting that is being closed may go on then."""

    def __init__(self, sitting: Situation, ports: Ports, arms: Engagement, settled: Callable[[], None]) -> None:
        self._sitting, self._ports, self._arms, self._settled = sitting, ports, arms, settled
        self.current: Take | Unrecorded | None = None
        self.finished = FinishedEpisodes(ports, sitting.folder)
        self.seconds: float | None = None
        """How long the last episode was to be: a timed reset begins another one like it."""
        self.repeats = False
        """One has ended and nobody began another: a timed reset does. After a refusal, or in a sitting that begins, somebody has to."""
        self._wanted_s: float | None = None
        self._strays = Strays(ports, self._save_stray)
        self.marks = Marks(ports)
        self.stager = Stager(sitting, ports, lambda: self.finished)
        self._answer_start: Callable[[Reply], None] = _nobody
        self._stop_askers: list[Asker] = []
        self._resting: PhaseEvent = "ready again"
        """What follows once there is no recording."""

    @property
    def enough(self) -> bool:
        """Are there as many episodes as are wanted, or as the collection plan has for this operator? Those being built are included."""
        sitting = self._sitting
        done = len(self.finished.saved) + len(self.finished.to_come) if sitting.kept else sitting.number
        return self.stager.complete or 0 < sitting.opened.episodes <= done

    def open(self, number: int) -> None:
        """A new sitting, whose first episode has that number."""
        self.repeats = False
        self._sitting.number, self._sitting.recorded, self._sitting.early = number, 0, 0
        self.finished = FinishedEpisodes(self._ports, self._sitting.folder)
        self.marks.begin(self._sitting.rig.marks_of(self._sitting.opened.task))
        self.stager.open()

    def start(self, request: Start, answer: Callable[[Reply], None]) -> None:
        """Begin the next one."""
        sitting, opened = self._sitting, self._sitting.opened
        info = RecordingInfo(opened.task, sitting.number, opened.instruction, opened.operator, opened.scene,
                             sitting.check_result, opened.policy, request.trial, request.condition)  # fmt: skip
        self._resting = "reset wanted" if sitting.phase == "reset" or sitting.rollouts else "ready again"
        sitting.go("start")
        self._answer_start = answer
        self._wanted_s, sitting.recorded = request.seconds, 0
        if not sitting.kept:
            self._run(request.seconds)
            return
        self.marks.begin(sitting.rig.marks_of(opened.task))
        part = journal_path(sitting.folder, sitting.number)
        self.current = take = Take(self._ports, part, sitting.number, self._began, self._over)
        take.begin(
            self.stager.begin(info), None if request.seconds is None else round(request.seconds * sitting.rig.tick_hz)
        )

    def stop(self, request: Stop | Discard, asker: Asker) -> None:
        """End the current one, to be saved or thrown away."""
        assert self.current is not None
        if isinstance(self.current, Unrecorded):
            self._stop_unrecorded(self.current, request, asker)
            return
        if isinstance(request, Stop):
            unkept = self.finished.judge(self.current.number, request.success)
            self._sitting.why = unkept or self._sitting.why
        self._stop_askers.append(asker)
        self._sitting.go("stop")
        self.current.end(Ending(EndReason.DISCARDED if isinstance(request, Discard) else EndReason.STOPPED))

    def mark(self, name: str, asker: Asker) -> None:
        """Mark this moment of the current one."""
        assert isinstance(self.current, Take), "marks are offered while one is recorded"
        self.marks.set(name, self.current.part, asker)

    def end_early(self, ending: Ending) -> None:
        """Something else ends it."""
        if self.current is not None:
            self._sitting.go("stop")
            self.current.end(ending)

    def _began(self, take: Take) -> None:
        self._sitting.go("began")
        self._sitting.why = ""
        self.seconds, self._sitting.reset_ends_ns = self._wanted_s, 0
        self._started(Done())
        self._ports.build_incrementally(take.part)  # after the answer: nobody has to wait for a process to start

    def _run(self, seconds: float | None) -> None:
        """The policy commands already: there is nothing to wait for."""
        sitting = self._sitting
        sitting.go("runs")
        sitting.why = ""
        self.seconds, sitting.reset_ends_ns = seconds, 0
        self.current = Unrecorded(sitting.number, seconds, self._ports.now_ns, self._ran)
        self._started(Done())

    def _stop_unrecorded(self, rollout: Unrecorded, request: Stop | Discard, asker: Asker) -> None:
        if isinstance(request, Discard) or request.success is not None:
            why = "nothing of this sitting is recorded, so there is nothing to label or to throw away"
            self._ports.answer(asker, Refused(f"{why}. Next: Stop; `station run --record --task NAME` records"))
            return
        self._stop_askers.append(asker)
        rollout.end(Ending(EndReason.STOPPED))

    def _ran(self, rollout: Unrecorded, ending: Ending) -> None:
        sitting = self._sitting
        self.current = None
        self.repeats = True
        sitting.why, sitting.number = ending.cause, rollout.number + 1
        sitting.early += ending.early
        sitting.ended_by = ending.doer if ending.early else ""
        sitting.go("reset wanted")
        self._arms.after_a_take()
        askers, self._stop_askers = self._stop_askers, []
        for asker in askers:
            self._ports.answer(asker, Done())
        self._settled()

    def time(self) -> None:
        """A rollout that nobody records may be over."""
        if isinstance(self.current, Unrecorded):
            self.current.time(self._ports.now_ns)

    def heard_pilot(self, state: PilotState) -> None:
        """The same."""
        if isinstance(self.current, Unrecorded):
            self.current.heard(state, self._arms.paused or self._arms.pauses(state), self._ports.now_ns)

    def _started(self, reply: Reply) -> None:
        answer, self._answer_start = self._answer_start, _nobody
        answer(reply)

    def _over(self, take: Take, over: Over) -> None:
        """The journal is closed, or never was: the next episode may start while this one's HDF5 is built."""
        sitting = self._sitting
        self.current = None
        early = over.recorded and over.ending.early
        sitting.why = over.ending.cause
        askers, self._stop_askers = self._stop_askers, []
        if over.recorded:
            self._strays.is_over(take.part)
            self.repeats = True
            sitting.recorded = take.rows
            sitting.early += early
            sitting.ended_by = over.ending.doer if early else ""
            sitting.number = take.number + 1
            self._resting = "ready again" if sitting.opened.reset == "none" and not sitting.rollouts else "reset wanted"
        elif over.doubtful:
            self._strays.may_begin_yet(take)
            sitting.number = take.number + 1
        sitting.go(self._resting)
        self._arms.after_a_take()
        if over.recorded:
            self._build(take, over.ending)
        self.stager.look()
        self._started(Done("it has ended already") if over.recorded else Refused(over.ending.sentence))
        for asker in askers:
            done = Done(self.finished.said_of(take.number)) if over.recorded and not early else None
            self._ports.answer(asker, done or Refused(over.ending.sentence))
        self._settled()

    def _build(self, take: Take, ending: Ending) -> None:
        def then(error: str) -> None:
            self._sitting.why = error or self._sitting.why
            self.stager.look()
            self._settled()

        discarded = ending.reason is EndReason.DISCARDED
        self.finished.build(take.number, take.part, discarded, ending.cause, take.rows, then)

    def heard(self, state: RecorderState) -> None:
        """The synchronizer spoke: rows are safe, the episode has ended by itself, or one goes on that nobody waits for."""
        take = self.current
        if not isinstance(take, Take) or take.part != Path(state.path):
            self._strays.heard(state)
            return
        self._strays.clear_doubts(take.part)
        take.heard(state)
        self._sitting.recorded = take.rows
        if state.unrecorded:
            names = ", ".join(state.unrecorded)
            self._sitting.why = f"{names} appeared after the recording had begun: not in this episode, but in the next"

    def recorder_lost(self) -> None:
        """The synchronizer was restarted while recording: the episode ends at its last acknowledged tick."""
        if isinstance(self.current, Take):
            self.current.lost()
        self._strays.lost()

    def _save_stray(self, take: Take, ending: Ending) -> None:
        sitting = self._sitting
        if sitting.phase != "ended" and take.part.parent == sitting.folder:
            if self.current is None:
                sitting.number = max(sitting.number, take.number + 1)
            self._build(take, ending)
        else:
            self._ports.finalise(take.part, False, ending.cause, take.rows, lambda _, error: self._unsaved(error))

    def _unsaved(self, error: str) -> None:
        self._sitting.why = error or self._sitting.why

    def take_up(self, left: Sitting, recorder: RecorderState) -> None:
        """Go on with the sitting of a life that was killed. An episode that was being recorded ends here."""
        sitting = self._sitting
        sitting.opened, sitting.number, self.seconds = left.opened, left.episode, left.seconds
        sitting.early, sitting.check_result = left.early, left.check_result
        sitting.folder = sitting.folder_of(left.opened)
        self.finished = FinishedEpisodes(self._ports, sitting.folder, left.saved, left.discarded, left.judged)
        self._arms.rollouts.opened()
        self.stager.open()
        if not sitting.kept:
            sitting.why = KILLED.sentence
            sitting.go("reset wanted")
            self._arms.after_a_take()
            return
        free = self._ports.disk.prepare(sitting.folder)
        for number in left.building:
            part = journal_path(sitting.folder, number)
            self._strays.is_over(part)
            self._build(Take(self._ports, part, number, _begun, self._over), KILLED)
        part = journal_path(sitting.folder, left.episode)
        if recorder.path == str(part):
            self.current = take = Take(self._ports, part, left.episode, self._began, self._over)
            sitting.go("began")
            take.adopt(recorder.recorded_ticks)
            if recorder.recording:
                self.end_early(KILLED)
            else:  # it ended by itself while nobody listened
                take.heard(recorder)
                take.end(Ending(EndReason.STOPPED))
            return
        sitting.number = max(left.episode, free)  # its recorder may have gone too: that number is taken by what it left
        if sitting.rollouts:
            sitting.why = KILLED.sentence
            sitting.go("reset wanted")
            self._arms.after_a_take()
        elif self._arms.pilot_state == "engaged":
            sitting.why = KILLED.sentence
            sitting.go("taken up")
        else:
            self._arms.hold(KILLED.sentence)


def _nobody(_: Reply) -> None:
    """Nobody waits for it."""


def _begun(_: Take) -> None:
    """It has begun already."""
