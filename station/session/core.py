"""The state machine of a sitting. Pure: what it needs done it asks of its `Ports`, and it is given the time.

    ended ──OpenSession──► opening ──aligned──► ready ──Start──► starting ──► recording ──Stop / early end──► saving ─┐
      ▲                       ▲                  │ ▲                                                                  │
      └─CloseSession── any    └──────Align───── hold ◄── the pilot holds, or Pause      reset ◄────────────────────────┘
                                                   └──────────────────── Start, or its time is over ──┘

Every button, wherever it is, is one of `SessionRequest`. A request is answered when it is done, or refused with the reason.
Every question to a neighbour has an owner: the `Take` of the episode, or what is compared when the answer comes; an answer that is
late changes nothing but that. A recording that goes on without anybody here wanting it is ended, and saved.
Defects are counted and told, and the episode is kept.
"""

from collections.abc import Callable
from pathlib import Path

from station.borders.bounds import LARGEST_NUMBER
from station.bus.messages import Ending, EndReason, Phase, PilotState, RecorderState, SessionState
from station.bus.pending import Outcome, as_reply
from station.bus.requests import (
    Align,
    CloseSession,
    Discard,
    Disengage,
    Done,
    Engage,
    Hold,
    KeepHold,
    Label,
    Note,
    Opening,
    OpenSession,
    Pause,
    RecordingInfo,
    Refused,
    Reply,
    SessionRequest,
    Start,
    Stop,
    Undo,
)
from station.clock import NS_PER_S
from station.episodes.naming import journal_path
from station.rig.rig import Rig
from station.session.asked import absurd_length, impossible
from station.session.buttons import BUTTONS, shown
from station.session.disk_budget import DiskBudget
from station.session.finished_episodes import FinishedEpisodes
from station.session.ports import Answer, Ports, Sitting
from station.session.strays import Strays
from station.session.take import Over, Take

PAUSED = "paused by the operator"
KILLED = Ending(EndReason.SESSION_KILLED)


class SessionCore:
    """One sitting after another at one rig."""

    def __init__(self, rig: Rig, ports: Ports) -> None:
        self._rig, self._ports = rig, ports
        self.phase: Phase = "ended"
        self._opened = OpenSession(task="")
        self._folder = rig.data
        self._number = 0
        self._take: Take | None = None
        self._strays = Strays(ports, self._save_stray)
        self._start_answer: Answer | None = None
        self._stop_answers: list[Answer] = []
        self._seconds: float | None = None
        """How long the last episode was to be: a timed reset begins another one like it."""
        self._wanted_s: float | None = None
        self._recorded = self._early = 0
        self._resting: Phase = "ready"
        """What the phase is once there is no recording."""
        self._finished = FinishedEpisodes(ports, rig.data)
        self._why = ""
        self._paused = False
        self._reset_ends_ns = 0
        self._pilot: PilotState | None = None
        self._recorder: RecorderState | None = None
        self._disk_budget: DiskBudget | None = None
        self._room_due_ns = 0
        self._engaging: object = None
        """The alignment that the phase `opening` waits for."""
        self._closing: Answer | None = None
        self._disengaged = False

    def state(self) -> SessionState:
        """What every client shows."""
        finished = self._finished
        buttons = shown(self.phase, self._paused, finished.newest, len(finished.saved)) if self._closing is None else ()
        return SessionState(
            phase=self.phase, task=self._opened.task, operator=self._opened.operator, episode=self._number,
            recorded_ticks=self._recorded, saved=len(self._finished.saved), discarded=self._finished.discarded, ended_early=self._early,
            buttons=tuple(button.__name__ for button in buttons), paused=self._paused,
            disk_left_s=min(self._disk_budget.left_s, LARGEST_NUMBER) if self._disk_budget is not None else 0.0,
            reset_ends_ns=self._reset_ends_ns, finalising=self._finished.building, saved_path=self._finished.path, why=self._why,
            newest=-1 if self._finished.newest is None else self._finished.newest, wanted=self._opened.episodes,
            stalls=self._recorder.stalls if self._recorder is not None else 0,
            stalled_rows=self._recorder.stalled_rows if self._recorder is not None else 0,
        )  # fmt: skip

    def request(self, request: SessionRequest, answer: Answer) -> None:
        """A button was pressed somewhere."""
        if why := impossible(request):
            answer(Refused(why))
            return
        if self._closing is not None:
            answer(Refused("the sitting is being closed. Next: wait until it is"))
            return
        if not isinstance(request, BUTTONS[self.phase]):
            sensible = ", ".join(button.__name__ for button in BUTTONS[self.phase]) or "wait"
            answer(Refused(f"{type(request).__name__} makes no sense while {self.phase}. Next: {sensible}"))
            return
        handlers: dict[type, Callable[[SessionRequest, Answer], None]] = {
            OpenSession: self._open, Start: self._start, Stop: self._stop, Discard: self._stop, Label: self._label,
            Note: self._note, Undo: self._undo, Pause: self._pause, Align: self._resume, CloseSession: self._close,
        }  # fmt: skip
        handlers[type(request)](request, answer)

    def time(self, now_ns: int) -> None:
        """Look at the disk once a second, and end a timed reset: the next episode starts, as long as the one before."""
        if now_ns >= self._room_due_ns and self.phase != "ended":
            self._room_due_ns = now_ns + NS_PER_S
            self._look_at_the_disk()
        if self.phase != "reset" or self._opened.reset != "timed" or self._enough:
            return
        if self._reset_ends_ns == 0:
            self._reset_ends_ns = now_ns + int(self._opened.reset_s * NS_PER_S)
        elif now_ns >= self._reset_ends_ns:
            self._reset_ends_ns = 0
            self.phase = "ready"
            self._start(Start(self._seconds), self._told)

    @property
    def _enough(self) -> bool:
        """Are there as many episodes as are wanted, those being built included?"""
        return 0 < self._opened.episodes <= len(self._finished.saved) + len(self._finished.to_come)

    def _look_at_the_disk(self) -> None:
        recorder = self._recorder
        try:
            self._disk_budget = self._ports.disk_budget(
                self._folder, recorder.bytes_per_s if recorder is not None else 0.0
            )
        except OSError as error:
            self._disk_budget = None
            self._why = why = (
                f"{self._folder} is gone: {error.strerror}. Next: bring the disk back, then `station episodes recover`; "
                "or name another folder with --data"
            )
        else:
            why = self._disk_budget.ends(recorder.journal_bytes) if recorder is not None else ""
        if why and self.phase == "recording":
            self._end_early(Ending(EndReason.DISK_FULL, why))

    def _end_early(self, ending: Ending) -> None:
        if self._take is not None:
            self.phase = "saving"
            self._take.end(ending)

    def heard_pilot(self, state: PilotState) -> None:
        """The pilot spoke: a hold stops the sitting until somebody acts."""
        self._pilot = state
        if state.state == "hold" and self.phase in ("ready", "reset"):
            self._hold(state.why)

    def heard_recorder(self, state: RecorderState) -> None:
        """The synchronizer spoke: rows are safe, the episode has ended by itself, or one goes on that nobody waits for."""
        self._recorder = state
        take = self._take
        if take is None or take.part != Path(state.path):
            self._strays.heard(state)
            return
        self._strays.clear_doubts(take.part)
        take.heard(state)
        self._tell_take(take, state)

    def _tell_take(self, take: Take, state: RecorderState) -> None:
        self._recorded = take.rows
        if state.unrecorded:
            names = ", ".join(state.unrecorded)
            self._why = f"{names} appeared after the recording had begun: not in this episode, but in the next"

    def _save_stray(self, take: Take, ending: Ending) -> None:
        if self.phase != "ended" and take.part.parent == self._folder:
            if self._take is None:
                self._number = max(self._number, take.number + 1)
            self._build(take, ending)
        else:
            self._ports.finalise(take.part, False, ending.cause, take.rows, lambda _, error: self._told_unsaved(error))

    def _told_unsaved(self, error: str) -> None:
        self._why = error or self._why

    def recorder_lost(self) -> None:
        """The synchronizer was restarted while recording: the episode ends at its last acknowledged tick."""
        if self._take is not None:
            self._take.lost()
        self._strays.lost()

    def pilot_lost(self) -> None:
        """The pilot was restarted: nobody commands until an operator says so."""
        if self.phase in ("ready", "reset"):
            self._hold("the pilot was restarted")

    def sitting(self) -> Sitting | None:
        """What the next life of this node must know, None while there is no sitting."""
        if self.phase == "ended":
            return None
        finished = self._finished
        return Sitting(
            self._opened,
            self._number,
            tuple(finished.saved),
            finished.to_come,
            finished.discarded,
            self._early,
            self._seconds,
        )

    def restore(self, left: Sitting, recorder: RecorderState, engaged: bool) -> None:
        """Go on with the sitting of a life that was killed. An episode that was being recorded ends here."""
        self._opened, self._number, self._seconds = left.opened, left.episode, left.seconds
        self._early = left.early
        self._folder = self._folder_of(left.opened)
        self._finished = FinishedEpisodes(self._ports, self._folder, left.saved, left.discarded)
        free = self._ports.prepare(self._folder)
        for number in left.building:
            part = journal_path(self._folder, number)
            self._strays.is_over(part)
            self._build(Take(self._ports, part, number, _nothing, self._take_over), KILLED)
        part = journal_path(self._folder, left.episode)
        if recorder.path == str(part):
            self._take = take = Take(self._ports, part, left.episode, self._take_began, self._take_over)
            self.phase = "recording"
            take.adopt(recorder.recorded_ticks)
            if recorder.recording:
                self._end_early(KILLED)
            else:  # it ended by itself while nobody listened
                take.heard(recorder)
                take.end(Ending(EndReason.STOPPED))
            return
        self._number = max(left.episode, free)  # its recorder may have gone too: that number is taken by what it left
        if engaged:
            self.phase, self._why = "ready", KILLED.sentence
        else:
            self._hold(KILLED.sentence)

    def _told(self, reply: Reply) -> None:
        """The answer to something nobody asked for just now: a refusal must not pass unseen."""
        if isinstance(reply, Refused):
            self._why = reply.why

    def _open(self, request: SessionRequest, answer: Answer) -> None:
        assert isinstance(request, OpenSession)
        folder = self._folder_of(request)
        if why := self._ports.another_rigs(folder):
            answer(Refused(why))
            return
        try:
            self._number = self._ports.prepare(folder)
        except OSError as error:
            answer(Refused(f"{folder} cannot be written: {error}. Next: name another folder with --data"))
            return
        self._opened, self._folder = request, folder
        self._recorded = self._early = 0
        self._finished, self._why = FinishedEpisodes(self._ports, folder), ""
        self._engage(answer, "ended", fresh=True)

    def _folder_of(self, opened: OpenSession) -> Path:
        return (Path(opened.data).expanduser() if opened.data else self._rig.data) / opened.task

    def _resume(self, _: SessionRequest, answer: Answer) -> None:
        if self.phase != "recording":
            self._engage(answer, "hold")
        elif not self._paused:
            answer(Refused("Align makes no sense while recording without a pause"))
        else:
            take = self._take
            self._ports.pilot(Engage(self._opened.source), lambda reply: self._unpaused(take, reply, answer))

    def _unpaused(self, take: Take | None, reply: Outcome, answer: Answer) -> None:
        if take is not self._take or not isinstance(reply, Done):
            answer(as_reply(reply))
            return
        self._paused = False
        self._ports.sync(KeepHold(False), lambda kept: answer(as_reply(kept)))

    def _engage(self, answer: Answer, otherwise: Phase, fresh: bool = False) -> None:
        self.phase, self._why, self._paused = "opening", "", False
        self._engaging = engaging = object()

        def then(reply: Outcome) -> None:
            if self._engaging is engaging:
                self._engaging = None
                self.phase = "ready" if isinstance(reply, Done) else otherwise
                self._told(as_reply(reply))
            answer(as_reply(reply))

        stiff = self._pilot is not None and self._pilot.stiff
        if self._opened.opening is not False and self._opened.source == "leader" and (fresh or stiff):
            self._ports.pilot(Opening(self._opened.opening is True), then)
        else:
            self._ports.pilot(Engage(self._opened.source), then)

    def _pause(self, _: SessionRequest, answer: Answer) -> None:
        take, phase = self._take, self.phase

        def held(reply: Outcome) -> None:
            if isinstance(reply, Done) and (take, phase) == (self._take, self.phase):
                self._paused = True
            answer(as_reply(reply))

        if self.phase == "recording":
            self._ports.sync(KeepHold(True), lambda _: self._ports.pilot(Hold(PAUSED), held))
        else:
            self._ports.pilot(Hold(PAUSED), held)

    def _start(self, request: SessionRequest, answer: Answer) -> None:
        assert isinstance(request, Start)
        if absurd := absurd_length(request.seconds, self._rig.tick_hz):
            answer(Refused(absurd))
            return
        ticks = None if request.seconds is None else round(request.seconds * self._rig.tick_hz)
        self._look_at_the_disk()
        refuses = self._why if self._disk_budget is None else self._disk_budget.refuses
        if refuses:
            answer(Refused(refuses))
            return
        opened = self._opened
        info = RecordingInfo(
            opened.task,
            self._number,
            opened.instruction,
            opened.operator,
            opened.scene,
            opened.check_result,
            opened.policy,
        )

        self._resting, self.phase, self._start_answer = self.phase, "starting", answer
        self._wanted_s, self._recorded = request.seconds, 0
        part = journal_path(self._folder, self._number)
        self._take = Take(self._ports, part, self._number, self._take_began, self._take_over)
        self._take.begin(info, ticks)

    def _take_began(self, take: Take) -> None:
        self.phase, self._why = "recording", ""
        self._seconds, self._reset_ends_ns = self._wanted_s, 0
        self._answer_start(Done())
        self._ports.build_incrementally(take.part)  # after the answer: nobody has to wait for a process to start

    def _answer_start(self, reply: Reply) -> None:
        answer, self._start_answer = self._start_answer, None
        if answer is not None:
            answer(reply)

    def _stop(self, request: SessionRequest, answer: Answer) -> None:
        assert self._take is not None
        reason = EndReason.DISCARDED if isinstance(request, Discard) else EndReason.STOPPED
        if isinstance(request, Stop):
            self._finished.judged(self._take.number, request.success)
        self._stop_answers.append(answer)
        self.phase = "saving"
        self._take.end(Ending(reason))

    def _take_over(self, take: Take, over: Over) -> None:
        """The journal is closed, or never was: the next episode may start while this one's HDF5 is built."""
        self._take, self._paused = None, False
        early = over.recorded and over.ending.early
        self._why = over.ending.cause
        answers, self._stop_answers = self._stop_answers, []
        if over.recorded:
            self._strays.is_over(take.part)
            self._recorded = take.rows
            self._early += early
            self._number = take.number + 1
            self._resting = "ready" if self._opened.reset == "none" else "reset"
        elif over.doubtful:
            self._strays.may_begin_yet(take)
            self._number = take.number + 1
        self.phase = self._resting
        if self._pilot is not None and self._pilot.state in ("hold", "idle"):
            self._hold(self._why or self._pilot.why)
        if over.recorded:
            self._build(take, over.ending)
        self._answer_start(Done("it has ended already") if over.recorded else Refused(over.ending.sentence))
        for answer in answers:
            answer(Done() if over.recorded and not early else Refused(over.ending.sentence))
        if self._closing is not None:
            self._leave()

    def _build(self, take: Take, ending: Ending) -> None:
        def then(error: str) -> None:
            self._told_unsaved(error)
            self._finish_closing()

        discarded = ending.reason is EndReason.DISCARDED
        self._finished.build(take.number, take.part, discarded, ending.cause, take.rows, then)

    def _label(self, request: SessionRequest, answer: Answer) -> None:
        assert isinstance(request, Label)
        answer(self._finished.label(request.success))

    def _note(self, request: SessionRequest, answer: Answer) -> None:
        assert isinstance(request, Note)
        answer(self._finished.note(self._number if self.phase == "recording" else self._finished.newest, request.text))

    def _undo(self, _: SessionRequest, answer: Answer) -> None:
        answer(self._finished.undo())

    def _hold(self, why: str) -> None:
        self.phase, self._why = "hold", why
        self._paused = why == PAUSED
        self._reset_ends_ns = 0

    def _close(self, _: SessionRequest, answer: Answer) -> None:
        self._closing = answer
        if self._take is None:
            self._leave()
            return
        self.phase = "saving"
        self._take.end(Ending(EndReason.STOPPED))  # once that is over it leaves

    def _leave(self) -> None:
        self.phase, self._engaging, self._disengaged = "saving", None, False
        self._ports.pilot(Disengage(), lambda _: self._left())

    def _left(self) -> None:
        self._disengaged = True
        self._finish_closing()

    def _finish_closing(self) -> None:
        if self._closing is not None and self._take is None and self._disengaged and not self._finished.building:
            self.phase = "ended"
            answer, self._closing = self._closing, None
            answer(Done(f"{len(self._finished.saved)} saved"))


def _nothing(_: Take) -> None:
    """It has begun already."""
