"""The state machine of a sitting. Pure: what it needs done it asks of its `Ports`, and it is given the time.

    ended ──OpenSession──► opening ──aligned──► ready ──Start──► recording ──Stop / complete / early end──► saving ─┐
      ▲                       ▲                  │ ▲                                                                │
      └─CloseSession── any    └──────Align───── hold ◄── the pilot holds, or Pause      reset ◄──────────────────────┘
                                                   └──────────────────── Start, or its time is over ──┘

Every button, wherever it is, is one of `SessionRequest`. A request is answered when it is done, or refused with the reason.
Defects are counted and told, and the episode is kept.
"""

from collections.abc import Callable
from pathlib import Path

from station.bounds import LARGEST_NUMBER
from station.bus.messages import Phase, PilotState, RecorderState, SessionState
from station.bus.requests import (
    Align,
    BeginRecording,
    CloseSession,
    Discard,
    Disengage,
    Done,
    EndRecording,
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
from station.rig import Rig
from station.session.asked import absurd_length, absurd_sitting, data_folder
from station.session.ports import Answer, Ports, Sitting
from station.session.room import Room
from station.session.shelf import Shelf

PAUSED = "paused by the operator"
KILLED = "the session node was killed"
_BETWEEN = (Start, Label, Note, Undo, Pause, CloseSession)
BUTTONS: dict[Phase, tuple[type[SessionRequest], ...]] = {
    "opening": (CloseSession,),
    "ready": _BETWEEN,
    "recording": (Stop, Discard, Note, Pause, Align, CloseSession),
    "saving": (CloseSession,),
    "reset": _BETWEEN,
    "hold": (Align, Label, Note, Undo, CloseSession),
    "ended": (OpenSession,),
}
"""Which requests make sense in which phase; anything else is refused."""


class SessionCore:
    """One sitting after another at one rig."""

    def __init__(self, rig: Rig, ports: Ports) -> None:
        self._rig, self._ports = rig, ports
        self.phase: Phase = "ended"
        self._opened = OpenSession(task="")
        self._folder = rig.data
        self._number = 0
        self._part = Path()
        self._seconds: float | None = None
        self._recorded = self._early = 0
        self._shelf = Shelf(ports, rig.data)
        self._why = ""
        self._paused = False
        self._reset_ends_ns = 0
        self._pilot: PilotState | None = None
        self._recorder: RecorderState | None = None
        self._room: Room | None = None
        self._room_due_ns = 0
        self._closing: Answer | None = None

    def state(self) -> SessionState:
        """What every client shows."""
        return SessionState(
            phase=self.phase, task=self._opened.task, operator=self._opened.operator, episode=self._number,
            recorded_ticks=self._recorded, saved=len(self._shelf.saved), discarded=self._shelf.discarded, ended_early=self._early,
            buttons=tuple(button.__name__ for button in BUTTONS[self.phase]), paused=self._paused,
            disk_left_s=min(self._room.left_s, LARGEST_NUMBER) if self._room is not None else 0.0,
            reset_ends_ns=self._reset_ends_ns, finalising=self._shelf.building, saved_path=self._shelf.path, why=self._why,
            newest=-1 if self._shelf.newest is None else self._shelf.newest, wanted=self._opened.episodes,
            stalls=self._recorder.stalls if self._recorder is not None else 0,
            stalled_rows=self._recorder.stalled_rows if self._recorder is not None else 0,
        )  # fmt: skip

    def request(self, request: SessionRequest, answer: Answer) -> None:
        """A button was pressed somewhere."""
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
        return 0 < self._opened.episodes <= len(self._shelf.saved) + len(self._shelf.to_come)

    def _look_at_the_disk(self) -> None:
        recorder = self._recorder
        try:
            self._room = self._ports.room(self._folder, recorder.bytes_per_s if recorder is not None else 0.0)
        except OSError as error:
            self._room = None
            self._why = why = (
                f"{self._folder} is gone: {error.strerror}. Next: bring the disk back, then `station episodes recover`; "
                "or name another folder with --data"
            )
        else:
            why = self._room.ends(recorder.journal_bytes) if recorder is not None else ""
        if why and self.phase == "recording":
            self._end_early(why)

    def _end_early(self, why: str) -> None:
        self.phase = "saving"
        self._ports.sync(EndRecording(why), lambda _: self._ended(why, discarded=False))

    def heard_pilot(self, state: PilotState) -> None:
        """The pilot spoke: a hold stops the sitting until somebody acts."""
        self._pilot = state
        if state.state == "hold" and self.phase in ("ready", "reset"):
            self._hold(state.why)

    def heard_recorder(self, state: RecorderState) -> None:
        """The synchronizer spoke: rows are safe, or the episode has ended by itself."""
        self._recorder = state
        if self.phase != "recording" or state.path != str(self._part):
            return
        self._recorded = state.recorded_ticks
        if state.ended:
            self._ended(state.ended, discarded=False)

    def recorder_lost(self) -> None:
        """The synchronizer was restarted while recording: the episode ends at its last acknowledged tick."""
        if self.phase == "recording":
            self._ended("the synchronizer was killed", discarded=False)

    def pilot_lost(self) -> None:
        """The pilot was restarted: nobody commands until an operator says so."""
        if self.phase in ("ready", "reset"):
            self._hold("the pilot was restarted")

    def sitting(self) -> Sitting | None:
        """What the next life of this node must know, None while there is no sitting."""
        if self.phase == "ended":
            return None
        shelf = self._shelf
        return Sitting(
            self._opened, self._number, tuple(shelf.saved), shelf.to_come, shelf.discarded, self._early, self._seconds
        )

    def restore(self, left: Sitting, recorder: RecorderState, engaged: bool) -> None:
        """Go on with the sitting of a life that was killed. An episode that was being recorded ends here."""
        self._opened, self._number, self._seconds = left.opened, left.episode, left.seconds
        self._early = left.early
        self._folder = self._folder_of(left.opened)
        self._shelf = Shelf(self._ports, self._folder, left.saved, left.discarded)
        free = self._ports.prepare(self._folder)
        for number in left.building:
            self._build(number, self._folder / f"episode_{number}.mcap.part", False, KILLED)
        self._part = self._folder / f"episode_{left.episode}.mcap.part"
        if recorder.path == str(self._part):
            if recorder.recording:
                self._end_early(KILLED)
            else:  # it ended by itself while nobody listened
                self._ended(recorder.ended, discarded=False)
            return
        self._number = max(left.episode, free)  # its recorder may have gone too: that number is taken by what it left
        if engaged:
            self.phase, self._why = "ready", KILLED
        else:
            self._hold(KILLED)

    def _told(self, reply: Reply) -> None:
        """The answer to something nobody asked for just now: a refusal must not pass unseen."""
        if isinstance(reply, Refused):
            self._why = reply.why

    def _open(self, request: SessionRequest, answer: Answer) -> None:
        assert isinstance(request, OpenSession)
        if absurd := absurd_sitting(request):
            answer(Refused(absurd))
            return
        folder = self._folder_of(request)
        try:
            self._number = self._ports.prepare(folder)
        except OSError as error:
            answer(Refused(f"{folder} cannot be written: {error}. Next: name another folder with --data"))
            return
        self._opened, self._folder = request, folder
        self._recorded = self._early = 0
        self._shelf, self._why = Shelf(self._ports, folder), ""
        self._engage(answer, "ended", fresh=True)

    def _folder_of(self, opened: OpenSession) -> Path:
        return (data_folder(opened.data) if opened.data else self._rig.data) / opened.task

    def _resume(self, _: SessionRequest, answer: Answer) -> None:
        if self.phase == "recording":
            if not self._paused:
                answer(Refused("Align makes no sense while recording without a pause"))
            else:
                self._ports.pilot(Engage(self._opened.source), lambda reply: self._unpaused(reply, answer))
            return
        self._engage(answer, "hold")

    def _unpaused(self, reply: Reply, answer: Answer) -> None:
        if isinstance(reply, Refused):
            answer(reply)
            return
        self._paused = False
        self._ports.sync(KeepHold(False), answer)

    def _engage(self, answer: Answer, otherwise: Phase, fresh: bool = False) -> None:
        self.phase, self._why, self._paused = "opening", "", False

        def then(reply: Reply) -> None:
            if self.phase == "opening":
                self.phase = "ready" if isinstance(reply, Done) else otherwise
                self._told(reply)
            answer(reply)

        stiff = self._pilot is not None and self._pilot.stiff
        if self._opened.opening is not False and self._opened.source == "leader" and (fresh or stiff):
            self._ports.pilot(Opening(self._opened.opening is True), then)
        else:
            self._ports.pilot(Engage(self._opened.source), then)

    def _pause(self, _: SessionRequest, answer: Answer) -> None:
        def held(reply: Reply) -> None:
            if isinstance(reply, Done):
                self._paused = True
            answer(reply)

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
        refuses = self._why if self._room is None else self._room.refuses
        if refuses:
            answer(Refused(refuses))
            return
        part = self._folder / f"episode_{self._number}.mcap.part"
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

        def then(reply: Reply) -> None:
            if isinstance(reply, Done):
                self.phase, self._part, self._recorded, self._why = "recording", part, 0, ""
                self._seconds, self._reset_ends_ns = request.seconds, 0
            answer(reply)
            if isinstance(reply, Done):  # nobody has to wait for a process to start
                self._ports.build_ahead(part)

        self._ports.sync(BeginRecording(str(part), info, ticks), then)

    def _stop(self, request: SessionRequest, answer: Answer) -> None:
        self.phase = "saving"
        discarded = isinstance(request, Discard)
        if isinstance(request, Stop):
            self._shelf.judged(self._number, request.success)

        def then(reply: Reply) -> None:
            if isinstance(reply, Done):
                self._ended("", discarded)
            else:
                self._ended(reply.why, discarded=False)  # what it acknowledged is saved all the same
            answer(reply)

        self._ports.sync(EndRecording("discarded" if discarded else "stopped"), then)

    def _ended(self, why: str, discarded: bool) -> None:
        """The journal is closed: the next episode may start while this one's HDF5 is built."""
        early = why not in ("", "complete")
        number = self._number
        self._early += early
        self._number += 1
        self._why = why if early else ""
        self._paused = False
        self.phase = "ready" if self._opened.reset == "none" else "reset"
        if self._pilot is not None and self._pilot.state in ("hold", "idle"):
            self._hold(why if early else self._pilot.why)
        self._build(number, self._part, discarded, why if early else "")
        if self._closing is not None:
            self._leave()

    def _build(self, number: int, part: Path, discarded: bool, ended: str) -> None:
        def then(error: str) -> None:
            self._why = error or self._why
            self._finish_closing()

        self._shelf.build(number, part, discarded, ended, then)

    def _label(self, request: SessionRequest, answer: Answer) -> None:
        assert isinstance(request, Label)
        answer(self._shelf.label(request.success))

    def _note(self, request: SessionRequest, answer: Answer) -> None:
        assert isinstance(request, Note)
        answer(self._shelf.note(self._number if self.phase == "recording" else self._shelf.newest, request.text))

    def _undo(self, _: SessionRequest, answer: Answer) -> None:
        answer(self._shelf.undo())

    def _hold(self, why: str) -> None:
        self.phase, self._why = "hold", why
        self._paused = why == PAUSED
        self._reset_ends_ns = 0

    def _close(self, request: SessionRequest, answer: Answer) -> None:
        if self._closing is not None:
            answer(Refused("the sitting is being closed already. Next: wait"))
        elif self.phase == "recording":
            self._stop(Stop(), lambda _: self._close(request, answer))
        else:
            self._closing = answer
            if self.phase != "saving":  # else the episode is over in a moment
                self._leave()

    def _leave(self) -> None:
        self.phase = "saving"
        self._ports.pilot(Disengage(), lambda _: self._finish_closing())

    def _finish_closing(self) -> None:
        if self._closing is not None and not self._shelf.building:
            self.phase = "ended"
            answer, self._closing = self._closing, None
            answer(Done(f"{len(self._shelf.saved)} saved"))
